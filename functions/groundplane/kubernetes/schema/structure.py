"""Structural validation: types, limits, required and unknown fields, duplicates in lists."""

from __future__ import annotations

import json

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema.limits import BLOCKING, LIMITS, exclusive
from groundplane.kubernetes.schema.metadata import IMPLICIT, metadata_violations
from groundplane.kubernetes.schema.node import Node
from groundplane.kubernetes.schema.violation import Violation, item, kind_of, member, shown, suggestion, unstorable

_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "array": (list, "a list"),
    "boolean": (bool, "a boolean"),
    "integer": (int, "an integer"),
    "number": ((int, float), "a number"),
    "object": (dict, "an object"),
    "string": (str, "a string"),
}


class Structure:
    """One pass over one object.

    Attributes:
        found: What is wrong, in the order of the object.
        blocked: Whether something is so wrong that an API server does not run the rules.
    """

    def __init__(self, hidden: frozenset[str] = frozenset()) -> None:
        """Start a pass that never shows values under the top-level fields *hidden*."""
        self.found: list[Violation] = []
        self.blocked = False
        self._hidden = hidden

    def visit(self, node: Node, value: JSON, path: str) -> None:
        """Add what is wrong with *value*, which stands at *path*, by *node*."""
        if value is None:
            if node.typed and not node.nullable:
                self._block(path, "must not be null; leave the field out instead", "type", _wanted(node))
            return
        wrong = self._wrong_type(node, value, path) or unstorable(value)
        if wrong:
            self._block(path, wrong, "type", _wanted(node), value)
            return
        self._limits(node, value, path)
        if isinstance(value, dict):
            self._object(node, value, path)
        elif isinstance(value, list):
            self._list(node, value, path)
        if node.alternatives:
            self._alternatives(node, value, path)

    def _refuse(self, path: str, message: str, keyword: str = "", limit: JSON = None, value: JSON = None) -> None:
        self.found.append(Violation(path, message, keyword, limit, value))

    def _block(self, path: str, message: str, keyword: str = "", limit: JSON = None, value: JSON = None) -> None:
        self.blocked = True
        self._refuse(path, message, keyword, limit, value)

    def _is_hidden(self, path: str) -> bool:
        return path.partition(".")[0].partition("[")[0] in self._hidden

    def _text(self, node: Node, value: JSON, path: str) -> str:
        if self._is_hidden(path) or node.format == "password":
            return "the value"
        return shown(value)

    def _wrong_type(self, node: Node, value: JSON, path: str) -> str | None:
        if node.int_or_string:
            fits = isinstance(value, int | str) and not isinstance(value, bool)
            return None if fits else f"must be an integer or a string, not {kind_of(value)}"
        if node.type not in _TYPES:
            return None if kind_of(value) in _JSON_KINDS else f"must be JSON, not {kind_of(value)}"
        kinds, name = _TYPES[node.type]
        if isinstance(value, kinds) and isinstance(value, bool) == (node.type == "boolean"):
            return None
        if node.type == "integer" and isinstance(value, float) and value.is_integer():
            return None
        hint = "" if self._is_hidden(path) else _type_hint(node.type, value)
        return f"must be {name}, not {kind_of(value)}{hint}"

    def _limits(self, node: Node, value: JSON, path: str) -> None:
        for keyword, limit in node.raw.items():
            judge = LIMITS.get(keyword)
            if judge is None:
                continue
            wrong = judge(limit, value, self._text(node, value, path))
            if wrong:
                # A text of the wrong format counts as of the wrong type, a number out of range does not.
                stops = isinstance(value, str) if keyword == "format" else keyword in BLOCKING
                self.blocked = self.blocked or stops
                self._refuse(path, wrong, keyword, limit, value)
        excluded = exclusive(node.raw, value)
        if excluded:
            self._refuse(path, *excluded, value, value)

    def _object(self, node: Node, value: dict[JSON, JSON], path: str) -> None:
        for name in node.raw.get("required", ()):
            if name not in value:
                self._block(member(path, name), "is required", "required")
        if node.embedded:
            self._embedded(value, path)
        for name, entry in value.items():
            where = member(path, name)
            if not isinstance(name, str):
                self._block(path, f"names must be strings, not {kind_of(name)}: quote {name}")
                continue
            if unstorable(name):
                self._block(where, f"its name {unstorable(name)}")
            child = node.child(name)
            if child is not None:
                self.visit(child, entry, where)
            elif not _tolerates(node, name):
                self._refuse(where, "unknown field" + suggestion(name, node.names))

    def _embedded(self, value: Manifest, path: str) -> None:
        for name in ("apiVersion", "kind"):
            if not isinstance(value.get(name), str) or not value[name]:
                self._block(member(path, name), "is required", "required")
        self.found += metadata_violations(value.get("metadata", {}), member(path, "metadata"))

    def _list(self, node: Node, value: list[JSON], path: str) -> None:
        if node.items is not None:
            for index, entry in enumerate(value):
                self.visit(node.items, entry, item(path, index))
        if node.list_type != "atomic":
            self._duplicates(node, value, path)

    def _duplicates(self, node: Node, value: list[JSON], path: str) -> None:
        seen: dict[str, int] = {}
        for index, entry in enumerate(value):
            key = _identity(node, entry)
            first = seen.setdefault(key, index)
            if first != index:
                names = " and ".join(node.map_keys)
                what = f"{names} of" if names else "value of"
                limit = [*node.map_keys]
                self._refuse(item(path, index), f"repeats the {what} {item(path, first)}", "duplicate", limit, entry)

    def _alternatives(self, node: Node, value: JSON, path: str) -> None:
        for keyword, branches in node.alternatives.items():
            tries = [self._try(branch, value, path) for branch in branches]
            fitting = sum(not problems for problems in tries)
            if keyword == "allOf":
                self.found += [problem for problems in tries for problem in problems]
            elif keyword == "not":
                if fitting:
                    self._refuse(path, _not_allowed(branches[0]), keyword)
            elif not fitting:
                self._refuse(path, f"fits none of its alternatives: {_reasons(tries)}", keyword, 0, tries)
            elif keyword == "oneOf" and fitting > 1:
                self._refuse(path, _too_many(branches, fitting), keyword, fitting)

    def _try(self, branch: Node, value: JSON, path: str) -> list[Violation]:
        attempt = Structure(self._hidden)
        attempt.visit(branch, value, path)
        return attempt.found


_JSON_KINDS = frozenset({"null", "a boolean", "an integer", "a number", *(name for _, name in _TYPES.values())})


def _tolerates(node: Node, name: str) -> bool:
    return node.branch or node.open or (node.embedded and name in IMPLICIT)


def _wanted(node: Node) -> str:
    return "integer,string" if node.int_or_string else node.type


def _type_hint(wanted: str, value: JSON) -> str:
    if wanted == "string" and isinstance(value, bool | int | float):
        return f'; quote it: "{json.dumps(value)}"'
    if wanted in {"integer", "number"} and isinstance(value, str) and value.strip().isdigit():
        return f"; write it without quotes: {value.strip()}"
    if wanted == "boolean" and value in ("true", "false"):
        return f"; write it without quotes: {value}"
    return ""


def _identity(node: Node, entry: JSON) -> str:
    if node.list_type == "map" and isinstance(entry, dict):
        entry = [entry.get(key) for key in node.map_keys]
    return json.dumps(entry, sort_keys=True, default=str)


def _not_allowed(branch: Node) -> str:
    names = " together with ".join(branch.raw.get("required", ()))
    return f"must not have {names}" if names else "has a form the schema forbids"


def _too_many(branches: tuple[Node, ...], fitting: int) -> str:
    names = [" and ".join(branch.raw.get("required", ())) for branch in branches]
    which = f": choose one of {', '.join(names)}" if all(names) else ""
    return f"fits {fitting} alternatives where exactly one must fit{which}"


def _reasons(tries: list[list[Violation]]) -> str:
    return ", or ".join(" and ".join(str(problem) for problem in problems) for problems in tries)
