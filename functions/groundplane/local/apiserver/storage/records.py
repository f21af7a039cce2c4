"""How objects and their changes are kept: as JSON bytes, under a key, with the version beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from groundplane.core.manifest import Manifest

Event = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Key:
    """Which object: ``resource`` is ``plural.group``, or the plural alone in the core group."""

    resource: str
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """The object within its resource; sorts as an API server lists."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the log, its objects as JSON bytes without ``resourceVersion``."""

    version: int
    type: Event
    key: Key
    body: bytes
    previous: bytes | None

    def manifest(self) -> Manifest:
        """Return the object after the change; of a deleted one its last state, at the deletion's version."""
        return loaded(self.body, self.version)

    def before(self) -> Manifest | None:
        """Return the object before the change, at the change's version; None when there was none."""
        return None if self.previous is None else loaded(self.previous, self.version)


def dumped(manifest: Manifest) -> bytes:
    """Return *manifest* as it is stored: without its version, which is the log's."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "resourceVersion"}
    return written({**manifest, "metadata": metadata}).encode()


def written(manifest: Manifest) -> str:
    """Return *manifest* as its text is kept."""
    return json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)


def loaded(body: bytes, version: int) -> Manifest:
    """Return the object in *body*, new and nobody else's, with its version."""
    manifest: Manifest = json.loads(body)
    manifest["metadata"]["resourceVersion"] = str(version)
    return manifest
