"""The static check of a schema: faults for which a cluster refuses the definition itself."""

import pytest

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.schema import check_schema
from small_schemas import TEXT, WHOLE, keyed, kind_with, listing, mapping, record


def _faults(schema: Manifest) -> list[str]:
    return check_schema(kind_with(record(v=schema)))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^a", "default": "ab", "description": "x"},
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"x-kubernetes-preserve-unknown-fields": True},
        {**record(a=TEXT), "oneOf": [{"required": ["a"]}, {"not": {"required": ["a"]}}]},
        keyed(record("name", name=TEXT, port={**WHOLE, "default": 80}), "name", "port"),
        {**record("a", a=TEXT, b={**TEXT, "default": "x"}), "default": {"a": "y"}},
        mapping(listing(TEXT, **{"x-kubernetes-list-type": "set"})),
    ],
)
def test_a_good_schema_passes(schema: Manifest) -> None:
    assert _faults(schema) == []


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"description": "x"}, "spec.v: has no type"),
        ({"type": "text"}, "spec.v: text is no type"),
        (
            {"type": "string", "maxLenght": 3},
            "spec.v: maxLenght is no keyword of a structural schema (did you mean maxLength?)",
        ),
        ({"type": "string", "$ref": "#/x"}, "spec.v: $ref is no keyword of a structural schema"),
        (
            {**record(a=TEXT), "additionalProperties": TEXT},
            "spec.v: has properties and additionalProperties, which exclude each other",
        ),
        (
            mapping(False),  # noqa: FBT003  # the value of a keyword
            "spec.v: additionalProperties cannot be false: undeclared fields are dropped anyway",
        ),
        ({"type": "array"}, "spec.v: is a list without items"),
        (listing({}), "spec.v[]: has no type"),
        (mapping({"type": "text"}), "spec.v[key]: text is no type"),
        ({"type": "string", "pattern": "(a"}, "spec.v: the pattern (a cannot be read"),
        (
            {"type": "string", "anyOf": [{"pattern": "(a"}]},
            "spec.v<anyOf[0]>: the pattern (a cannot be read",
        ),
        (
            {"type": "object", "allOf": [{"nullable": True}]},
            "spec.v<allOf[0]>: nullable cannot stand inside allOf, anyOf, oneOf or not",
        ),
        (
            {"type": "object", "allOf": [{"type": "string", "nullable": True}]},
            "spec.v<allOf[0]>: nullable cannot stand inside allOf, anyOf, oneOf or not",
        ),
        (
            {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]},
            "spec.v: is a list without items",
        ),
        (
            {"type": "object", "not": {"type": "object"}},
            "spec.v<not[0]>: type cannot stand inside allOf, anyOf, oneOf or not",
        ),
        (listing(TEXT, **{"x-kubernetes-list-type": "bag"}), "spec.v: bag is no list type"),
        (keyed(record()), "spec.v: a list of type map needs x-kubernetes-list-map-keys"),
        (keyed(record(), "name"), "spec.v: the list key name is no field of its items"),
        (
            keyed(record(name=TEXT), "name"),
            "spec.v: the list key name must be required or have a default",
        ),
        (
            keyed(record("name", name=record()), "name"),
            "spec.v: the list key name must be a scalar, not object",
        ),
        (
            {"type": "string", "enum": ["a"], "default": "b"},
            'spec.v: its default is refused: "b" is not one of a',
        ),
        (
            {**record("a", a=TEXT), "default": {}},
            "spec.v: its default is refused: a: is required",
        ),
    ],
)
def test_a_fault_is_found_and_named_with_its_place(schema: Manifest, fault: str) -> None:
    assert _faults(schema) == [fault]


def test_a_fault_of_the_whole_object_is_named() -> None:
    assert check_schema(kind_with(record(), foo=1)) == ["the object: foo is no keyword of a structural schema"]
