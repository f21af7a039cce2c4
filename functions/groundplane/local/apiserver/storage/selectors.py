"""Label and field selectors: which objects a list or a watch is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.status_errors import bad_request
from groundplane.local.apiserver.storage.records import written

_TOKENS = re.compile(r"\s*(==|!=|=|!|<|>|\(|\)|,|[^\s=!<>(),]+)")
_WORDS = ("in", "notin")
_OPERATORS = ("=", "==", "!=", "in", "notin")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition: *key*, and how its value relates to *values*; without an operator the key must be there."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Return whether *value*, None where the key is absent, fulfils it."""
        match self.operator:
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "in" | "=" | "==":
                return value is not None and value in self.values
            case "<" | ">":
                return value is not None and _compared(self.operator, value, self.values[0])
            case _:
                return value is None or value not in self.values


def _compared(operator: str, value: str, limit: str) -> bool:
    if not (value.lstrip("-").isdigit() and limit.lstrip("-").isdigit()):
        return False
    return int(value) < int(limit) if operator == "<" else int(value) > int(limit)


@dataclass(frozen=True, slots=True)
class Selector:
    """What an object must be for a list or watch to show it."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, labels: str, fields: str, selectable: Iterable[str] = (), *, plain: bool = False) -> Selector:
        """Return the selector that *labels* and *fields* write.

        Args:
            labels: As in ``labelSelector``.
            fields: As in ``fieldSelector``.
            selectable: Fields besides name and namespace that may be asked for.
            plain: Whether it is a built-in kind that has none, which the real server tells in other words.

        Raises:
            StatusError: One of them cannot be read, or asks for another field.
        """
        known = {"metadata.name", "metadata.namespace", *selectable}
        found = tuple(_field(part) for part in _split(fields))
        for one in found:
            if one.key not in known:
                raise bad_request(_unknown(one.key, plain=plain))
        return cls(tuple(_Labels(labels).parsed()), found)

    def __bool__(self) -> bool:
        """Return whether anything is asked at all."""
        return bool(self.labels or self.fields)

    def text(self) -> str:
        """Return a text without which no stored object is meant: a label as it is stored; empty when none is known."""
        wanted = (one for one in self.labels if one.operator in {"=", "=="})
        return next((written({one.key: one.values[0]})[1:-1] for one in wanted), "")

    def selects(self, manifest: Manifest) -> bool:
        """Return whether *manifest* is meant."""
        labels = at(manifest, "metadata", "labels") or {}
        return all(one.holds(labels.get(one.key)) for one in self.labels) and all(
            one.holds(_text(at(manifest, *_path(one.key)))) for one in self.fields
        )


def _unknown(key: str, *, plain: bool) -> str:
    if plain:
        return f'"{key}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    return f"field label not supported: {key}"


def _path(key: str) -> list[str]:
    return ["source", "component"] if key == "source" else key.split(".")


def _text(value: JSON) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _split(text: str) -> list[str]:
    return [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text) if part]


def _field(part: str) -> Requirement:
    for operator in ("!=", "==", "="):
        key, found, value = part.partition(operator)
        if found:
            return Requirement(key, operator, (re.sub(r"\\(.)", r"\1", value),))
    raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")


class _Labels:
    """Reads one label selector."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKENS.findall(text)

    def parsed(self) -> list[Requirement]:
        found = []
        while self._tokens:
            found.append(self._requirement())
            if self._tokens:
                self._expect(",", "',' or 'end of string'")
                if not self._tokens:
                    raise _unreadable("", "identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            return Requirement(self._identifier(), "!")
        key = self._identifier()
        operator = self._peek()
        if operator in ("", ","):
            return Requirement(key, "exists")
        self._take()
        if operator in _WORDS:
            return Requirement(key, operator, self._values())
        if operator in ("=", "==", "!="):
            return Requirement(key, operator, (self._value(),))
        if operator in ("<", ">"):
            return Requirement(key, operator, (self._identifier(),))
        raise _unreadable(operator, ", ".join(f"{one!r}" for one in (*_OPERATORS, "<", ">")))

    def _values(self) -> tuple[str, ...]:
        if (token := self._take()) != "(":  # told without a comma, there alone
            raise bad_request(f"unable to parse requirement: found '{token}' expected: '('")
        values = [self._value()]
        while self._peek() == ",":
            self._take()
            values.append(self._value())
        self._expect(")", "',' or ')'")
        return tuple(values)

    def _value(self) -> str:
        return "" if self._peek() in ("", ",", ")") else self._identifier()

    def _identifier(self) -> str:
        token = self._take()
        if not token or token in ("=", "==", "!=", "!", "(", ")", ",", "<", ">"):
            raise _unreadable(token, "identifier")
        return token

    def _expect(self, wanted: str, words: str) -> None:
        token = self._take()
        if token != wanted:
            raise _unreadable(token, words)

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""


def _unreadable(found: str, expected: str) -> Exception:
    return bad_request(f"unable to parse requirement: found '{found}', expected: {expected}")
