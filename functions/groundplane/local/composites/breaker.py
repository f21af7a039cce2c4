"""How often changes may wake a composite, so that two writers who disagree do not keep a machine busy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BURST: Final = 100.0  # the figures are Crossplane's
REFILL_PER_SECOND: Final = 1.0
COST: Final = 2.0  # of one change: Crossplane counts an update twice
OPEN_SECONDS: Final = 300.0
PROBE_SECONDS: Final = 30.0  # while it is open, one change in so long is let through


@dataclass(slots=True)
class _Bucket:
    """How much one composite may still be woken."""

    tokens: float
    since: float
    opened: float | None = None
    probed: float = 0.0
    by: Counter[str] = field(default_factory=Counter)


class Breaker:
    """Decides for each composite whether a change may wake it. Times are seconds of any clock that never goes back."""

    def __init__(self) -> None:
        """Let everybody through."""
        self._buckets: dict[object, _Bucket] = {}

    def lets(self, target: object, source: str, now: float) -> bool:
        """Count a change of *source*, and return whether it may wake *target*."""
        bucket = self._buckets.setdefault(target, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.since) * REFILL_PER_SECOND)
        bucket.since = now
        bucket.by[source] += 1
        if bucket.opened is not None:
            return self._probes(bucket, now)
        bucket.tokens -= COST
        if bucket.tokens < 0:
            bucket.opened, bucket.probed, bucket.tokens = now, now, 0.0
            return False
        return True

    def _probes(self, bucket: _Bucket, now: float) -> bool:
        if now - (bucket.opened or 0.0) >= OPEN_SECONDS:
            bucket.opened, bucket.tokens = None, BURST - COST
            bucket.by.clear()
            return True
        if now - bucket.probed >= PROBE_SECONDS:
            bucket.probed = now
            return True
        return False

    def opened_by(self, target: object) -> str:
        """Return what woke *target* most before it was no longer woken; empty while it is."""
        bucket = self._buckets.get(target)
        return bucket.by.most_common(1)[0][0] if bucket and bucket.opened is not None and bucket.by else ""

    def forget(self, target: object) -> None:
        """Forget *target*: another of its name begins anew."""
        self._buckets.pop(target, None)
