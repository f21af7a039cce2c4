"""One step of a field path, in the spelling of FieldsV1: `f:name`, `k:{"port":80}`, `v:"blue"`, `i:0`.

The spelling is canonical: two steps are the same exactly when their spellings are. Numbers are equal by value, so that
80 and 80.0 are one spelling.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from groundplane.core.manifest import JSON

_LARGEST_PLAIN = 1e21  # where Go's JSON begins to write an exponent
_SMALLEST_PLAIN = 1e-6
_LARGEST_TOLD = 1e6  # where Go's %v begins to write an exponent
_SMALLEST_TOLD = 1e-4
_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_RANKS = {"f": 0, "k": 1, "v": 2, "i": 3}
#: Where an item stands that lost its key; it is in no claim.
NOWHERE = "?:"
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_ASCII, _ASTRAL = 0x80, 0x10000


class ElementError(ValueError):
    """The message says which step of a field path cannot be read."""


def field(name: str) -> str:
    """Return the step to the field, or the key of a map, *name*."""
    return f"f:{name}"


def key(fields: Mapping[str, JSON]) -> str:
    """Return the step to the item of a list whose key fields are *fields*."""
    inner = ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_written(fields[name])}" for name in sorted(fields))
    return f"k:{{{inner}}}"


def value(scalar: JSON) -> str:
    """Return the step to the item *scalar* of a set."""
    return f"v:{_written(scalar)}"


def field_name(element: str) -> str | None:
    """Return the name in the step to a field, or None when *element* leads to the item of a list."""
    return element[2:] if element.startswith("f:") else None


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """Return the canonical spelling of a step that a client wrote, or None for a kind of step nobody knows.

    Raises:
        ElementError: it is too short, or what it holds cannot be read.
    """
    kind, separator, rest = text[:1], text[1:2], text[2:]
    if separator != ":":
        raise ElementError(f"no step of a field path: {text}")
    if kind not in _RANKS:
        return None
    if kind == "f":
        return text
    held = _read(rest, text)
    if kind == "k":
        if not isinstance(held, dict):
            raise ElementError(f"the key is no object: {text}")
        return key(held)
    if kind == "i" and (not isinstance(held, int) or isinstance(held, bool)):
        raise ElementError(f"the index is no number: {text}")
    return f"i:{held}" if kind == "i" else value(held)


@lru_cache(maxsize=4096)
def order(element: str) -> tuple[int, tuple[JSON, ...]]:
    """Return what sorts *element*: fields by name, then items by key, by value, by index."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return _RANKS[kind], (rest,)
    held = json.loads(rest)
    if kind == "k":
        return _RANKS[kind], tuple((name, _ranked(held[name])) for name in sorted(held))
    return _RANKS[kind], _ranked(held)


def shown(element: str) -> str:
    """Return *element* as the message of a conflict writes it: `.name`, `[port=80]`, `[="blue"]`, `[0]`."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    held = json.loads(rest)
    if kind == "k":
        return f"[{','.join(f'{name}={_told(held[name])}' for name in sorted(held))}]"
    return f"[={_told(held)}]" if kind == "v" else f"[{held}]"


def _read(text: str, whole: str) -> JSON:
    try:
        return json.loads(text)
    except ValueError:
        raise ElementError(f"no JSON in {whole}") from None


def _written(scalar: JSON) -> str:
    """Return *scalar* as Go's JSON writes it inside a path."""
    if isinstance(scalar, str):
        return json.dumps(scalar, ensure_ascii=False).translate(_HTML)
    if isinstance(scalar, float):
        return _number(scalar)
    return json.dumps(scalar, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _number(number: float) -> str:
    plain = number == 0 or _SMALLEST_PLAIN <= abs(number) < _LARGEST_PLAIN
    return format(Decimal(repr(number)).normalize(), "f") if plain else _scientific(number, "d")


def _scientific(number: float, form: str) -> str:
    """Return *number* with the fewest digits and an exponent of the form *form*."""
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    power = len(digits) - 1 + int(exponent)
    return f"{'-' * sign}{first}{'.' * bool(rest)}{rest}e{format(power, f'+{form}')}"


def _ranked(scalar: JSON) -> tuple[int, JSON]:
    """Return what sorts values of all types: numbers, texts, booleans, the rest."""
    if isinstance(scalar, bool):
        return 2, scalar
    if isinstance(scalar, int | float):
        return 0, scalar
    return (1, scalar) if isinstance(scalar, str) else (3, json.dumps(scalar, sort_keys=True))


def _told(scalar: JSON) -> str:
    """Return *scalar* as Go prints it; a number was read from JSON, which makes it a float there."""
    if isinstance(scalar, bool) or scalar is None:
        return json.dumps(scalar)
    if isinstance(scalar, int | float):
        return _float(float(scalar))
    return _quoted(scalar) if isinstance(scalar, str) else json.dumps(scalar)


def _float(number: float) -> str:
    """Return *number* with the fewest digits; from a million on, and below 0.0001, with an exponent."""
    if number == 0 or _SMALLEST_TOLD <= abs(number) < _LARGEST_TOLD:
        return format(Decimal(repr(number)).normalize(), "f")
    return _scientific(number, "03d")


def _quoted(text: str) -> str:
    return f'"{"".join(_ESCAPES.get(char) or _char(char) for char in text)}"'


def _char(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < _ASCII:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _ASTRAL else f"\\U{code:08x}"
