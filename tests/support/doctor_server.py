"""An API server on loopback that holds a made-up world, as far as the doctor asks one."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from doctor_world import VERSION, World, kinds
from groundplane.doctor.snapshot import Right

Manifest = dict[str, Any]
LOOPBACK = "127.0.0.1"


@dataclass
class Behaviour:
    """How the server answers, besides what the world holds."""

    world: World
    asked: list[str] = field(default_factory=list)  # method and path of every request
    bodies: list[Manifest] = field(default_factory=list)  # of every review
    token: str = ""  # that requests must carry
    delay: float = 0  # seconds before every answer
    broken: dict[str, int] = field(default_factory=dict)  # status by path
    text: bytes = b""  # said instead of everything
    page: int = 0  # items in a page; 0: all


@contextmanager
def serving(behaviour: Behaviour, folder: Path) -> Iterator[Path]:
    """Serve until the block ends; yield a kubeconfig."""

    class Handler(_Handler):
        told = behaviour

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kubeconfig(folder, f"http://{LOOPBACK}:{server.server_port}", behaviour.token)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(folder: Path, server: str, token: str = "") -> Path:
    """Write a kubeconfig for *server* and return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {"token": token} if token else {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


class _Handler(BaseHTTPRequestHandler):
    told: Behaviour
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._handle(None)

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def _handle(self, body: Manifest | None) -> None:
        path = urlsplit(self.path)
        self.told.asked.append(f"{self.command} {path.path}")
        time.sleep(self.told.delay)
        if self.told.token and self.headers.get("Authorization") != f"Bearer {self.told.token}":
            self._say(401, _status(401, "Unauthorized"))
        elif self.told.text:
            self._say(200, self.told.text)
        elif path.path in self.told.broken:
            self._say(self.told.broken[path.path], _status(self.told.broken[path.path], "it is broken"))
        elif body is not None:
            self.told.bodies.append(body)
            self._say(201, {**body, "status": {"allowed": self._allowed(body)}})
        else:
            self._say(*self._read(path.path, {key: one[0] for key, one in parse_qs(path.query).items()}))

    def _allowed(self, body: Manifest) -> bool:
        asked = body["spec"]["resourceAttributes"]
        if body["kind"] == "SelfSubjectAccessReview":
            return asked["resource"] not in self.told.world.forbidden
        part = f"/{asked['subresource']}" if asked.get("subresource") else ""
        return Right(asked["verb"], asked["group"], asked["resource"] + part) not in self.told.world.denied

    def _read(self, path: str, query: dict[str, str]) -> tuple[int, Manifest]:
        words = path.strip("/").split("/")
        if words == ["version"]:
            return 200, _version()
        if words == ["apis"]:
            return 200, {"kind": "APIGroupList", "groups": _groups(self.told.world.served())}
        if words == ["api", "v1", "namespaces"]:
            return self._list("Namespace", query, "")
        if len(words) == 3:
            return 200, _resources("/".join(words[1:]), self.told.world.served())
        return self._objects("/".join(words[1:3]), words[3:], query)

    def _objects(self, group_version: str, words: list[str], query: dict[str, str]) -> tuple[int, Manifest]:
        namespace = ""
        if words[0] == "namespaces":
            namespace, words = words[1], words[2:]
        kind = next((one for one in kinds() if (one.api_version, one.plural) == (group_version, words[0])), None)
        if kind is None or kind.plural not in self.told.world.served().get(group_version, ()):
            return 404, _status(404, "the server could not find the requested resource")
        if len(words) == 1:
            return self._list(kind.kind, query, namespace)
        found = self.told.world.matching(kind.kind, name=words[1])
        return (200, found[0]) if found else (404, _status(404, "not found"))

    def _list(self, kind: str, query: dict[str, str], namespace: str) -> tuple[int, Manifest]:
        found = self.told.world.matching(kind, query.get("labelSelector", ""), namespace=namespace)
        start, size = int(query.get("continue", "0")), self.told.page or len(found)
        more = {"continue": str(start + size)} if start + size < len(found) else {}
        return 200, {"kind": f"{kind}List", "apiVersion": "v1", "metadata": more, "items": found[start : start + size]}

    def _say(self, status: int, answer: Manifest | bytes) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(answer, bytes) else "application/json")
        self.send_header("Content-Length", str(len(content)))
        with suppress(ConnectionError):  # who asked may have had enough
            self.end_headers()
            self.wfile.write(content)


def _version() -> Manifest:
    words = ("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "platform")
    return {"major": "1", "minor": "36", "gitVersion": VERSION, **dict.fromkeys(words, "x")}


def _groups(served: dict[str, frozenset[str]]) -> list[Manifest]:
    versions: dict[str, list[Manifest]] = {}
    for name in sorted(served):
        group, _, version = name.rpartition("/")
        versions.setdefault(group, []).append({"groupVersion": name, "version": version})
    return [{"name": group, "versions": found, "preferredVersion": found[0]} for group, found in versions.items()]


def _resources(group_version: str, served: dict[str, frozenset[str]]) -> Manifest:
    found = [
        {"name": plural, "singularName": "", "namespaced": True, "kind": "Any", "verbs": ["list"]}
        for plural in sorted(served.get(group_version, ()))
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": found}


def _status(code: int, message: str) -> Manifest:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
