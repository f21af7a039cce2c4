"""Two servers that take the same writes: the real one, and the plane's own functions with what surrounds them."""

import base64
import contextlib
import http.client
import json
import ssl
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundplane.kubernetes.managedfields import apply
from groundplane.kubernetes.patch import patches
from groundplane.kubernetes.schema.defaults import defaulted
from groundplane.kubernetes.schema.node import Node
from planes.kinds import Schema
from planes.randoms import Move

_TYPES = {
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_METHODS = {"create": "POST", "put": "PUT"}
# What each server gives by itself, and nobody owns.
_OWN = ("creationTimestamp", "generation", "resourceVersion", "uid")
TIMEOUT_SECONDS = 30
_EMPTY: tuple[Any, ...] = ({}, [], None)


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        code: The HTTP status.
        manifest: The object; None when the write was refused.
        message: Why it was refused; the lines sorted, because the real server's order is random.
        causes: The causes of a conflict, sorted.
    """

    code: int
    manifest: dict[str, Any] | None
    message: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


class Real:
    """The API server of a kubeconfig, for objects of one kind in one namespace."""

    def __init__(self, connection: http.client.HTTPSConnection, path: str = "") -> None:
        self._connection = connection
        self._path = path

    def at(self, path: str) -> "Real":
        """Return the same server, for the kind whose objects are at *path*."""
        return Real(self._connection, path)

    def write(self, move: Move, live: dict[str, Any] | None) -> Answer:
        """Send *move* and return the answer."""
        name = move.body.get("metadata", {}).get("name") or (live or {})["metadata"]["name"]
        path = self._path if move.verb == "create" else "/".join(filter(None, (self._path, name, move.subresource)))
        force = f"&force={str(move.force).lower()}" if move.verb == "apply" else ""
        body = move.body
        if move.verb == "put" and live is not None:
            version = live["metadata"]["resourceVersion"]
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
        code, found = self.ask(
            _METHODS.get(move.verb, "PATCH"),
            f"{path}?fieldManager={move.manager}{force}",
            body,
            _TYPES.get(move.verb, "application/json"),
        )
        return _answer(code, found)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        """Return status and body of one request."""
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, {"Content-Type": kind, "Accept": "application/json"})
        with self._connection.getresponse() as response:
            return response.status, json.loads(response.read())


class Ours:
    """The plane's functions, with defaults and sections as the endpoints of the real server keep them."""

    def __init__(self, schema: Schema, *, built_in: bool) -> None:
        self._schema = None if built_in else schema
        self._has_status = "status" in schema["properties"]
        self._node = Node(schema)

    def write(self, move: Move, live: dict[str, Any] | None, now: str) -> Answer:
        """Return what comes of *move* at *now*."""
        try:
            new = self._written(move, live, now)
        except apply.ConflictError as error:
            return Answer(409, None, _lines(str(error)), tuple(sorted(map(_cause, error.causes))))
        except apply.ApplyError as error:
            return Answer(error.code, None, _lines(str(error)))
        if self._schema is not None and is_invalid(new, self._node):
            return Answer(422, None)
        new = self._sections(tidied(defaulted(new, self._node), self._node), live, move.subresource)
        if live is None:
            return Answer(201, new)
        return Answer(200, apply.settled(live, new))

    def _written(self, move: Move, live: dict[str, Any] | None, now: str) -> dict[str, Any]:
        resets = ("metadata", "spec") if move.subresource else ("status",) if self._has_status else ()
        if move.verb == "apply":
            return apply.apply(
                live,
                move.body,
                manager=move.manager,
                schema=self._schema,
                now=now,
                force=move.force,
                subresource=move.subresource,
                resets=resets,
            )
        new = move.body
        if move.verb == "merge":
            new = patches.merge_patched(live or {}, new)
        elif move.verb == "strategic":
            new = patches.strategic_patched(live or {}, new)
        return apply.update(
            live,
            tidied(defaulted(new, self._node), self._node),
            manager=move.manager,
            schema=self._schema,
            now=now,
            subresource=move.subresource,
            resets=resets,
        )

    def _sections(self, new: dict[str, Any], live: dict[str, Any] | None, subresource: str) -> dict[str, Any]:
        """Return *new* with only what the endpoint writes."""
        if live is None:
            return {part: entry for part, entry in new.items() if part != "status"}
        if not subresource:
            kept = {part: entry for part, entry in new.items() if part != "status"}
            return {**kept, "status": live["status"]} if "status" in live else kept
        metadata = {part: entry for part, entry in live["metadata"].items() if part != "managedFields"}
        if "managedFields" in new["metadata"]:
            metadata["managedFields"] = new["metadata"]["managedFields"]
        kept = {part: entry for part, entry in live.items() if part != "status"}
        return {**kept, "metadata": metadata, **({"status": new["status"]} if "status" in new else {})}


def is_invalid(value: Any, node: Node | None) -> bool:
    """Tell whether *value* has a null where none may be, an item without its key, or an embedded object of no kind."""
    if node is None:
        return False
    if value is None:
        return node.typed and not node.nullable and "default" not in node.raw
    if isinstance(value, dict):
        needed = (*node.raw.get("required", ()), *(("apiVersion", "kind") if node.embedded else ()))
        return any(not value.get(name) for name in needed) or any(
            is_invalid(entry, node.child(name)) for name, entry in value.items()
        )
    return isinstance(value, list) and any(is_invalid(entry, node.items) for entry in value)


def tidied(value: Any, node: Node | None, *, is_object: bool = True) -> Any:
    """Return *value* without what is empty in metadata, also embedded: the real server reads it into a struct."""
    if isinstance(value, list):
        return [tidied(item, node.items if node else None, is_object=False) for item in value]
    if not isinstance(value, dict):
        return value
    if (is_object or (node and node.embedded)) and "metadata" in value:
        metadata = value["metadata"] or {}
        kept = {name: entry for name, entry in metadata.items() if name == "managedFields" or entry not in _EMPTY}
        value = {**value, "metadata": kept}
    return {name: tidied(entry, node.child(name) if node else None, is_object=False) for name, entry in value.items()}


def compared(manifest: dict[str, Any] | None) -> Any:
    """Return what both servers must agree on."""
    if manifest is None:
        return None
    metadata = {
        name: entry
        for name, entry in manifest["metadata"].items()
        if name not in (*_OWN, "namespace") and entry not in ({}, [])
    }
    return {**manifest, "metadata": metadata}


def noted_time(manifest: dict[str, Any] | None, sent: str) -> str:
    """Return the time that the real server noted for a write that was *sent* when, or *sent* when it noted none."""
    entries = (manifest or {}).get("metadata", {}).get("managedFields") or []
    return max([entry["time"] for entry in entries if entry.get("time", "") >= sent], default=sent)


def utc_now() -> str:
    """Return this second, as managedFields write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@contextlib.contextmanager
def connected(kubeconfig: Path) -> Iterator[http.client.HTTPSConnection]:
    """Yield a connection to the cluster of *kubeconfig*, as its user."""
    document = json.loads(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    with tempfile.TemporaryDirectory() as folder:  # 0700: a key lies in it
        files = {
            "ca": cluster["certificate-authority-data"],
            "crt": user["client-certificate-data"],
            "key": user["client-key-data"],
        }
        for name, data in files.items():
            (Path(folder) / name).write_bytes(base64.b64decode(data))
        context = ssl.create_default_context(cafile=f"{folder}/ca")
        context.load_cert_chain(f"{folder}/crt", f"{folder}/key")
    host = cluster["server"].removeprefix("https://")
    connection = http.client.HTTPSConnection(host, context=context, timeout=TIMEOUT_SECONDS)
    with contextlib.closing(connection):
        yield connection


def _answer(code: int, found: dict[str, Any]) -> Answer:
    if found.get("kind") != "Status":
        return Answer(code, found)
    causes = (found.get("details") or {}).get("causes", [])
    message = () if code == 422 else _lines(found["message"])
    return Answer(code, None, message, tuple(sorted(map(_cause, causes))) if code == 409 else ())


def _lines(message: str) -> tuple[str, ...]:
    return tuple(sorted(message.splitlines()))


def _cause(cause: dict[str, Any]) -> str:
    return " | ".join(str(cause.get(part)) for part in ("reason", "message", "field"))
