"""A compiled CEL expression as a tree.

The engine hands out its expressions only in their binary form (``cel.expr.CheckedExpr``), so this
reads the few parts of that format that a static check needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_PRIMITIVES = {1: "boolean", 2: "integer", 3: "unsigned", 4: "number", 5: "string", 6: "bytes"}
_CONSTANTS = {
    2: "boolean",
    3: "integer",
    4: "unsigned",
    5: "number",
    6: "string",
    7: "bytes",
}
_WELL_KNOWN = {2: "time", 3: "duration"}


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, of which only the *kind* is kept."""

    kind: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """``operand.field``, or ``has(operand.field)`` when it is only a *test*."""

    operand: Expression
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator; *target* is what a member function is called on.

    *kind* is the scalar the checker found it to return; empty when that is not known.
    """

    function: str
    target: Expression | None
    arguments: tuple[Expression, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list or map literal: its elements, or its keys and values in turn."""

    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """What ``all``, ``exists``, ``filter``, ``map`` and ``cel.bind`` stand for."""

    variable: str
    over: Expression
    accumulator: str
    start: Expression
    condition: Expression
    step: Expression
    result: Expression


Expression = Constant | Name | Select | Call | Listing | Comprehension
_NOTHING = Constant("null")


def read(checked: bytes) -> Expression:
    """Return the tree of an expression in the engine's binary form."""
    body = _last(checked, 2)
    kinds = dict(_kind_entry(entry) for entry in _all(body, 3))
    return _Reader(kinds).read(_last(body, 4))


@dataclass(frozen=True, slots=True)
class _Reader:
    kinds: dict[int, str]

    def read(self, body: bytes) -> Expression:
        identity = 0
        for field, value in _fields(body):
            if isinstance(value, bytes):
                return self._variant(field, value, identity)
            identity = value
        return _NOTHING

    def _variant(self, field: int, body: bytes, identity: int) -> Expression:
        made: dict[int, Callable[[], Expression]] = {
            3: lambda: _constant(body),
            4: lambda: Name(_text(body, 1)),
            5: lambda: Select(self._part(body, 1), _text(body, 2), bool(_numbers(body, 3))),
            6: lambda: self._call(body, identity),
            7: lambda: Listing(self._parts(body, 1)),
            8: lambda: Listing(tuple(self._entries(body))),
            9: lambda: self._comprehension(body),
        }
        return made[field]()

    def _part(self, body: bytes, field: int) -> Expression:
        parts = self._parts(body, field)
        return parts[-1] if parts else _NOTHING

    def _parts(self, body: bytes, field: int) -> tuple[Expression, ...]:
        return tuple(self.read(part) for part in _all(body, field))

    def _call(self, body: bytes, identity: int) -> Call:
        target = self._parts(body, 1)
        kind = self.kinds.get(identity, "")
        return Call(_text(body, 2), target[0] if target else None, self._parts(body, 3), kind)

    def _entries(self, body: bytes) -> Iterator[Expression]:
        for entry in _all(body, 2):
            yield from self._parts(entry, 3)
            yield from self._parts(entry, 4)

    def _comprehension(self, body: bytes) -> Comprehension:
        return Comprehension(
            variable=_text(body, 1),
            over=self._part(body, 2),
            accumulator=_text(body, 3),
            start=self._part(body, 4),
            condition=self._part(body, 5),
            step=self._part(body, 6),
            result=self._part(body, 7),
        )


def _constant(body: bytes) -> Constant:
    return next((Constant(_CONSTANTS.get(field, "null")) for field, _ in _fields(body)), _NOTHING)


def _kind_entry(entry: bytes) -> tuple[int, str]:
    kind = _last(entry, 2)
    primitive, known = _numbers(kind, 3), _numbers(kind, 5)
    name = _PRIMITIVES.get(primitive[0], "") if primitive else ""
    return sum(_numbers(entry, 1)), name or (_WELL_KNOWN.get(known[0], "") if known else "")


def _text(body: bytes, field: int) -> str:
    return _last(body, field).decode()


def _last(body: bytes, field: int) -> bytes:
    return ([b"", *_all(body, field)])[-1]


def _all(body: bytes, field: int) -> list[bytes]:
    return [value for number, value in _fields(body) if number == field and type(value) is bytes]


def _numbers(body: bytes, field: int) -> list[int]:
    return [value for number, value in _fields(body) if number == field and type(value) is int]


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(body):
        tag, position = _varint(body, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, position = _varint(body, position)
            yield number, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if size is None:
            size, position = _varint(body, position)
        yield number, body[position : position + size]
        position += size


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004  # the top bit says that more follows
            return value, position
