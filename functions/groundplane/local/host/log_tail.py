"""A log that is read while programs write to it, and while its beginning is taken off."""

from __future__ import annotations

import contextlib
import os
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from groundplane.local.host import log_rotation

_LAST_BYTES: Final = 256 * 1024


class Growing:
    """Whole lines of one log, each once; the log need not be there yet."""

    def __init__(self, path: Path) -> None:
        """Begin at the beginning of *path*."""
        self.path = path
        self._at = 0
        self._half = b""

    def last(self, count: int, *, half: bool = False) -> list[str]:
        """Skip what is there, and return its last *count* lines, of those near its end.

        Args:
            count: Of lines.
            half: Whether a line that has not ended is one.

        Raises:
            OSError: it cannot be read.
        """
        with self._opened() as file:
            self._at = begin = max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES)
        lines = self.more()
        if begin:
            del lines[:1]  # its beginning was skipped
        if half and self._half:
            lines.append(self._half.decode(errors="replace"))
        return lines[-count:] if count else []

    def more(self) -> list[str]:
        """Return the lines that were written since the last look.

        Raises:
            OSError: it cannot be read.
        """
        with self._opened() as file:
            missed = self._missed() if file.seek(0, os.SEEK_END) < self._at else b""
            file.seek(self._at)
            piece = file.read()
        self._at += len(piece)
        *lines, self._half = (self._half + missed + piece).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _missed(self) -> bytes:
        """Return what was taken off before it was read, and go on where that is now."""
        missed, taken = b"", self._at
        with contextlib.suppress(FileNotFoundError), log_rotation.before(self.path).open("rb") as file:
            taken = file.seek(0, os.SEEK_END)
            file.seek(self._at)
            missed = file.read()
        self._at = max(0, self._at - taken)
        return missed

    def _opened(self) -> BinaryIO:
        return self.path.open("rb") if self.path.exists() else BytesIO()
