"""Expressions of policies: over the object, the one before, the request, parameters, and variables made of these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.cel.policies import NO_FIELDS, Program, RuleError, compiled

VARIABLE: Final = re.compile(r"\bvariables\.([A-Za-z_][A-Za-z0-9_]*)")
_PATCH: Final = "JSONPatch{"
_OPENING, _CLOSING = "[({", "])}"
_TEXTS: Final = r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'"
_TOKEN: Final = re.compile(rf"{_TEXTS}|JSONPatch\s*\{{|[A-Za-z_]\w*\s*:|[A-Za-z_]\w*|.", re.DOTALL)


def text_of(expression: str) -> str:
    """Return *expression* with its patches as maps: the language has no type JSONPatch here."""
    if "JSONPatch" not in expression:
        return expression
    written: list[str] = []
    inside, begins = [""], False  # whether an entry of a patch begins here
    for word in _TOKEN.findall(expression):
        if word.startswith("JSONPatch"):
            inside.append(_PATCH)
            # Its entries are of different types, and so all patches are of the same one.
            written.append('{"": dyn(0), ')
        elif begins and word[-1] == ":":
            written.append(f'"{word[:-1].rstrip()}":')
        else:
            written.append(word)
            if word in _OPENING:
                inside.append(word)
            elif word in _CLOSING and len(inside) > 1:
                inside.pop()
        begins = inside[-1] == _PATCH and (word.startswith("JSONPatch") or word == "," or (begins and word.isspace()))
    return "".join(written)


def program(expression: str, names: tuple[str, ...]) -> Program:
    """Return *expression* compiled; it may use *names*, of ``params`` and ``variables``.

    Raises:
        RuleError: it has a mistake.
    """
    return compiled(text_of(expression), names)


class Scope:
    """What the expressions of one policy may know of one request. A variable is worked out once, when it is needed."""

    def __init__(self, given: Manifest, variables: Mapping[str, str], names: tuple[str, ...]) -> None:
        """Know what is *given*, and how each of *variables* is worked out; *names* as in `program`."""
        self._given = given
        self._expressions = variables
        self._names = names
        self._values: dict[str, JSON] = {}
        self._failed: dict[str, str] = {}

    def value(self, expression: str) -> JSON:
        """Return what *expression* comes to.

        Raises:
            RuleError: it cannot be compiled or worked out; in the API server's words.
        """
        try:
            return self._result(expression)
        except RuleError as error:
            raise RuleError(f"expression '{expression}' resulted in error: {error}") from None

    def _result(self, expression: str) -> JSON:
        for name in VARIABLE.findall(expression):
            self._work_out(name)
        try:
            return program(expression, self._names).run({**self._given, "variables": self._values})
        except RuleError as error:
            raise RuleError(self._told(expression, str(error))) from None

    def _work_out(self, name: str) -> None:
        if name in self._values or name in self._failed or name not in self._expressions:
            return
        try:
            self._values[name] = self._result(self._expressions[name])
        except RuleError as error:
            # An expression that needs it fails for want of it; one whose other half decides goes on.
            self._failed[name] = str(error)

    def _told(self, expression: str, said: str) -> str:
        for name, why in self._failed.items():
            if said == f"no such key: {name}":
                return f'composited variable "{name}" fails to evaluate: {why}'
        if said != NO_FIELDS:
            return said
        absent = "|".join(name for name, value in self._given.items() if value is None)
        found = re.search(rf"\b(?:{absent})\.\??(\w+)", expression) if absent else None
        return f"no such key: {found.group(1)}" if found else "no such key"
