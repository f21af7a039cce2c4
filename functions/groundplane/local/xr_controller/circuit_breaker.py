"""How often changes may wake a composite, so that two writers who disagree do not keep a machine busy."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

BURST: Final = 100.0  # the figures are Crossplane's
REFILL_PER_SECOND: Final = 1.0
OPEN_SECONDS: Final = 300.0
PROBE_SECONDS: Final = 30.0  # while it is open, one change in so long is let through
_REMEMBERED: Final = 16  # so many of the last changes decide whose fault it is


@dataclass(slots=True)
class _Bucket:
    """How much one composite may still be woken."""

    tokens: float
    since: float
    opened: float | None = None
    probed: float = 0.0
    by: str = ""
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


class Breaker:
    """Decides for each composite whether a change may wake it. Times are seconds of any clock that never goes back."""

    def __init__(self) -> None:
        """Let everybody through."""
        self._buckets: dict[object, _Bucket] = {}

    def lets(self, target: object, source: str, now: float, cost: int) -> bool:
        """Count a change of *source*, which costs so much, and return whether it may wake *target*.

        The one that opens the breaker is let through: its reconcile tells that it is open.
        """
        bucket = self._buckets.setdefault(target, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.since) * REFILL_PER_SECOND)
        bucket.since = now
        if bucket.opened is not None and now - bucket.opened >= OPEN_SECONDS:
            bucket.opened = None
            bucket.last.clear()
        bucket.last.extend([source] * cost)
        if bucket.opened is not None:
            if now - bucket.probed < PROBE_SECONDS:
                return False
            bucket.probed = now
        elif bucket.tokens >= cost:
            bucket.tokens -= cost
        else:
            bucket.opened = bucket.probed = now
            ((bucket.by, _),) = Counter(bucket.last).most_common(1)
        return True

    def opened_by(self, target: object, now: float) -> str:
        """Return what woke *target* most before it was no longer woken; empty while it is."""
        bucket = self._buckets.get(target)
        return bucket.by if bucket and bucket.opened is not None and now - bucket.opened < OPEN_SECONDS else ""

    def rest(self, target: object, now: float) -> float | None:
        """Return the seconds after which what was not let through is made good; None while everything is."""
        if not self.opened_by(target, now):
            return None
        bucket = self._buckets[target]
        return min(PROBE_SECONDS, (bucket.opened or 0.0) + OPEN_SECONDS - now)

    def forget(self, target: object) -> None:
        """Forget *target*: another of its name begins anew."""
        self._buckets.pop(target, None)
