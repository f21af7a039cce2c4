"""Times in the built-in kinds, as a typed server reads them: to the second, or to the microsecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from groundplane.core.manifest import Manifest

#: Where such times are; ``True`` for those to the microsecond.
_PLACES: dict[str, dict[tuple[str, ...], bool]] = {
    "Lease": {("spec", "acquireTime"): True, ("spec", "renewTime"): True},
    "Event": {
        ("eventTime",): True,
        ("series", "lastObservedTime"): True,
        ("firstTimestamp",): False,
        ("lastTimestamp",): False,
        ("deprecatedFirstTimestamp",): False,
        ("deprecatedLastTimestamp",): False,
    },
}
_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_FRACTION = 1 + 6  # the point and the digits of a microsecond
_SECONDS = "2006-01-02T15:04:05Z07:00"
_MICROSECONDS = "2006-01-02T15:04:05.000000Z07:00"


class MomentError(ValueError):
    """A text is no time; the message is that of the real server."""


def written(moment: datetime, *, fine: bool) -> str:
    """Return *moment* as objects write it, in UTC."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds" if fine else "seconds")
    return text.removesuffix("+00:00") + "Z"


def in_utc(manifest: Manifest) -> Manifest:
    """Return *manifest*, of a built-in kind, with its times in UTC.

    Raises:
        MomentError: One cannot be read.
    """
    for place, fine in _PLACES.get(manifest["kind"], {}).items():
        manifest = _replaced(manifest, place, fine=fine)
    return manifest


def _replaced(manifest: Manifest, place: tuple[str, ...], *, fine: bool) -> Manifest:
    first, *rest = place
    value = manifest.get(first)
    if value is None:
        return manifest
    return {**manifest, first: _replaced(value, tuple(rest), fine=fine) if rest else _read(value, fine=fine)}


def _read(text: str, *, fine: bool) -> str:
    form = _MICROSECONDS if fine else _SECONDS
    found = _FORM.fullmatch(text)
    if found is None:
        raise MomentError(f'parsing time "{text}" as "{form}": cannot parse "{text}" as "2006"')
    if fine and len(found[2] or "") != _FRACTION:
        raise MomentError(f'parsing time "{text}" as "{form}": cannot parse "{text[found.end(1) :]}" as ".000000"')
    try:
        return written(datetime.fromisoformat(text), fine=fine)
    except (ValueError, OverflowError):
        raise MomentError(f'parsing time "{text}": out of range') from None
