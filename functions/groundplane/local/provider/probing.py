"""Probes: what one of them says, and what many in a row come to."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.local.host.child_process import complaint
from groundplane.local.host.executables import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

SOON: Final = 0.05  # seconds between two probes until one succeeds; doubled each time
LATER: Final = 1.0
MANY: Final = 60  # failures in a row, about a minute
_SAID_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What one probe says: whether it holds, and if not, why."""

    holds: bool
    said: str = ""


class Patience:
    """What many probes come to: yes as soon as one says so; no, once it was yes, only after several in a row."""

    def __init__(self, *, held: bool) -> None:
        """Begin with what was known before."""
        self.holds = held
        self.known = False
        self.said = ""
        self._failures = 0

    def take(self, answer: Answer, threshold: int) -> None:
        """Take notice of an answer; after *threshold* failures in a row it no longer holds."""
        self.known, self.said = True, answer.said
        self._failures = 0 if answer.holds else self._failures + 1
        if answer.holds or self._failures >= threshold:
            self.holds = answer.holds

    def reset(self) -> None:
        """Forget what was: what is probed begins anew."""
        self.holds, self.known, self.said, self._failures = False, False, "", 0

    @property
    def is_late(self) -> bool:
        """Whether it takes longer than what starts usually does."""
        return float(SOON * 2**self._failures) >= LATER

    def again(self, period: float) -> float:
        """Return the seconds until the next probe, where one that holds is due every *period* seconds.

        What starts is asked all the time. What goes on failing is not: each attempt is work, and a line in a log.
        """
        if self._failures == 0 or self._failures > MANY:
            return period
        if self.holds or self.is_late:
            return min(LATER, period)
        return float(SOON * 2**self._failures)


async def ask(argv: Sequence[str], seconds: float) -> Answer:
    """Return whether *argv* ends with 0 within *seconds*; if not, its last complaint."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        async with asyncio.timeout(seconds):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return Answer(holds=False, said=f"it did not answer within {seconds:g} s")
    if process.returncode == 0:
        return Answer(holds=True)
    words = complaint(said[-_SAID_BYTES:].decode(errors="replace"))
    return Answer(holds=False, said=words or f"it ended with {process.returncode}")
