"""How a server recovers from an archive, whatever the server had that wrote it."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

START_SEGMENT: Final = re.compile(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)$", re.MULTILINE)
SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
PATIENCE_SECONDS: Final = 30  # a server that was killed is back long before
_PREPARED: Final = re.compile(r"\bmax_prepared_xacts(?: setting:\s+|=)(\d+)")


def recovery(archive: Path, target: datetime | None, prepared: int) -> str:
    """Return the settings under which a server recovers from *archive* up to *target*, or all that there is.

    Without hot standby it asks for no more connections, workers, senders and locks than its own settings give it,
    however many the server had that wrote the log. Prepared transactions it needs room for all the same.
    """
    lines = [
        f'restore_command = \'cp "{_quoted(archive)}/wal/%f" "%p"\'',
        "recovery_target_action = 'promote'",
        "hot_standby = off",
    ]
    if target:
        lines.append(f"recovery_target_time = '{target.isoformat()}'")
    if prepared:
        lines.append(f"max_prepared_transactions = {prepared}")
    return "\n".join(lines) + "\n"


def most_prepared(tools: Path, base: Path, archive: Path) -> int:
    """Return how many transactions could be prepared at most: on the server of *base*, or in the log since then.

    The log is told as far as it can be read: a segment that is missing ends it.
    """
    told = _told(tools / "pg_controldata", "-D", str(base))
    label = START_SEGMENT.search((base / "backup_label").read_text())
    segments = sorted(one for one in (archive / "wal").iterdir() if SEGMENT.fullmatch(one.name))
    if label and (since := [one for one in segments if one.name >= label[1]]):
        told += _told(tools / "pg_waldump", "--rmgr=XLOG", str(since[0]), str(since[-1]))
    return max((int(number) for number in _PREPARED.findall(told)), default=0)


def waiting(data: Path) -> Path:
    """Return the file that tells since when *data* wait for a source that does not answer."""
    return data.with_name(f"{data.name}.waiting")


def waited(data: Path) -> bool:
    """Return whether the source of *data* was waited for long enough, beginning with the first time that this is asked.

    What a source wrote last is in no archive yet. One that never comes back is copied as far as its archive goes.
    """
    note = waiting(data)
    if not note.exists():
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        note.touch()
    return time.time() - note.stat().st_mtime > PATIENCE_SECONDS


def _told(program: Path, *words: str) -> str:
    return subprocess.run([str(program), *words], capture_output=True, text=True, check=False).stdout  # noqa: S603  # Its own tools.


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "''").replace('"', '\\\\"').replace("%", "%%")
