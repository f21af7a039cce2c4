"""Moments: every form of RFC 3339 that the API server accepts, as one point in time."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# The API server takes any character before the fraction; a comma is the other one that ISO 8601 knows.
_FORM = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_MICROSECONDS = 6  # digits of a fraction that a datetime holds


def parse(text: str) -> datetime:
    """Return the moment that *text* names, in UTC, cut to microseconds: never later than it is written.

    Raises:
        ValueError: *text* is no time with a zone, or no calendar has it.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        msg = f"{text!r} is no time such as 2026-11-24T09:00:00Z"
        raise ValueError(msg)
    date, time, fraction, zone = match.groups()
    digits = (fraction or "")[:_MICROSECONDS].ljust(_MICROSECONDS, "0")
    offset = "+00:00" if zone in {"Z", "z"} else zone
    try:
        return datetime.fromisoformat(f"{date}T{time}.{digits}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        msg = f"{text!r} is in no calendar"
        raise ValueError(msg) from None


def written(moment: datetime) -> str:
    """Return *moment* in UTC as RFC 3339, without a fraction where there is none."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(len("2026-11-24T09:00:00"), "0")
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def known(text: str) -> datetime | None:
    """Return the moment that *text* names, or None when it names none, as a field that others write may."""
    try:
        return parse(text)
    except ValueError:
        return None
