"""Whether an API server would take a schema at all: is it structural, and does it make sense?"""

from __future__ import annotations

from collections.abc import Iterator

from groundplane.kubernetes.cel.engine import matches
from groundplane.kubernetes.schema.defaults import defaulted
from groundplane.kubernetes.schema.node import Node
from groundplane.kubernetes.schema.registry import KindSchema
from groundplane.kubernetes.schema.structure import Structure
from groundplane.kubernetes.schema.violation import item, suggestion

_VALUES = frozenset(
    {
        *("enum", "format", "pattern", "required", "title"),
        *("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"),
        *("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"),
        *("allOf", "anyOf", "oneOf", "not", "items", "properties"),
    }
)
_STRUCTURE = frozenset(
    {
        *("additionalProperties", "default", "description", "example", "externalDocs"),
        *("nullable", "type"),
        *("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
        *("x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type"),
        *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations"),
    }
)
_SCALARS = frozenset({"boolean", "integer", "number", "string"})


def check_schema(kind: KindSchema) -> list[str]:
    """Return why an API server would refuse the definition of *kind*; empty when it would not.

    This covers what makes a schema structural, defaults that break their own schema, patterns
    that cannot be read and keys of lists. What rules say is the business of ``check_rules``.
    """
    return [f"{path or 'the object'}: {fault}" for node, path in _places(kind.root, "") for fault in _faults(node)]


def _places(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    yield node, path
    for part, where in node.parts(path):
        yield from _places(part, where)
    for word, branches in node.alternatives.items():
        for index, branch in enumerate(branches):
            yield from _places(branch, f"{path}<{item(word, index)}>")


def _faults(node: Node) -> Iterator[str]:
    yield from _keywords(node)
    if not node.branch:
        yield from _type(node)
        yield from _list(node)
        yield from _default(node)
    pattern = node.raw.get("pattern")
    if pattern and matches("", pattern) is None:
        yield f"the pattern {pattern} cannot be read"


def _keywords(node: Node) -> Iterator[str]:
    known = _VALUES if node.branch else _VALUES | _STRUCTURE
    for word in node.raw:
        if word in known or _is_number_or_text(node, word):
            continue
        if word in _STRUCTURE:
            yield f"{word} cannot stand inside allOf, anyOf, oneOf or not"
        else:
            yield f"{word} is no keyword of a structural schema{suggestion(word, known)}"


def _is_number_or_text(node: Node, word: str) -> bool:
    # The one type that an alternative may name: the two halves of int-or-string.
    return word == "type" and node.type in {"integer", "string"}


def _type(node: Node) -> Iterator[str]:
    if not (node.typed or node.preserves):
        yield "has no type"
    if node.type not in {"", "array", "object", *_SCALARS}:
        yield f"{node.type} is no type"
    if node.names and node.raw.get("additionalProperties"):
        yield "has properties and additionalProperties, which exclude each other"
    if node.raw.get("additionalProperties") is False:
        yield "additionalProperties cannot be false: undeclared fields are dropped anyway"
    if node.type == "array" and node.items is None:
        yield "is a list without items"


def _list(node: Node) -> Iterator[str]:
    if node.list_type not in {"atomic", "map", "set"}:
        yield f"{node.list_type} is no list type"
    items = node.items
    if node.list_type != "map" or items is None:
        return
    if not node.map_keys:
        yield "a list of type map needs x-kubernetes-list-map-keys"
    for key in node.map_keys:
        field = items.field(key)
        if field is None:
            yield f"the list key {key} is no field of its items"
        elif key not in items.raw.get("required", ()) and "default" not in field.raw:
            yield f"the list key {key} must be required or have a default"
        elif field.type not in _SCALARS:
            yield f"the list key {key} must be a scalar, not {field.type}"


def _default(node: Node) -> Iterator[str]:
    if "default" not in node.raw:
        return
    check = Structure()
    check.visit(node, defaulted(node.raw["default"], node), "")
    for violation in check.found:
        yield f"its default is refused: {violation}"
