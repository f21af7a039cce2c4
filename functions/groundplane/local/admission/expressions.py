"""Expressions of policies: over the object, the one before, the request, parameters, and variables made of these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from groundplane.core.manifest import JSON, Manifest
from groundplane.schema.policy_cel import RuleError, compiled

_VARIABLE: Final = re.compile(r"\bvariables\.([A-Za-z_][A-Za-z0-9_]*)")
#: The language has no type JSONPatch here: a patch is a map with the same entries.
_PATCH: Final = re.compile(r'JSONPatch\{\s*op:\s*("[^"]*"),\s*path:\s*("[^"]*"),\s*value:\s*')


def text_of(expression: str) -> str:
    """Return *expression* with its patches as maps."""
    return _PATCH.sub(r'{"op": \1, "path": \2, "value": ', expression)


class Scope:
    """What the expressions of one policy may know of one request. A variable is worked out once, when it is needed."""

    def __init__(self, given: Manifest, variables: Mapping[str, str]) -> None:
        """Know what is *given*, and how each of *variables* is worked out."""
        self._given = given
        self._expressions = variables
        self._values: dict[str, JSON] = {}
        self._failed: set[str] = set()

    def value(self, expression: str) -> JSON:
        """Return what *expression* comes to.

        Raises:
            RuleError: it cannot be compiled or worked out.
        """
        for name in _VARIABLE.findall(expression):
            self._work_out(name)
        return compiled(text_of(expression)).run({**self._given, "variables": self._values})

    def _work_out(self, name: str) -> None:
        if name in self._values or name in self._failed or name not in self._expressions:
            return
        try:
            self._values[name] = self.value(self._expressions[name])
        except RuleError:
            # An expression that needs it fails for want of it; one whose other half decides goes on.
            self._failed.add(name)
