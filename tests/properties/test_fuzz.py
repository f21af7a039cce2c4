"""Nothing that passes the schema crashes the function: every string field of every contract, on every engine.

``GROUNDPLANE_FUZZ_CLAIMS=100000`` tries more claims, and ``GROUNDPLANE_FUZZ_SEED`` others.
"""

import os
import sys
from collections.abc import Coroutine
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

import catalogue
from fuzzing import Fuzz, strings
from groundplane import contracts, engines
from groundplane.engines.interface import all_kinds
from groundplane.function.fn import FunctionRunner
from made_up import Manifest
from outcomes import Asked, Outcome, read
from worlds import World

CLAIMS = int(os.environ.get("GROUNDPLANE_FUZZ_CLAIMS", "600"))
SEED = int(os.environ.get("GROUNDPLANE_FUZZ_SEED", "20261201"))
SHARES = 2  # of each engine, for two workers
every_engine = pytest.mark.parametrize("engine", catalogue.engines(), ids=str)


def schema_of(contract: str) -> Manifest:
    """Return the schema of a claim's spec, as the API server has it."""
    definition = catalogue.one(catalogue.ROOT / "apis" / f"{contracts.load(contract).plural}.yaml")
    (version,) = definition["spec"]["versions"]
    schema: Manifest = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def base_of(engine: catalogue.Engine) -> Manifest:
    """Return the spec of the engine's example, of the tier that every environment serves."""
    spec: Manifest = {**catalogue.one(engine.example)["spec"], "tier": "Development"}
    return spec


@cache
def born(engine: catalogue.Engine, *, living: bool) -> World:
    """Return a claim of *engine* that is new, or *living*: its objects are there."""
    environment = catalogue.one(engine.environment)
    found = engines.load(engine.contract, engine.name)
    kinds = {kind.crd for kind in all_kinds(found)}
    for name in engines.names(engine.contract):
        kinds |= {kind.crd for kind in all_kinds(engines.load(engine.contract, name))}
    claim = deepcopy(catalogue.one(engine.example))
    claim["metadata"] |= {"uid": "uid-1", "generation": 1, "creationTimestamp": "2026-11-24T11:00:00Z"}
    claim["metadata"]["labels"] = {"groundplane.dev/environment": environment["metadata"]["name"]}
    claim["spec"] = base_of(engine)
    world = World(claim=claim, engine=engine.name, installed=kinds, through="edge").granted()
    world.put(environment)
    if living:
        world.reconcile()
        world.seeded = world.ask().asked
    return world


def source(engine: catalogue.Engine, name: object) -> Manifest:
    """Return a claim that a copy may name."""
    claim = deepcopy(born(engine, living=False).claim)
    claim["metadata"] |= {"name": str(name), "uid": "uid-2", "creationTimestamp": "0001-01-01T00:00:00Z"}
    return {**claim, "status": {"engine": engine.name, "slot": f"{engine.name}-1", "version": claim["spec"]["version"]}}


def answered(call: Coroutine[Any, Any, fnv1.RunFunctionResponse]) -> fnv1.RunFunctionResponse:
    """Return what *call*, which waits for nothing, returns: an event loop for each would take most of the time."""
    try:
        call.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # What the coroutine returned.
    msg = "the function waited"
    raise AssertionError(msg)


def asked(world: World, runner: FunctionRunner) -> Outcome:
    """Return what the function says once it was told all that it asks for."""
    wanted: Asked | None = world.seeded
    for _ in range(6):
        found = read(answered(runner.RunFunction(world.request(wanted), None)))
        if found.fatal or found.asked == wanted:
            return found
        wanted = found.asked
    msg = "the requirements never became stable"
    raise AssertionError(msg)


class Log:
    """Keeps where the function failed, and says nothing."""

    def __init__(self) -> None:
        self.failures: list[Any] = []

    def bind(self, **_who: str) -> "Log":
        return self

    def info(self, _event: str, **_more: Any) -> None: ...

    def error(self, _event: str, **more: Any) -> None:
        self.failures.append(more)


@every_engine
@pytest.mark.parametrize("share", range(SHARES))
def test_nothing_that_passes_the_schema_crashes_the_function(engine: catalogue.Engine, share: int) -> None:
    fuzz = Fuzz(schema_of(engine.contract), SEED + share, base_of(engine))
    runner = FunctionRunner(clock=lambda: born(engine, living=False).now)
    log = Log()
    runner.log = log  # type: ignore[assignment]  # It bears the calls that are made.
    failed: list[str] = []
    count = CLAIMS // len(catalogue.engines()) // SHARES
    for number in range(count):
        spec = fuzz.spec(number)
        world = born(engine, living=number % 3 == 2)
        world.claim["spec"] = spec
        name = spec.get("restore", {}).get("claimRef", {}).get("name")
        objects = dict(world.objects)
        if name:
            world.put(source(engine, name))
        outcome = asked(world, runner)
        world.objects = objects
        if "the function failed" in outcome.message:
            failed.append(f"claim {number}: {log.failures[-1]} {spec}")
    sys.stdout.write(f"{engine}: {count} claims, seed {SEED + share}, {len(failed)} failed\n")
    assert not failed, "\n".join([f"seed {SEED + share}", *failed[:10]])


def test_every_string_field_has_its_turn() -> None:
    paths = {".".join(path) for path in strings(schema_of("database"))}
    assert {"parameters.{}", "database.extensions.[].name", "restore.pointInTime", "restore.claimRef.name"} <= paths
    fuzz = Fuzz(schema_of("database"), 1, {})
    assert {".".join(path) for path in fuzz.leaves} == paths
    assert CLAIMS // len(catalogue.engines()) // SHARES >= len(paths)
