"""One child process, that outlives us and is found again: by its number and the moment it began."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from groundplane.local.host.executables import environment, unprivileged
from groundplane.local.host.private_files import OWN, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECORD: Final = "process"
STOP: Final = "stop"
POLL_SECONDS: Final = 0.5
_SAID: Final = re.compile(r"\b(LOG|HINT|DETAIL|WARNING|FATAL|PANIC|ERROR|Error): .*")
_PLAIN: Final = re.compile(r"\berror: .*")  # after the name of a program, and of its file
_COMPLAINT: Final = re.compile(r"(FATAL|PANIC|ERROR|Error): ")
MESSAGE: Final = 300  # characters
# The child writes its own record before it becomes the program, so that there is none without.
_LAUNCH: Final = """\
umask 077
echo $$ "$(cut -d" " -f22 /proc/$$/stat 2>/dev/null)" >"$0.new" && mv "$0.new" "$0" && exec "$@"
"""


@dataclass(slots=True)
class Child:
    """A process that runs, or ran."""

    pid: int
    popen: subprocess.Popen[bytes] | None = None  # None when it was adopted

    def alive(self) -> bool:
        """Whether it still runs."""
        if self.popen is not None:
            return self.popen.poll() is None
        return _alive(self.pid)

    def code(self) -> int | None:
        """Return its exit code; None when that is not known."""
        return self.popen.poll() if self.popen else None

    def send(self, number: int, *, group: bool = False) -> None:
        """Send a signal to it, or to everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number) if group else os.kill(self.pid, number)

    async def ended(self) -> None:
        """Return once it has ended."""
        while self.alive():
            await _news(self.pid)

    async def kill(self) -> None:
        """Kill it with all it started, and return once it has ended."""
        self.send(signal.SIGKILL, group=True)
        await self.ended()

    async def stop(self, number: int, seconds: float) -> None:
        """Ask it to end, and kill it with all it started when it does not within *seconds*."""
        self.send(number)
        try:
            async with asyncio.timeout(seconds):
                await self.ended()
        except TimeoutError:
            await self.kill()


def start(folder: Path, argv: Sequence[str], log: Path, output: Path | None = None) -> Child:
    """Start a program whose record lies in *folder*; what it says goes to *log*, or its results to *output*.

    Raises:
        ProgramError: it would run as root.
        OSError: it cannot be started.
    """
    words = ("sh", "-c", _LAUNCH, str(folder / RECORD), *unprivileged(), *argv)
    with _opened(log, os.O_APPEND) as said, _opened(output or log, os.O_TRUNC if output else os.O_APPEND) as results:
        popen = subprocess.Popen(  # noqa: S603  # What a Process says is run: that is what it is for.
            words, stdin=subprocess.DEVNULL, stdout=results, stderr=said, env=environment(), start_new_session=True
        )
    return Child(popen.pid, popen)


def adopt(folder: Path) -> Child | None:
    """Return the child whose record lies in *folder*, if it still runs; another process of its number is none."""
    try:
        pid, began = [*(folder / RECORD).read_text().split(), ""][:2]
    except (OSError, ValueError):
        return None
    if not _alive(int(pid)) or not _same(int(pid), began, folder / RECORD):
        return None
    return Child(int(pid))


def forget(folder: Path) -> None:
    """Remove the record of a child that has ended."""
    (folder / RECORD).unlink(missing_ok=True)


def remember(folder: Path, number: int, seconds: float) -> None:
    """Say in *folder* how the child there is to be ended, for who finds it when nobody looks after it any more."""
    write(folder / STOP, f"{int(number)} {seconds}")


async def end(folder: Path) -> bool:
    """End the child whose record lies in *folder*, as was remembered; return whether there was one."""
    found = adopt(folder)
    if found is None:
        return False
    try:
        number, seconds = (folder / STOP).read_text().split()
    except (OSError, ValueError):
        number, seconds = str(int(signal.SIGTERM)), "10"
    await found.stop(int(number), float(seconds))
    forget(folder)
    return True


def last_words(log: Path) -> str:
    """Return the last complaint in *log* and what was said right before it, else its last line.

    They are without times, and short: they go into a condition.
    """
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        return complaint(file.read().decode(errors="replace"))


def complaint(text: str) -> str:
    """Return the last complaint in *text* and what was said right before it, else its last line, without times."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [found[0] if (found := _SAID.search(line) or _PLAIN.search(line)) else line for line in lines]
    last = max((number for number, line in enumerate(said) if _COMPLAINT.match(line)), default=len(said) - 1)
    return "; ".join(said[max(0, last - 1) : last + 1])[:MESSAGE]


@contextlib.contextmanager
def _opened(path: Path, how: int) -> Iterator[int]:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | how, OWN)
    try:
        yield number
    finally:
        os.close(number)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _same(pid: int, began: str, record: Path) -> bool:
    if not began:  # No /proc here: it cannot have begun after its own record.
        return bool(psutil.Process(pid).create_time() <= record.stat().st_mtime + 1)
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19] == began
    return False


async def _news(pid: int) -> None:
    """Return when *pid* may have ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        await asyncio.sleep(POLL_SECONDS)
        return
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    await asyncio.sleep(0)
