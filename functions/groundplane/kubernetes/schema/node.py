"""One place in a structural schema, read once and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema.violation import member

_ALTERNATIVES = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of ``x-kubernetes-validations``.

    Attributes:
        expression: The CEL expression that must be true.
        message: What the author says when it is not; empty when nothing is said.
        message_expression: A CEL expression that makes the message; empty when there is none.
        field_path: The field to blame, relative to where the rule stands; empty for that place.
        optional_old: Whether ``oldSelf`` is an optional, so that the rule also runs on create.
    """

    expression: str
    message: str
    message_expression: str
    field_path: str
    optional_old: bool

    @property
    def complaint(self) -> str:
        """The message to show when nothing better can be computed."""
        return self.message.strip() or f"failed rule: {self.expression.strip()}"


class Node:
    """One place in a structural schema. Children are read when they are first asked for.

    A *branch* is a schema inside ``allOf``, ``anyOf``, ``oneOf`` or ``not``: it restricts values
    but declares no fields, so it knows nothing about unknown ones.
    """

    __slots__ = (
        "_alternatives",
        "_parts",
        "_properties",
        "_ruled",
        "branch",
        "embedded",
        "format",
        "int_or_string",
        "list_type",
        "map_keys",
        "nullable",
        "preserves",
        "raw",
        "rules",
        "type",
    )

    def __init__(self, raw: Manifest, *, branch: bool = False) -> None:
        self.raw = raw
        self.branch = branch
        self.type: str = raw.get("type", "")
        self.format: str = raw.get("format", "")
        self.nullable = bool(raw.get("nullable"))
        self.int_or_string = bool(raw.get("x-kubernetes-int-or-string"))
        self.preserves = bool(raw.get("x-kubernetes-preserve-unknown-fields"))
        self.embedded = bool(raw.get("x-kubernetes-embedded-resource"))
        self.list_type: str = raw.get("x-kubernetes-list-type", "atomic")
        self.map_keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys", ()))
        self.rules = tuple(map(_rule, raw.get("x-kubernetes-validations", ())))
        self._properties: dict[str, Node] = {}
        self._parts: dict[str, Node] = {}
        self._alternatives: dict[str, tuple[Node, ...]] | None = None
        self._ruled: bool | None = None

    @property
    def names(self) -> Mapping[str, JSON]:
        """The declared fields, by name, as they are written."""
        declared: Mapping[str, JSON] = self.raw.get("properties") or {}
        return declared

    def field(self, name: str) -> Node | None:
        """Return the declared field *name*, or None when there is none."""
        known = self._properties.get(name)
        if known is None and name in self.names:
            raw = self.names[name]
            if self.embedded and name == "metadata":
                # What metadata may hold is the API server's business, not the schema's.
                raw = {**raw, "x-kubernetes-preserve-unknown-fields": True}
            known = self._properties[name] = Node(raw, branch=self.branch)
        return known

    @property
    def values(self) -> Node | None:
        """What every value of a map must be (``additionalProperties``), when that is said."""
        return self._part("additionalProperties")

    @property
    def items(self) -> Node | None:
        """What every item of a list must be, when that is said."""
        return self._part("items")

    def _part(self, keyword: str) -> Node | None:
        known = self._parts.get(keyword)
        if known is None and isinstance(self.raw.get(keyword), dict):
            known = self._parts[keyword] = Node(self.raw[keyword], branch=self.branch)
        return known

    def child(self, name: str) -> Node | None:
        """Return what the value under *name* must be: a declared field, else a map's values."""
        return self.field(name) or self.values

    @property
    def typed(self) -> bool:
        """Whether the type is known; rules cannot read a value of which it is not."""
        return bool(self.type) or self.int_or_string

    @property
    def open(self) -> bool:
        """Whether fields that are not declared are kept."""
        return self.preserves or bool(self.raw.get("additionalProperties"))

    @property
    def alternatives(self) -> Mapping[str, tuple[Node, ...]]:
        """The branches under ``allOf``, ``anyOf``, ``oneOf`` and ``not``, by keyword."""
        if self._alternatives is None:
            raw = {word: self.raw[word] for word in _ALTERNATIVES if self.raw.get(word)}
            if isinstance(self.raw.get("not"), dict):
                raw["not"] = [self.raw["not"]]
            self._alternatives = {word: tuple(Node(part, branch=True) for part in parts) for word, parts in raw.items()}
        return self._alternatives

    @property
    def ruled(self) -> bool:
        """Whether a CEL rule stands here or anywhere below."""
        if self._ruled is None:
            self._ruled = bool(self.rules) or any(part.ruled for part, _ in self.parts(""))
        return self._ruled

    def parts(self, path: str) -> Iterator[tuple[Node, str]]:
        """Yield the declared fields, the values of a map or the items of a list, with their paths.

        *path* is where this place is; a map's values are at ``[key]``, a list's items at ``[]``.
        """
        for name in self.names:
            declared = self.field(name)
            if declared is not None:
                yield declared, member(path, name)
        if self.values is not None:
            yield self.values, f"{path}[key]"
        if self.items is not None:
            yield self.items, f"{path}[]"


def _rule(raw: Manifest) -> Rule:
    return Rule(
        expression=str(raw.get("rule", "")),
        message=str(raw.get("message", "")),
        message_expression=str(raw.get("messageExpression", "")),
        field_path=str(raw.get("fieldPath", "")),
        optional_old=raw.get("optionalOldSelf") is True,
    )
