"""Values of PostgreSQL's settings, read as the server reads them: numbers with units, words for true and false."""

from __future__ import annotations

import math
import re
from typing import Final

_LONG: Final = 2**63  # what C's long does not hold is read as a floating-point number
_TINY: Final = 2.0**-1022  # below it C reports that a number is out of range
_SPACE: Final = " \t\n\v\f\r"
_WHOLE: Final = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_REAL: Final = re.compile(
    r"[+-]?(0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?"
    r"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?)",
    re.IGNORECASE,
)

# How many of the setting's own unit each unit is, the largest first: a part of one is rounded to the next.
_BYTES: Final = (("TB", 2.0**40), ("GB", 2.0**30), ("MB", 2.0**20), ("kB", 2.0**10), ("B", 1.0))
_MILLISECONDS: Final = (
    ("d", 86400000.0),
    ("h", 3600000.0),
    ("min", 60000.0),
    ("s", 1000.0),
    ("ms", 1.0),
    ("us", 0.001),
)
_OWN: Final = {
    "B": (_BYTES, 1.0),
    "kB": (_BYTES, 2.0**10),
    "8kB": (_BYTES, 2.0**13),
    "MB": (_BYTES, 2.0**20),
    "ms": (_MILLISECONDS, 1.0),
    "s": (_MILLISECONDS, 1000.0),
    "min": (_MILLISECONDS, 60000.0),
}


def truth(text: str) -> bool | None:
    """Return what *text* says of a setting that is on or off, or None when it says neither."""
    small = text.lower() if text.isascii() else ""
    if small == "1" or (small and any(word.startswith(small) for word in ("true", "yes"))):
        return True
    if small == "0" or (small and any(word.startswith(small) for word in ("false", "no"))):
        return False
    return {"on": True, "of": False, "off": False}.get(small)


def number(text: str, unit: str, *, whole: bool) -> float | None:
    """Return the number that *text* says, in *unit*, the setting's own; None when it says none.

    A *whole* number is rounded, a half to the even one, as PostgreSQL does.
    """
    read = _whole(text) if whole else _real(text)
    if read is None:
        return None
    value, rest = read
    rest = rest.lstrip(_SPACE)
    if rest:
        converted = _converted(value, rest.rstrip(_SPACE), unit)
        if converted is None:
            return None
        value = converted
    if not whole:
        return value
    return float(round(value)) if math.isfinite(value) else None


def plain(value: float) -> str:
    """Return *value* with as many digits as it has, and without an exponent where that can be."""
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def _whole(text: str) -> tuple[float, str] | None:
    """Return the number that *text* begins with, and what follows: C's strtol, and strtod where there is a fraction."""
    start = text.lstrip(_SPACE)
    found = _WHOLE.match(start)
    rest = start[found.end() :] if found else start
    if found is None or rest[:1] in {".", "e", "E"}:
        return _real(text) if rest[:1] in {".", "e", "E"} or start[1:2] == "." else None
    digits = found[0]
    value = int(digits, _base(digits.lstrip("+-")))
    return (float(value), rest) if -_LONG <= value < _LONG else _real(text)


def _base(digits: str) -> int:
    if digits[:2] in {"0x", "0X"}:
        return 16
    return 8 if digits.startswith("0") else 10


def _real(text: str) -> tuple[float, str] | None:
    start = text.lstrip(_SPACE)
    found = _REAL.match(start)
    if found is None:
        return None
    digits = found[0]
    infinite = "i" in digits.lower()
    try:
        value = float.fromhex(digits) if "x" in digits.lower() else float(digits)
    except OverflowError:
        return None
    spoken = re.search(r"[1-9a-fA-F]", re.split(r"[pP]" if "x" in digits.lower() else r"[eE]", digits)[0])
    vanished = abs(value) < _TINY and spoken is not None
    return None if vanished or (math.isinf(value) and not infinite) else (value, start[found.end() :])


def _converted(value: float, unit: str, own: str) -> float | None:
    """Return *value* of *unit* in *own*; None when one is no measure of the other."""
    scale, divisor = _OWN.get(own, ((), 1.0))
    for place, (name, factor) in enumerate(scale):
        if unit == name:
            result = value * (factor / divisor)
            following = scale[place + 1 : place + 2]
            if not following or not math.isfinite(result):
                return result
            step = following[0][1] / divisor
            steps = result / step
            return (float(round(steps)) if math.isfinite(steps) else steps) * step
    return None
