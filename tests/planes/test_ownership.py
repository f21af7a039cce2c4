"""Random objects are written to the real API server and to the plane's functions: both must keep the same."""

import json
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bareplane import binaries
from bareplane.plane import FOLDER_VARIABLE, PROGRAMS, Plane, started
from planes import kinds
from planes.randoms import Maker, Move
from planes.serving import Answer, Ours, Real, compared, connected, noted_time, utc_now

OBJECTS = int(os.environ.get("GROUNDPLANE_FUZZ_OBJECTS", "30"))
SEED = int(os.environ.get("GROUNDPLANE_FUZZ_SEED", "1"))
START_SECONDS = 30
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
SHOWN = 3
Told = Callable[[str, object], None]


@dataclass(frozen=True)
class Served:
    """One kind, on both servers."""

    identity: dict[str, str]
    schema: kinds.Schema
    real: Real
    built_in: bool = False


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    if folder := os.environ.get(FOLDER_VARIABLE):
        yield Plane(Path(folder)).kubeconfig
        return
    try:
        for name in PROGRAMS:
            binaries.need(name)
    except binaries.BinariesError as error:
        pytest.skip(str(error))
    with started() as plane:
        yield plane.kubeconfig


@pytest.mark.parametrize(
    ("kind", "schema"), [("Odd", kinds.odd()), ("Database", kinds.database())], ids=["Odd", "Database"]
)
def test_random_writes_of_custom_resources_leave_the_same_object_and_owners_as_on_the_real_server(
    kubeconfig: Path, kind: str, schema: kinds.Schema, record_property: Told
) -> None:
    with connected(kubeconfig) as connection:
        _agree_on_all(_defined(Real(connection), kind, schema), record_property)


@pytest.mark.parametrize(
    ("identity", "path", "schema"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "/api/v1/namespaces/default/configmaps", kinds.config_map()),
        ({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}, LEASES, kinds.lease()),
    ],
    ids=["ConfigMap", "Lease"],
)
def test_random_writes_of_built_in_kinds_leave_the_same_object_and_owners_as_on_the_real_server(
    kubeconfig: Path, identity: dict[str, str], path: str, schema: kinds.Schema, record_property: Told
) -> None:
    with connected(kubeconfig) as connection:
        _agree_on_all(Served(identity, schema, Real(connection, path), built_in=True), record_property)


def _agree_on_all(served: Served, told: Told) -> None:
    kind = served.identity["kind"]
    counts: Counter[str] = Counter()
    seeds = [f"{SEED}-{kind}-{number}" for number in range(OBJECTS)]
    divergences = [found for seed in seeds if (found := _divergence(served, seed, counts))]
    for what, number in counts.items():
        told(what, number)
    assert not divergences, f"{len(divergences)} of {OBJECTS}:\n" + "\n\n".join(divergences[:SHOWN])


def _defined(server: Real, kind: str, schema: kinds.Schema) -> Served:
    """Define *kind* in a group of its own, and return it once it is served."""
    group = f"g{uuid.uuid4().hex[:8]}.example.org"
    definition = kinds.definition(kind, group, schema)
    code, answer = server.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    assert code == 201, answer
    path = f"/apis/{group}/{kinds.VERSION}/namespaces/default/{definition['spec']['names']['plural']}"
    end = time.monotonic() + START_SECONDS
    while not (_is_known(server, group) and server.ask("GET", path)[0] == 200):
        assert time.monotonic() < end, "the kind is not served"
        time.sleep(0.2)
    return Served({"apiVersion": f"{group}/{kinds.VERSION}", "kind": kind}, schema, server.at(path))


def _is_known(server: Real, group: str) -> bool:
    return any(one["name"] == group for one in server.ask("GET", "/apis")[1]["groups"])


def _divergence(served: Served, seed: str, counts: Counter[str]) -> str:
    """Return where the servers went apart with the object of *seed*, or nothing."""
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    maker = Maker(served.identity, served.schema, chance, served.built_in)
    server = Ours(served.schema, built_in=served.built_in)
    name = f"o-{uuid.uuid4().hex[:10]}"
    real: dict[str, Any] | None = None
    ours: dict[str, Any] | None = None
    done: list[Move] = []
    for _ in range(chance.randint(4, 10)):
        move = maker.next(name, ours) if ours else maker.first(name)
        done.append(move)
        sent = utc_now()
        wanted = _patiently(served.real, move, real)
        found = server.write(move, ours, noted_time(wanted.manifest, sent))
        counts[f"{move.verb}{'/' * bool(move.subresource)}{move.subresource} {wanted.code}"] += 1
        if not _agree(wanted, found):
            return _told(seed, done, ours, wanted, found)
        real, ours = wanted.manifest or real, found.manifest or ours
    return ""


def _patiently(server: Real, move: Move, live: dict[str, Any] | None) -> Answer:
    """Return the real server's answer; a kind that was just defined is not written at once."""
    end = time.monotonic() + START_SECONDS
    while (answer := server.write(move, live)).code == 429 and time.monotonic() < end:
        time.sleep(0.2)
    return answer


def _agree(wanted: Answer, found: Answer) -> bool:
    return (wanted.code, wanted.message, wanted.causes, compared(wanted.manifest)) == (
        found.code,
        found.message,
        found.causes,
        compared(found.manifest),
    )


def _told(seed: str, done: list[Move], before: dict[str, Any] | None, wanted: Answer, found: Answer) -> str:
    told = {
        "before": compared(before),
        "move": [done[-1].verb, done[-1].subresource, done[-1].manager, done[-1].force, done[-1].body],
        "wanted": [wanted.code, wanted.message, wanted.causes, compared(wanted.manifest)],
        "found": [found.code, found.message, found.causes, compared(found.manifest)],
    }
    lines = (f"{part}: {json.dumps(entry, sort_keys=True)}" for part, entry in told.items())
    return "\n".join([f"seed {seed}, step {len(done)}", *lines])
