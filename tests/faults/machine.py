"""One machine with a plane of its own: the commands a person types, the claims, and what runs below its folder."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bareplane.kubectl import Kubectl
from bareplane.waiting import eventually

Manifest = dict[str, Any]
GROUNDPLANE = Path(sys.executable).parent / "groundplane"
NAMESPACE = "team-a"
SOON = 60
COMMAND_SECONDS = 120
LOOPBACK = "127.0.0.1"


@dataclass
class Machine:
    """A plane in *home*, begun and ended by `groundplane up` and `groundplane down`."""

    home: Path
    _certificates: dict[str, Path] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        """Where everything here has its temporary files."""
        folder = self.home.parent / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every command."""
        return {**os.environ, "GROUNDPLANE_HOME": str(self.home), "TMPDIR": str(self.temporary)}

    def run(self, *words: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run `groundplane` for this home and return how it ended."""
        return subprocess.run(
            [*prefix, str(GROUNDPLANE), *words],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def up(self) -> None:
        """Start the plane and return once it serves."""
        done = self.run("up")
        assert done.returncode == 0, done.stdout + done.stderr

    def down(self) -> None:
        """End the plane and all that it runs."""
        done = self.run("down")
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def kubectl(self) -> Kubectl:
        """Return kubectl for this plane."""
        return Kubectl(self.home / "kubeconfig", f"--namespace={NAMESPACE}", cache=self.home.parent / "kubectl")

    def status(self) -> Manifest:
        """Return what `groundplane status` says."""
        found: Manifest = json.loads(self.run("status", "-o", "json").stdout)
        return found

    def kill(self) -> None:
        """End the plane at once, in the middle of whatever it does."""
        # Not by `status`: the moment would be that command's.
        pid = json.loads((self.home / "plane.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not psutil.pid_exists(pid), SOON)

    def claim(self, name: str = "orders") -> Manifest:
        """Return a claim as it is stored."""
        found: Manifest = self.kubectl.get("xdatabase", name)
        return found

    def apply(self, name: str, **spec: Any) -> None:
        """Apply a small claim whose data may be deleted."""
        self.kubectl.apply(database(name, **spec))

    def serves(self, name: str, seconds: float = SOON) -> None:
        """Return once the claim is served and nothing is under way."""
        eventually(lambda: all(is_true(self.claim(name), kind) for kind in ("Ready", "Serving", "Settled")), seconds)

    def backed_up(self, name: str, seconds: float = SOON) -> None:
        """Return once the claim has a backup."""
        eventually(lambda: is_true(self.claim(name), "BackupCurrent"), seconds)

    def binding(self, name: str = "orders") -> dict[str, str]:
        """Return what the binding of a claim says."""
        found = self.kubectl.get("secret", f"{name}-db-binding")["data"]
        return {key: base64.b64decode(value).decode() for key, value in found.items()}

    def connector(self, name: str = "orders") -> "Connector":
        """Return what connects to the database of a claim as its application does, by the binding of this moment."""
        bound = self.binding(name)
        path = self.home.parent / f"{name}.crt"
        path.write_text(bound["certificates"])
        return Connector(f"{bound['uri']}&sslrootcert={path}")

    def data(self) -> list[Path]:
        """Return the folders with data of a server, also while some of them are being removed."""
        return [Path(folder) for folder, _, files in os.walk(self.home) if "PG_VERSION" in files]

    def servers(self) -> list[psutil.Process]:
        """Return the database servers that run on data of this home, without their own children."""
        found = []
        for one in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                words = one.cmdline()
                if "-D" in words or "--config-file" in " ".join(words):
                    found.append(one)
        return found

    def processes(self) -> list[psutil.Process]:
        """Return every process that names this home in its arguments or environment, but not whoever tests."""
        found = []
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.home) in " ".join([*one.cmdline(), *one.environ().values()]) and one.pid != os.getpid():
                    found.append(one)
        return found


@dataclass
class Apart(Machine):
    """A plane whose provider is a process of its own, as it is beside a cluster. Only the provider is killed."""

    _plane: subprocess.Popen[bytes] | None = None
    _provider: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        """Start what does not run, and return once the plane serves."""
        if self._plane is None:
            self.home.mkdir(mode=0o700, exist_ok=True)
            self._plane = self._begin("plane", sys.executable, "-c", _ALONE, str(self.home))
            eventually(lambda: self.run("status").returncode == 0, SOON)
        words = ("provider", "--kubeconfig", str(self.home / "kubeconfig"), "--root", str(self.home / "provider"))
        self._provider = self._begin("provider", str(GROUNDPLANE), *words)

    def down(self) -> None:
        """End the provider with all that it runs, then the plane."""
        for one in (self._provider, self._plane):
            if one is not None:
                one.terminate()
                assert one.wait(COMMAND_SECONDS) == 0

    def kill(self) -> None:
        """End the provider at once, in the middle of whatever it does."""
        assert self._provider is not None
        self._provider.kill()
        self._provider.wait()

    def _begin(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                words,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


_ALONE = """
import contextlib, sys
from groundplane.local.plane import run
run.providing = lambda *_: contextlib.nullcontext()
sys.exit(run.main(sys.argv[1]))
"""


@dataclass(frozen=True)
class Connector:
    """Connects to one database, checked by its certificate."""

    uri: str

    def __call__(self) -> psycopg.Connection:
        """Return a connection that commits each statement."""
        return psycopg.connect(self.uri, autocommit=True, connect_timeout=5)


def database(name: str, **spec: Any) -> Manifest:
    """Return a small claim."""
    small = {"version": "17", "tier": "Development", "size": "XSmall", "storage": {"size": "1Gi"}}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "groundplane.dev/v1alpha1", "kind": "XDatabase", "metadata": metadata, "spec": small | spec}


def is_true(claim: Manifest, kind: str) -> bool:
    """Tell whether a condition of *claim* holds."""
    found = claim.get("status", {}).get("conditions", [])
    return any(one["type"] == kind and one["status"] == "True" for one in found)


def listening(port: int) -> bool:
    """Tell whether somebody listens on *port* of this machine."""
    with contextlib.closing(socket.socket()) as found:
        return found.connect_ex((LOOPBACK, port)) == 0


@contextlib.contextmanager
def machine(folder: Path, kind: type[Machine] = Machine) -> Iterator[Machine]:
    """Return a machine whose plane is up, in *folder*, and leave nothing of it running."""
    made = kind(folder / "home")
    left: list[psutil.Process] = []
    try:
        made.up()
        made.kubectl("create", "namespace", NAMESPACE)
        yield made
    finally:
        try:
            made.down()
        finally:
            left += made.processes()
            for one in left:
                with contextlib.suppress(psutil.Error):
                    one.kill()
    assert not left, f"left running: {[one.pid for one in left]}"
