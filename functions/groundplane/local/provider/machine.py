"""Where everything lies on this machine. All folders are readable by their owner alone."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from groundplane.core.manifest import digest

PRIVATE: Final = 0o700
OWN: Final = 0o600


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
        return digest(self.uid, length=12)

    def __str__(self) -> str:
        """Return how people call it."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Machine:
    """The folder that all of it lies in."""

    root: Path

    def data(self, whose: Identity) -> Path:
        """Return the folder of data; a name that is used again begins with an empty one."""
        return _made(self.root / "data" / whose.namespace / f"{whose.name}-{whose.short}")

    def backups(self, namespace: str) -> Path:
        """Return the folder of all backups of *namespace*."""
        return _made(self.root / "backups" / namespace)

    def run(self, whose: Identity) -> Path:
        """Return the folder of sockets, records and files; what lies in it can be made again."""
        return _made(self.root / "run" / whose.short)

    def files(self, whose: Identity) -> Path:
        """Return the folder of configuration files."""
        return _made(self.run(whose) / "files")

    def log(self, whose: Identity) -> Path:
        """Return the file that a program's words go to."""
        return _made(self.root / "logs" / whose.namespace) / f"{whose.kind.lower()}-{whose.name}.log"

    def fingerprint(self, *parts: str) -> str:
        """Return a digest of *parts* that tells nothing about them to who has not the machine's own key."""
        return hashlib.blake2b("\0".join(parts).encode(), key=self._key(), digest_size=8).hexdigest()

    def _key(self) -> bytes:
        path = _made(self.root) / "key"
        if not path.exists():
            write(path, secrets.token_hex(32))
        return path.read_bytes()


def write(path: Path, text: str) -> bool:
    """Write *text* to *path*, whole or not at all, for the owner alone; return whether anything changed."""
    if path.exists() and path.read_text() == text:
        return False
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=OWN)
    fresh.write_text(text)
    fresh.replace(path)
    return True


def _made(folder: Path) -> Path:
    # Not `parents=True`: that would open the folders on the way to everybody.
    for one in [*reversed(folder.parents), folder]:
        if not one.exists():
            one.mkdir(mode=PRIVATE, exist_ok=True)
    return folder
