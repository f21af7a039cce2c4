"""What the page's tests in a browser are about: a plane in a folder of its own, and the command that shows it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SECONDS = 90
EXAMPLES = ("examples/database/local.yaml", "examples/claims/development.yaml")
REFUSED = "shop"


@dataclass
class Machine:
    """A plane in a folder of its own."""

    home: Path

    def run(self, *words: str, given: str | None = None) -> str:
        """Run a program of ours or kubectl against the plane, and return what it says."""
        environment = {**os.environ, "KUBECONFIG": str(self.home / "kubeconfig"), "GROUNDPLANE_HOME": str(self.home)}
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=ROOT,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kubectl(self, *words: str, given: str | None = None) -> str:
        return self.run("kubectl", *words, given=given)

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def apply(self, name: str, namespace: str = "sandbox", **spec: Any) -> None:
        """Apply a small claim."""
        claim = {
            "apiVersion": "groundplane.dev/v1alpha1",
            "kind": "XDatabase",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"version": "17", "tier": "Development", "storage": {"size": "1Gi"}, **spec},
        }
        self.kubectl("apply", "-f", "-", given=json.dumps(claim))


@dataclass
class Ui:
    """The command that serves the page."""

    machine: Machine
    process: subprocess.Popen[str] | None = None
    address: str = ""

    def start(self) -> None:
        words = [str(BIN / "groundplane"), "ui", "--home", str(self.machine.home), "--no-open"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.process.stdout.readline()
        self.address = self.process.stdout.readline().strip()

    def end(self) -> None:
        assert self.process
        self.process.terminate()
        self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0

    @property
    def origin(self) -> str:
        return self.address.partition("#")[0]


@dataclass
class Recorded:
    """What a tab did that nobody sees."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Open = Callable[..., Page]
