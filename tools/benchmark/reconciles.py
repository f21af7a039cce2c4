"""Reconciles per second of a real Crossplane on the bare plane: with the function, and with an echo in its place.

All claims are reconciled at once, because the environment that they require changes by an annotation: nothing of their
answers does. A round lasts until Crossplane's controller rests, so it holds everything that a reconcile does: the
calls, and the application of every composed resource. No operators run, so services stay in Provisioning.
"""

from __future__ import annotations

import functools
import http.client
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bareplane import groundplane, keeper
from bareplane.binaries import BinariesError
from bareplane.crossplane import NAME as CROSSPLANE
from bareplane.identity import LOOPBACK
from bareplane.kubectl import KubectlError
from bareplane.plane import Plane, PlaneError, started
from bareplane.waiting import NotYetError, eventually
from benchmark import report
from benchmark.report import Line
from benchmark.tallied import ECHO, FUNCTION, NO_ROUND, ROUND

CLAIMS = 200  # two cores reconcile so many in 8 s; making them ready takes longest
BATCH = 20  # new claims at a time: more of them keep a small machine busy beyond Crossplane's two minutes for each
ROUNDS = 3  # of each
PATIENCE = 900  # seconds, for whatever all claims do together
REST = 3  # seconds without a reconcile
ENVIRONMENT = "kubernetes"
NAMESPACE = "bench"
CONTROLLER = "composite/xdatabases.groundplane.dev"
ERRORS = (BinariesError, KubectlError, NotYetError, PlaneError, keeper.KeeperError)
_TALLIES = "tallies.json"


@dataclass(frozen=True, slots=True)
class Work:
    """What Crossplane's controller of the claims did, does and has before it: reconciles."""

    done: int
    busy: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Round:
    """One reconcile of all claims. Times in seconds; what the server counted is told at `tallied.Tally`."""

    seconds: float
    claims: int
    reconciles: int  # more than claims where Crossplane tried again
    calls: int
    answering: float
    cpu: float
    server_cpu: float


@dataclass(frozen=True, slots=True)
class Found:
    """The rounds of function and echo, in turns."""

    function: tuple[Round, ...]
    echo: tuple[Round, ...]


def impossible() -> str:
    """Return why nothing can be measured here, or nothing."""
    if why := groundplane.lacking():
        return why
    return "" if Path("/proc/self/cmdline").exists() else "this system has no /proc, which tells Crossplane's port"


def measured(claims: int = CLAIMS, rounds: int = ROUNDS) -> Found:
    """Return *rounds* with the function and as many with the echo, of *claims* on a plane of their own.

    Raises:
        PlaneError, BinariesError, KubectlError, KeeperError, NotYetError: the plane or a claim does not get there.
    """
    found: dict[str, list[Round]] = {FUNCTION: [], ECHO: []}
    with started() as plane:
        _install(plane)
        port = metrics_port(plane)
        _make(plane, claims)
        for number in range(rounds):
            for who in (FUNCTION, ECHO) if number % 2 == 0 else (ECHO, FUNCTION):
                _rest(port)
                found[who].append(_round(plane, port, f"{who}-{number}", claims))
    return Found(tuple(found[FUNCTION]), tuple(found[ECHO]))


def lines(found: Found) -> tuple[Line, ...]:
    """Return the medians of *found*; a ratio is the median of those within each pair of rounds."""

    def line(name: str, unit: str, of: Callable[[Round], float], *, compared: bool = True) -> Line:
        function, echo = [of(one) for one in found.function], [of(one) for one in found.echo]
        ratio = statistics.median(a / b for a, b in zip(function, echo, strict=True)) if compared else None
        return Line(name, unit, statistics.median(function), statistics.median(echo), ratio)

    return (
        line("reconciles", "1/s", lambda one: one.claims / one.seconds),
        line("a round", "s", lambda one: one.seconds, compared=False),
        line("reconciles per claim", "1", lambda one: one.reconciles / one.claims, compared=False),
        line("calls per claim", "1", lambda one: one.calls / one.claims, compared=False),
        line("answering, per call", "ms", lambda one: one.answering / one.calls * 1000, compared=False),
        line("its CPU, per call", "ms", lambda one: one.cpu / one.calls * 1000, compared=False),
        line("answering, of the time", "%", lambda one: one.answering / one.seconds * 100, compared=False),
        line("server CPU per claim", "ms", lambda one: one.server_cpu / one.claims * 1000),
    )


def table(found: Found) -> str:
    """Return *found* as a person reads it."""
    first = found.function[0]
    title = f"reconciles: {first.claims} claims at once on a real control plane, {len(found.function)} rounds of each"
    spread = [f"{min(all_)} to {max(all_)}" for all_ in (_rates(found.function), _rates(found.echo))]
    return "\n".join([title, *report.rows(lines(found)), f"  {'from, to [1/s]':28}{spread[0]:>12}{spread[1]:>12}"])


def as_json(found: Found) -> dict[str, object]:
    """Return *found* as plain data; a name with its unit is the key of each quantity."""
    return {"case": "reconciles", "claims": found.function[0].claims, "measured": report.measured(lines(found))}


def work(metrics: str) -> Work:
    """Return what *metrics* of Crossplane say; nothing done where they do not name the controller yet."""

    def total(name: str) -> int:
        wanted = [line for line in metrics.splitlines() if line.startswith(f"{name}{{") and f'"{CONTROLLER}"' in line]
        return int(sum(float(line.rpartition(" ")[2]) for line in wanted))

    names = ("controller_runtime_reconcile_total", "controller_runtime_active_workers", "workqueue_depth")
    return Work(*(total(name) for name in names))


def metrics_port(plane: Plane) -> int:
    """Return where Crossplane tells its metrics: only its arguments say so."""
    pid = keeper.ask(plane.folder, "state")["programs"][CROSSPLANE]["pid"]
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return int(next(word for word in words if word.startswith("--metrics-port=")).partition("=")[2])


def _rates(rounds: Sequence[Round]) -> list[float]:
    return [round(one.claims / one.seconds, 1) for one in rounds]


def _install(plane: Plane) -> None:
    """Install Groundplane without operators, and put our server in the place of the function's."""
    plane.kubectl.apply(*groundplane.upstream_crds(), server_side=True)
    groundplane.environments(plane)
    groundplane.companion(plane)
    groundplane.package(plane)
    groundplane.serve(plane)
    groundplane.established(plane)
    address = plane.kubectl.get("functionrevisions")[0]["status"]["endpoint"]
    plane.end("function")
    words = (address, str(plane.folder / "function"), str(plane.folder / _TALLIES))
    groundplane.run_module(plane, "tallied", "benchmark.tallied", *words)
    plane.await_("the benchmark's server listens", lambda: groundplane.answers(address), "tallied")


def _make(plane: Plane, count: int) -> None:
    """Create claims, batch by batch, and return when the function has answered all of them in full."""
    labels = {"groundplane.dev/environment": ENVIRONMENT}
    metadata = {"name": NAMESPACE, "labels": labels}
    plane.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    claim = yaml.safe_load((groundplane.EXAMPLES / "claims" / "development.yaml").read_text(encoding="utf-8"))
    claims = [{**claim, "metadata": {"name": f"claim-{number}", "namespace": NAMESPACE}} for number in range(count)]
    for made in range(0, count, BATCH):
        batch = claims[made : made + BATCH]
        plane.kubectl("create", "-f", "-", stdin=batch, seconds=PATIENCE)
        eventually(functools.partial(_answered, plane, NO_ROUND, made + len(batch)), PATIENCE)


def _round(plane: Plane, port: int, name: str, claims: int) -> Round:
    before = work_at(port).done
    plane.kubectl("annotate", "environmentconfig", ENVIRONMENT, f"{ROUND}={name}", "--overwrite")
    began = time.perf_counter()
    end = began + PATIENCE
    while True:
        now = work_at(port)
        took = time.perf_counter() - began
        if not now.busy and not now.waiting and now.done - before >= claims and _answered(plane, name, claims):
            break
        if time.perf_counter() > end:
            raise NotYetError(f"round {name}: {now}, {_tally(plane, name)}")
        time.sleep(0.05)
    tally = _tally(plane, name)
    if name.startswith(ECHO) and tally["echoed"] != tally["calls"]:
        raise NotYetError(f"round {name}: the echo did not remember all claims: {tally}")
    spent = (tally[key] for key in ("calls", "seconds", "cpu", "server_cpu"))
    return Round(took, claims, now.done - before, *spent)


def _rest(port: int) -> None:
    """Return when nothing was reconciled for a while."""
    seen, since, end = work_at(port), time.monotonic(), time.monotonic() + PATIENCE
    while time.monotonic() - since < REST:
        time.sleep(0.3)
        now = work_at(port)
        if now != seen or now.busy or now.waiting:
            seen, since = now, time.monotonic()
        if time.monotonic() > end:
            raise NotYetError(f"Crossplane does not come to rest: {now}")


def work_at(port: int) -> Work:
    """Return what Crossplane says at *port* of its work."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return work(connection.getresponse().read().decode())
    finally:
        connection.close()


def _answered(plane: Plane, name: str, claims: int) -> bool:
    tally = _tally(plane, name)
    return bool(tally) and tally["claims"] == claims


def _tally(plane: Plane, name: str) -> dict[str, Any]:
    """Return the tally of the round *name*; nothing before its first call."""
    try:
        tallies: dict[str, dict[str, Any]] = json.loads((plane.folder / _TALLIES).read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}
    return tallies.get(name, {})
