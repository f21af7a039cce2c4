"""Logs that are kept short while programs write to them, which cannot be told to open another file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from groundplane.local.host.private_files import OWN

LOG_BYTES: Final = 10 * 1024 * 1024
_PIECE_BYTES: Final = 1024 * 1024
_COLLAPSE_RANGE: Final = 0x08  # of fallocate(2)


def before(log: Path) -> Path:
    """Return where the part of *log* lies that was taken off last."""
    return log.with_suffix(".log.1")


def is_long(log: Path) -> bool:
    """Return whether *log* is to be rotated."""
    return log.exists() and log.stat().st_size > LOG_BYTES


def rotate(log: Path) -> None:
    """Keep the last of a long log, and the one before it: whoever writes goes on writing to the same file.

    Where the file system can take the beginning of a file away, such as ext4 and XFS, nothing is lost, and the last
    words stay; a line may be divided between both files. Elsewhere what is said between the last read and the cut is
    lost.

    Raises:
        OSError: it cannot be read or written; the log is then as it was.
    """
    if not is_long(log):
        return
    before(log).unlink(missing_ok=True)
    descriptor = os.open(before(log), os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN)
    with log.open("r+b", buffering=0) as file, os.fdopen(descriptor, "wb") as kept:
        # Only whole blocks can be taken away, and never all of a file.
        block = os.fstatvfs(file.fileno()).f_bsize
        whole = (os.fstat(file.fileno()).st_size - 1) // block * block
        _copy(file, kept, whole)
        if not collapse(file.fileno(), whole):
            shutil.copyfileobj(file, kept)
            kept.flush()
            os.truncate(file.fileno(), 0)


def collapse(descriptor: int, length: int) -> bool:
    """Take the first *length* bytes of a file away; return False where its file system cannot do that."""
    with contextlib.suppress(AttributeError, OSError):  # not on every system
        call = ctypes.CDLL(None).fallocate
        call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
        return bool(call(descriptor, _COLLAPSE_RANGE, 0, length) == 0)
    return False


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    """Copy *length* bytes, never all of them in memory."""
    while left := length - target.tell():
        piece = source.read(min(left, _PIECE_BYTES))
        if not piece:  # somebody else has cut it
            return
        target.write(piece)
    target.flush()  # a disk that is full is told before anything is taken away
