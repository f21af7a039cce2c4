"""The local provider beside a plane, and applications that use its databases through their bindings."""

import base64
import contextlib
import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bareplane import groundplane, keeper
from bareplane.plane import Plane
from controlplane.cluster import ROOT, Manifest, Team, orders

NAME = "provider"
ACCOUNT = ("-n", "crossplane-system", "groundplane-provider")
PROCESS = "process.local.groundplane.dev"
TASK = "task.local.groundplane.dev"


@dataclass(frozen=True)
class Provider:
    """The provider of a plane, with a folder of its own."""

    plane: Plane

    @property
    def root(self) -> Path:
        return self.plane.folder / "local"

    def start(self) -> None:
        """Start it, as who it is in a cluster."""
        kubeconfig = self.plane.folder / "provider.kubeconfig"
        words = (f"--kubeconfig={kubeconfig}", f"--root={self.root}")
        groundplane.run_module(self.plane, NAME, "groundplane", "provider", *words)

    def install(self) -> None:
        """Apply what it needs, and give it its own credentials."""
        kubectl = self.plane.kubectl
        if self.plane.embedded:  # the kinds are there, and nobody is given rights
            shutil.copy(self.plane.kubeconfig, self.plane.folder / "provider.kubeconfig")
            return
        kubectl("apply", "--server-side", "-k", ROOT / "package" / "local")
        document = json.loads(self.plane.kubeconfig.read_text())
        token = kubectl("create", "token", "--duration=2h", *ACCOUNT).strip()
        document["users"] = [{"name": one["name"], "user": {"token": token}} for one in document["users"]]
        path = self.plane.folder / "provider.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.plane.end(NAME, signal.SIGKILL)

    def running(self) -> bool:
        """Tell whether it runs."""
        programs = keeper.ask(self.plane.folder, "state")["programs"]
        return NAME in programs and programs[NAME]["code"] is None


def claim(name: str = "orders", **spec: object) -> Manifest:
    """Return a small claim, whose data may be deleted."""
    found = orders(tier="Development", storage={"size": "1Gi"}, **spec)
    return {**found, "metadata": {"name": name}}


def entries(team: Team, name: str = "orders") -> dict[str, str]:
    """Return what the binding says."""
    return {key: base64.b64decode(value).decode() for key, value in team.binding(name)["data"].items()}


@contextlib.contextmanager
def connected(team: Team, name: str = "orders") -> Iterator[psycopg.Connection]:
    """Connect as the application does, by its binding alone."""
    bound = entries(team, name)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(bound["certificates"])
        file.flush()
        with psycopg.connect(bound["uri"], sslrootcert=file.name, autocommit=True, connect_timeout=5) as connection:
            yield connection


def process(team: Team, name: str = "orders") -> Manifest:
    """Return the status of the Process that serves a claim."""
    found: Manifest = team.get(PROCESS, f"{name}-db-1")["status"]
    return found
