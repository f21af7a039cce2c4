"""Who computes now. There is one event loop for all reconciles and for whoever asks the plane something."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self


class Turn:
    """One of many that compute one after the other, so that between any two of them others are answered."""

    def __init__(self, lock: asyncio.Lock) -> None:
        """Take turns with all others of *lock*."""
        self._lock = lock
        self._held = False

    async def __aenter__(self) -> Self:
        """Wait for the turn."""
        await self._take()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the next one compute."""
        self._give()

    async def _take(self) -> None:
        await self._lock.acquire()
        self._held = True

    def _give(self) -> None:
        if self._held:
            self._held = False
            # Not at once: who is ready in the same round of the loop would compute before anybody is answered.
            asyncio.get_running_loop().call_soon(self._lock.release)

    @contextlib.asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Let others compute inside, while something is waited for."""
        self._give()
        try:
            yield
        finally:
            await self._take()
