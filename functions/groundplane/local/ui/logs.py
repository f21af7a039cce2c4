"""The logs of programs, piece by piece, as the page asks for them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from groundplane.core.manifest import JSON
from groundplane.local.ui.proxy import Refusal

PIECE_BYTES: Final = 64 * 1024
_KINDS: Final = ("process", "task")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def read(folder: Path, asked: Mapping[str, str]) -> dict[str, JSON]:
    """Return a piece of a log below *folder*, of whole lines where it has any.

    Args:
        folder: Where the logs of all namespaces are.
        asked: ``namespace``, ``kind`` and ``name``; ``after`` is the byte to go on from, without it the last piece.

    Returns:
        ``text``, ``after`` to go on from, and whether the text goes on where ``after`` was.

    Raises:
        Refusal: it cannot be asked for like this.
    """
    kind, namespace, name = (asked.get(key, "") for key in ("kind", "namespace", "name"))
    after = asked.get("after", "")
    if kind not in _KINDS or not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise Refusal(400, "BadRequest", "kind is process or task, namespace and name are names")
    if after and not (after.isascii() and after.isdigit() and len(after) < 16):  # noqa: PLR2004  # a petabyte
        raise Refusal(400, "BadRequest", "after is a number of bytes")
    # Both are single names without a slash, and neither begins with a dot; links are not followed.
    path = folder / namespace / f"{kind}-{name}.log"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {"text": "", "after": 0, "goesOn": False}  # it has said nothing yet
    with os.fdopen(descriptor, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        begin, goes_on = _begin(after, size)
        file.seek(begin)
        piece = file.read(PIECE_BYTES)
    whole, _, rest = piece.rpartition(b"\n")
    if rest != piece:
        piece = whole + b"\n"
    # The last piece of a long log begins in the middle of a line.
    shown = piece.partition(b"\n")[2] if begin and not goes_on else piece
    return {"text": shown.decode(errors="replace"), "after": begin + len(piece), "goesOn": goes_on}


def _begin(after: str, size: int) -> tuple[int, bool]:
    # A log that became shorter was begun anew.
    if after and int(after) <= size:
        return int(after), True
    return max(0, size - PIECE_BYTES), False
