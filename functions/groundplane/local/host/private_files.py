"""Files and folders for their owner alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o700  # a folder
OWN: Final = 0o600  # a file


def folder(path: Path) -> Path:
    """Return the folder *path*, made with all on the way to it.

    Raises:
        OSError: it cannot be made.
    """
    if path.is_dir():
        return path
    # Not `parents=True`: that would open the folders on the way to everybody.
    for one in [*reversed(path.parents), path]:
        if not one.exists():
            one.mkdir(mode=PRIVATE, exist_ok=True)
    return path


def write(path: Path, content: str | bytes) -> bool:
    """Write *content* to *path*, whole or not at all, for the owner alone; return whether anything changed.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    wanted = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == wanted:
        return False
    # A name that nobody else has: two that write at once each write a whole file.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(wanted)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return True
