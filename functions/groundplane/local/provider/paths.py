"""Where everything lies on this machine. All folders are readable by their owner alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from groundplane.core.manifest import digest
from groundplane.local.host.private_files import folder, write

_SHORT: Final = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose folders these are. Another life of the same name has other ones."""

    kind: str
    namespace: str
    name: str
    uid: str

    @property
    def short(self) -> str:
        """Twelve characters that no other object has: a socket's path must be short."""
        return digest(self.uid, length=_SHORT)

    def __str__(self) -> str:
        """Return how people call it."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Machine:
    """The folder that all of it lies in."""

    root: Path

    @property
    def authority(self) -> Path:
        """The folder of the machine's own authority."""
        return self.root / "authority"

    def data(self, whose: Identity) -> Path:
        """Return the folder of data; a name that is used again begins with an empty one."""
        return folder(self.root / "data" / whose.namespace / f"{whose.name}-{whose.short}")

    def backups(self, namespace: str) -> Path:
        """Return the folder of all backups of *namespace*."""
        return folder(self.root / "backups" / namespace)

    def run(self, whose: Identity) -> Path:
        """Return the folder of sockets, records and files; what lies in it can be made again."""
        return folder(self.root / "run" / whose.short)

    def strange(self, uids: Iterable[str]) -> list[Path]:
        """Return the folders of `run` that belong to none of *uids*."""
        known, root = {digest(uid, length=_SHORT) for uid in uids}, self.root / "run"
        return [one for one in root.iterdir() if one.name not in known] if root.exists() else []

    def files(self, whose: Identity) -> Path:
        """Return the folder of configuration files."""
        return folder(self.run(whose) / "files")

    def log(self, whose: Identity) -> Path:
        """Return the file that a program's words go to."""
        return folder(self.root / "logs" / whose.namespace) / f"{whose.kind.lower()}-{whose.name}.log"

    def fingerprint(self, *parts: str) -> str:
        """Return a digest of *parts* that tells nothing about them to who has not the machine's own key."""
        return hashlib.blake2b("\0".join(parts).encode(), key=self._key(), digest_size=8).hexdigest()

    def _key(self) -> bytes:
        path = folder(self.root) / "key"
        if not path.exists():
            write(path, secrets.token_hex(32))
        return path.read_bytes()
