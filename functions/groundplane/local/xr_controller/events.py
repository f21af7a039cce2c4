"""Events about composites, as many as Kubernetes' own clients would write of one object, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from groundplane.core.manifest import Manifest
from groundplane.local.xr_controller.writer import Writer

BURST: Final = 25.0  # the figures are those of Kubernetes' clients
REFILL_PER_SECOND: Final = 1 / 300


class Teller:
    """Records events, and falls silent about an object of which too much is to be told."""

    def __init__(self, writer: Writer, clock: Callable[[], float]) -> None:
        """Record through *writer*; *clock* tells seconds and never goes back."""
        self._writer = writer
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # by uid: how many, and since when

    def tell(self, about: Manifest, kind: str, reason: str, message: str) -> None:
        """Record an event of *kind* (Normal, Warning) about an object."""
        uid, now = about["metadata"]["uid"], self._clock()
        left, since = self._left.get(uid, (BURST, now))
        left = min(BURST, left + (now - since) * REFILL_PER_SECOND)
        if left >= 1:
            left -= 1
            self._writer.tell(about, kind, reason, message)
        self._left[uid] = (left, now)
