"""The embedded plane for tests: as an API in this process, or as a process of its own that is ended by its pid."""

import base64
import contextlib
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.core.manifest import Manifest
from groundplane.local.apiserver import garbage_collector
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.store import Store
from groundplane.local.apiserver.storage.surroundings import Surroundings
from plane_transcript import FOLDER

NOW = "2026-01-01T00:00:00Z"


def widget_definition() -> Manifest:
    found: Manifest = yaml.safe_load((FOLDER / "files" / "crd.yaml").read_text())
    return found


def widget(name: str, **spec: object) -> Manifest:
    return {
        "apiVersion": "example.dev/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"color": "red", **spec},
    }


def open_api(path: Path) -> Api:
    """Return an API over a store at *path*, with a clock that stands still and uids that count."""
    numbers = itertools.count(1)
    clock = itertools.count(1000.0)
    surroundings = Surroundings(now=lambda: NOW, uid=lambda: f"uid-{path.name}-{next(numbers)}", suffix=lambda: "abcde")
    return Api(Store(path, lambda: next(clock)), surroundings)


def settle(api: Api) -> None:
    for _ in range(50):
        if not garbage_collector.settle(api):
            return
    raise AssertionError("the collector never comes to rest")


@dataclass(slots=True)
class Answer:
    code: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Running:
    """A plane in a process of its own."""

    def __init__(self, folder: Path, module: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["functions", *sys.path])},
        )
        assert self.process.stdout
        self.kubeconfig = Path(self.process.stdout.readline().strip() or "/nowhere")
        if not self.kubeconfig.exists():
            raise AssertionError(self.process.communicate()[1])
        config = json.loads(self.kubeconfig.read_text())
        self.server: str = config["clusters"][0]["cluster"]["server"]
        self.token: str = config["users"][0]["user"]["token"]
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=authority)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End the process and return its exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send one request; a header's name has underscores for hyphens."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(  # noqa: S310  # loopback
            self.server + path, data=data, method=method, headers={k: v for k, v in sent.items() if v}
        )
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=PATIENCE_SECONDS) as response:  # noqa: S310  # loopback
                return _answer(response.status, response.read(), response.headers)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.read(), error.headers)


def _answer(code: int, content: bytes, headers: Any) -> Answer:
    is_json = headers.get("Content-Type", "").startswith("application/json")
    body: object = content.decode()
    if is_json and content:
        lines = [json.loads(line) for line in content.splitlines()]
        body = lines[0] if len(lines) == 1 else lines
    return Answer(code, body, dict(headers), headers.get_all("Warning") or [])


@contextlib.contextmanager
def running(folder: Path, module: str = "groundplane.local.apiserver.server") -> Iterator[Running]:
    """Start the plane that *module* is in *folder*, yield it, and end it."""
    plane = Running(folder, module)
    try:
        yield plane
    finally:
        if plane.process.poll() is None:
            plane.end()


@contextlib.contextmanager
def widgets(path: Path) -> Iterator[Api]:
    """Open a plane in *path* that knows widgets, and close its store at the end."""
    made = open_api(path)
    made.create(made.request("apiextensions.k8s.io/v1", "CustomResourceDefinition"), widget_definition())
    yield made
    made.store.close()
