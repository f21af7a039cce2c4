"""What is wrong with an object, in words for the people who wrote it."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from groundplane.core.manifest import JSON

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_LONGEST_SHOWN = 60
_LARGEST = 2**64


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason an API server would refuse an object.

    Attributes:
        field: Where: a dotted path, list items as ``[i]``, keys with dots or slashes as
            ``['a.b']``; empty means the object itself.
        message: What is wrong and, where we know it, what to do; for a CEL rule the rule's
            own message.
        keyword: Which word of the schema is violated, for programs; empty when it is none of
            them, and ``metadata`` for what holds for every object.
        limit: What that word allows.
        value: What stands there; it may be a secret, so that no text shows it.
    """

    field: str
    message: str
    keyword: str = dataclasses.field(default="", compare=False)
    limit: JSON = dataclasses.field(default=None, compare=False, repr=False)
    value: JSON = dataclasses.field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        """Return ``field: message``, or the message alone for the object itself."""
        return f"{self.field}: {self.message}" if self.field else self.message


def member(path: str, key: object) -> str:
    """Return the path of *key* inside the object or map at *path*."""
    name = _printable(str(key))
    if not _PLAIN_KEY.fullmatch(name):
        return f"{path}['{name}']"
    return f"{path}.{name}" if path else name


def unstorable(value: JSON) -> str | None:
    """Return why *value*, though Python holds it, is no JSON; None when it is fine."""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return "is too large a number"
    if isinstance(value, str) and _printable(value) != value:
        return "holds half a surrogate pair, which no text can hold"
    return None


def _printable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def item(path: str, index: int) -> str:
    """Return the path of the item at *index* inside the list at *path*."""
    return f"{path}[{index}]"


def kind_of(value: JSON) -> str:
    """Return what kind of value *value* is, with its article: never the value itself."""
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return f"a value JSON cannot hold ({type(value).__name__})"


# bool comes before int, which it is a kind of in Python.
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (dict, "an object"),
    (list, "a list"),
)


def shown(value: JSON) -> str:
    """Return *value* as JSON, shortened so that a message stays one readable line.

    Of objects and lists only the kind is told: their contents have places of their own.
    """
    if isinstance(value, dict | list):
        return kind_of(value)
    text = _printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" with the name in *known* closest to *name*, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.65)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
