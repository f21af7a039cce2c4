"""A folder that one process works in at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import click

from groundplane.local.host.private_files import OWN


def hold(root: Path) -> int:
    """Return a lock on *root*, which ends with this process.

    Raises:
        click.ClickException: another provider works there.
        OSError: the folder cannot be written.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT, OWN)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise click.ClickException(f"another provider works in {root}; end it, or choose another --root") from None
    return descriptor
