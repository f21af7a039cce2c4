"""The two planes that serve claims of one machine: the embedded one, and a bare one with the provider beside it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bareplane import groundplane, keeper
from bareplane.plane import Plane, started
from benchmark.reconciles import metrics_port, work_at
from groundplane.local.plane.home import Home

NAMESPACE = "bench"
ENVIRONMENT = "local"
TTL_SECONDS = 300  # what the function chooses by itself at the most
_ROOT = Path(__file__).parents[2]
_ACCOUNT = ("-n", "crossplane-system", "groundplane-provider")
_RECONCILED = "reconciled"
_RUN = f"""
import asyncio, logging, sys
from pathlib import Path
from groundplane.local.plane import run
from groundplane.local.plane.home import Home
from groundplane.local.xr_controller.reconciler import Reconciler
from groundplane.local.host.executables import Programs
logging.basicConfig(level=logging.WARNING)
folders = {{name: Path(folder) for name, folder in [word.split("=", 1) for word in sys.argv[2:]]}}
reconcile = Reconciler.reconcile
async def counted(*words):
    try:
        return await reconcile(*words)
    finally:
        print("{_RECONCILED}", flush=True)
Reconciler.reconcile = counted
asyncio.run(run.run(Home(Path(sys.argv[1])), Programs(folders), lambda line: print(line, flush=True)))
"""


class MachineError(Exception):
    """A plane does not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A plane that serves claims of one machine.

    Attributes:
        kubeconfig: Who may do everything there.
        programs: What the plane itself consists of, without what it runs for claims.
        reconciles: Returns how many reconciles of claims have ended.
    """

    kubeconfig: Path
    programs: tuple[psutil.Process, ...]
    reconciles: Callable[[], int]

    def kubectl(self, *words: str, stdin: object = None, seconds: float = 60) -> str:
        """Return what kubectl answers.

        Raises:
            MachineError: it fails.
        """
        own = Path(sys.executable).parent / "kubectl"
        argv = [str(own if own.exists() else "kubectl"), f"--kubeconfig={self.kubeconfig}", *words]
        text = None if stdin is None else json.dumps(stdin)
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=seconds, check=False)
        if done.returncode:
            raise MachineError(f"kubectl {words[0]}: {done.stderr[-500:]}")
        return done.stdout

    def cpu(self) -> float:
        """Return the seconds of CPU that the plane itself has used."""
        times = [one.cpu_times() for one in self.programs]
        return float(sum(one.user + one.system for one in times))

    def memory(self) -> tuple[int, int]:
        """Return bytes: PSS of the plane and all that it runs, and the resident memory of the plane alone."""
        everything = {child.pid: child for one in self.programs for child in (one, *one.children(recursive=True))}
        total = 0
        for one in everything.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
        return total, sum(one.memory_info().rss for one in self.programs)


class _Lines:
    """Reads what a plane prints: a pipe that nobody empties would hold it up."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.reconciles = 0
        self._lines = lines

    def read(self) -> None:
        for line in self._lines:
            self.reconciles += line.startswith(_RECONCILED)


@contextlib.contextmanager
def embedded(folder: Path, programs: Sequence[str]) -> Iterator[Machine]:
    """Run an embedded plane in *folder*; *programs* are NAME=FOLDER, as the provider takes them.

    Raises:
        MachineError: it does not start.
    """
    folder.mkdir(mode=0o700)
    home, environment = Home(folder), {**os.environ, "PYTHONPATH": str(_ROOT / "functions")}
    words = [sys.executable, "-c", _RUN, str(folder), *programs]
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    try:
        if process.stdout is None or not any(line.startswith("serves") for line in process.stdout):
            raise MachineError("the plane does not start: " + (folder / "errors").read_text()[-500:])
        lines = _Lines(process.stdout)
        threading.Thread(target=lines.read, daemon=True).start()
        machine = Machine(home.kubeconfig, (psutil.Process(process.pid),), lambda: lines.reconciles)
        machine.kubectl("create", "namespace", NAMESPACE)
        yield machine
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@contextlib.contextmanager
def bare(programs: Sequence[str]) -> Iterator[Machine]:
    """Run etcd, a real API server, a real Crossplane, the function and the provider, as five programs.

    Raises:
        PlaneError, BinariesError, KubectlError, KeeperError, NotYetError: it does not get there.
    """
    with started() as plane:
        plane.kubectl.apply(*groundplane.upstream_crds(), server_side=True)
        groundplane.environments(plane)
        groundplane.companion(plane)
        groundplane.package(plane)
        groundplane.serve(plane, TTL_SECONDS)
        groundplane.established(plane)
        metadata = {"name": NAMESPACE, "labels": {"groundplane.dev/environment": ENVIRONMENT}}
        plane.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        _provide(plane, programs)
        port = metrics_port(plane)
        found = keeper.ask(plane.folder, "state")["programs"]
        running = [
            psutil.Process(one["pid"]) for name, one in found.items() if one["code"] is None and name != "registry"
        ]
        yield Machine(plane.kubeconfig, tuple(running), lambda: work_at(port).done)


def _provide(plane: Plane, programs: Sequence[str]) -> None:
    """Start the provider, as who it is in a cluster."""
    plane.kubectl("apply", "--server-side", "-k", _ROOT / "package" / "local")
    document = json.loads(plane.kubeconfig.read_text())
    token = plane.kubectl("create", "token", "--duration=2h", *_ACCOUNT).strip()
    document["users"] = [{"name": one["name"], "user": {"token": token}} for one in document["users"]]
    path = plane.folder / "provider.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    words = (f"--kubeconfig={path}", f"--root={plane.folder / 'local'}", *(f"--programs={one}" for one in programs))
    groundplane.run_module(plane, "provider", "groundplane", "provider", *words)
