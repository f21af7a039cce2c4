"""An event loop in which time passes only while nothing is left to do."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any


class Clock(selectors.DefaultSelector):
    """Tells a loop's time: where it would wait, the time has passed at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return at once, as if *timeout* seconds had passed."""
        found: list[Any] = super().select(0)
        if not found and timeout is None:
            raise AssertionError("nothing will ever happen again")
        if not found and timeout:
            self.now += timeout
        return found


class Loop(asyncio.SelectorEventLoop):
    """An event loop that never waits."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(self.clock)

    def time(self) -> float:
        """Return how many seconds passed."""
        return self.clock.now


def in_no_time(work: Callable[[], Awaitable[None]]) -> None:
    """Run *work* in a loop that never waits."""

    async def main() -> None:
        await work()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())
