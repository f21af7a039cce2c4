"""First data, backups and restores of a PostgreSQL server: ``python -m groundplane.dataplane.postgresql``.

Every command bears being repeated, and being killed at any moment: what is not finished has another name.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from groundplane.dataplane.recovery import SEGMENT, START_SEGMENT, most_prepared, recovery, waited, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPERUSER: Final = "postgres"
SEGMENT_MEBIBYTES: Final = 1  # a log that is archived every few minutes, on a laptop's disk
SUFFIX: Final = ".tar.gz"
STAMP: Final = "%Y%m%dT%H%M%SZ"
ISO: Final = "%Y-%m-%dT%H:%M:%SZ"
_COMMIT: Final = re.compile(r"desc: COMMIT (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC")
SEGMENTS_READ: Final = 64
ARCHIVE_SECONDS: Final = 20
_SWITCH: Final = "SELECT pg_walfile_name(pg_switch_wal())"
_ISO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class FailedError(click.ClickException):
    """The message is one line, and says what failed."""


class TooEarlyError(FailedError):
    """The message says what is still to come."""

    exit_code = os.EX_TEMPFAIL


@click.group()
def main() -> None:
    """Work on the data of a PostgreSQL server."""


@main.command()
@click.option("--bin", "tools", type=click.Path(path_type=Path), required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
def init(*, tools: Path, data: Path) -> None:
    """Make the first data, unless there are some."""
    if not data.exists():
        fresh = _fresh(data)
        words = ["-D", str(fresh), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"]
        _run(tools / "initdb", *words, "--auth=reject", f"--wal-segsize={SEGMENT_MEBIBYTES}")
        _finish(fresh, data)
    _say(source="new")


@main.command()
@click.option("--bin", "tools", type=click.Path(path_type=Path), required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--archive", type=click.Path(path_type=Path), required=True)
@click.option("--until", default="", help="RFC 3339; the latest that can be had without it.")
@click.option("--archived-within", type=int, default=0, help="Seconds until what was written is archived.")
@click.option("--prepared", type=int, default=0, help="Transactions that may be prepared, at least.")
@click.option("--source-socket", default=None, help="Of the server that is copied; empty while it does not answer.")
@click.option("--source-port", default="", help="Of the server that is copied, while it runs.")
def restore(  # noqa: PLR0913  # What a command is told, by name.
    *,
    tools: Path,
    data: Path,
    archive: Path,
    until: str,
    archived_within: int,
    prepared: int,
    source_socket: str | None,
    source_port: str,
) -> None:
    """Lay down a base backup and say how far to go from it, unless there are data."""
    if not data.exists():
        if source_socket:
            _archive_now(tools, source_socket, source_port, archive)
            archived_within = 0
        elif source_socket is not None and not waited(data):
            raise TooEarlyError("its source does not answer, and may have written more than it has archived")
        target = _moment(until) if until else None
        base = _base_before(archive, target)
        fresh = _fresh(data)
        _unpack(base, fresh)
        _run(tools / "pg_verifybackup", "-q", str(fresh))
        reached = target if target and _reaches(tools, archive, target, archived_within) else None
        most = max(prepared, most_prepared(tools, fresh, archive))
        # Anew: the source's own recovery, if it is a copy itself, lies in its base backups.
        (fresh / "postgresql.auto.conf").write_text(recovery(archive, reached, most))
        (fresh / "recovery.signal").touch()
        fresh.chmod(0o700)
        _finish(fresh, data)
        waiting(data).unlink(missing_ok=True)
    _say(source=archive.name)


@main.command()
@click.option("--bin", "tools", type=click.Path(path_type=Path), required=True)
@click.option("--socket", required=True)
@click.option("--port", required=True)
@click.option("--archive", type=click.Path(path_type=Path), required=True)
@click.option("--scratch", type=click.Path(path_type=Path), required=True, help="Goes with the server.")
@click.option("--keep-days", type=int, required=True)
def backup(*, tools: Path, socket: str, port: str, archive: Path, scratch: Path, keep_days: int) -> None:  # noqa: PLR0913  # What a command is told, by name.
    """Make a base backup, check it, and let go of what is kept no longer."""
    for folder in (archive, archive / "base", archive / "wal"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not in the archive, which stays: what a backup that was killed leaves there would stay with it.
    fresh = _fresh(scratch / "backup")
    words = ["-D", str(fresh), "-h", socket, "-p", port, "-U", SUPERUSER, "--checkpoint=fast", "--wal-method=stream"]
    _run(tools / "pg_basebackup", *words, "--no-password")
    _run(tools / "pg_verifybackup", "-q", str(fresh))
    now = datetime.now(UTC)
    path = archive / "base" / f"{now.strftime(STAMP)}{SUFFIX}"
    _packed(fresh, path, scratch / f"backup{SUFFIX}")
    shutil.rmtree(fresh)
    _let_go(tools, archive, now - timedelta(days=keep_days))
    first, last = _bases(archive)[0], path
    _say(firstRecoverableTime=_taken(first).strftime(ISO), lastSuccessTime=_taken(last).strftime(ISO))


def _let_go(tools: Path, archive: Path, since: datetime) -> None:
    """Remove base backups that no moment from *since* on needs, and the log before the first that stays."""
    bases = _bases(archive)
    needed = [one for one in bases if _taken(one) <= since][-1:]
    kept = needed + [one for one in bases if _taken(one) > since]
    for one in bases:
        if one not in kept:
            one.unlink()
    if segment := _first_segment(kept[0]):
        _run(tools / "pg_archivecleanup", str(archive / "wal"), segment)


def _archive_now(tools: Path, socket: str, port: str, archive: Path) -> None:
    """Return once all that the server has written by now is archived.

    Raises:
        TooEarlyError: it is not within `ARCHIVE_SECONDS`.
    """
    words = ["-X", "-q", "-t", "-A", "-h", socket, "-p", port, "-U", SUPERUSER, "-d", SUPERUSER, "-c"]
    # A commit of its own, so that the log tells how far it goes.
    told = [_run(tools / "psql", *words, query) for query in ("SELECT pg_current_xact_id()", _SWITCH)]
    segment = archive / "wal" / told[1].strip()
    end = time.monotonic() + ARCHIVE_SECONDS
    while not segment.exists():
        if time.monotonic() > end:
            raise TooEarlyError(f"the log is not archived within {ARCHIVE_SECONDS} s")
        time.sleep(0.1)


def _reaches(tools: Path, archive: Path, target: datetime, archived_within: int) -> bool:
    """Return whether the log goes beyond *target*; if not, all that it has is to be brought back.

    Raises:
        TooEarlyError: what was written before *target* may still be on its way.
    """
    last = _last_commit(tools, archive)
    if last is not None and last >= target:
        return True
    if datetime.now(UTC) - target < timedelta(seconds=archived_within):
        raise TooEarlyError(f"the log up to {target.strftime(ISO)} is archived within {archived_within} s")
    return False


def _last_commit(tools: Path, archive: Path) -> datetime | None:
    """Return the time of the last commit in the log, as far as its newest segments tell."""
    segments = sorted(one for one in (archive / "wal").iterdir() if SEGMENT.fullmatch(one.name))
    for segment in reversed(segments[-SEGMENTS_READ:]):
        words = [str(tools / "pg_waldump"), "--rmgr=Transaction", str(segment)]
        told = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"})  # noqa: S603  # Its own tools.
        if found := _COMMIT.findall(told.stdout):
            return datetime.strptime(found[-1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return None


def _first_segment(base: Path) -> str | None:
    with tarfile.open(base) as file:
        label = file.extractfile("./backup_label")
        found = START_SEGMENT.search(label.read().decode()) if label else None
    return found[1] if found else None


def _bases(archive: Path) -> list[Path]:
    return sorted((archive / "base").glob(f"*{SUFFIX}"))


def _base_before(archive: Path, target: datetime | None) -> Path:
    """Return the newest base backup that is complete at *target*.

    Raises:
        FailedError: there is none.
    """
    bases = _bases(archive)
    fitting = [one for one in bases if target is None or _taken(one) <= target]
    if fitting:
        return fitting[-1]
    if not bases:
        raise FailedError(f"there is no backup {archive.name}")
    raise FailedError(f"the first moment that backup {archive.name} can bring back is {_taken(bases[0]).strftime(ISO)}")


def _taken(base: Path) -> datetime:
    return datetime.strptime(base.name.removesuffix(SUFFIX), STAMP).replace(tzinfo=UTC)


def _moment(text: str) -> datetime:
    if not _ISO_TIME.fullmatch(text):
        raise FailedError(f"{text} is not a time such as 2026-11-24T08:00:00Z")
    return datetime.fromisoformat(text)


def _fresh(path: Path) -> Path:
    """Return an empty folder beside *path*, where work begins."""
    fresh = path.with_name(f"{path.name}.unfinished")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700, parents=True)
    return fresh


def _finish(fresh: Path, path: Path) -> None:
    os.sync()
    fresh.replace(path)
    _sync(path.parent)


def _unpack(base: Path, folder: Path) -> None:
    """Lay what *base* holds down in *folder*, and nothing beside it."""
    with tarfile.open(base) as file:
        # Python 3.11 knows the parameter `filter` only since 3.11.4; an attribute an older one ignores.
        file.extraction_filter = getattr(tarfile, "tar_filter", None)
        file.extractall(folder)  # noqa: S202  # Filtered, where Python can; the archive is this plane's own.


def _packed(folder: Path, path: Path, scratch: Path) -> None:
    """Let *path* hold what *folder* does, at once or not at all; *scratch* is what becomes it."""
    with tarfile.open(scratch, mode="w:gz", compresslevel=1) as packed:
        packed.add(folder, arcname=".")
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    try:
        scratch.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:  # somebody keeps backups on another disk than the rest
            raise
        near = path.with_name("unfinished")
        shutil.copyfile(scratch, near)
        with near.open("rb") as file:
            os.fsync(file.fileno())
        near.replace(path)
        scratch.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run(program: Path, *words: str) -> str:
    """Return what *program* printed.

    Raises:
        FailedError: it failed.
    """
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)  # noqa: S603  # Its own tools.
    sys.stderr.write(done.stderr)
    if done.returncode:
        raise FailedError(next(_last_lines(done.stderr), f"{program.name} ended with {done.returncode}"))
    return done.stdout


def _last_lines(text: str) -> Iterator[str]:
    return (line for line in reversed(text.splitlines()) if line.strip())


def _say(**result: str) -> None:
    click.echo(json.dumps(result))


if __name__ == "__main__":
    main()
