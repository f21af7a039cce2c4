"""Lists that hold no duplicates, alternatives, whole objects inside objects, and formats."""

import pytest

from groundplane.core.manifest import JSON, Manifest
from small_schemas import TEXT, complaints, keyed, listing, record

_SET = {"x-kubernetes-list-type": "set"}


def test_a_set_refuses_a_value_twice() -> None:
    schema = record(v=listing(TEXT, **_SET))
    assert complaints(schema, {"v": ["a", "b"]}) == []
    assert complaints(schema, {"v": ["a", "b", "a"]}) == ["spec.v[2]: repeats the value of spec.v[0]"]


def test_a_keyed_list_refuses_the_same_key_twice() -> None:
    schema = record(v=keyed(record(name=TEXT, port=TEXT, x=TEXT), "name", "port"))
    first = {"name": "a", "port": "1", "x": "1"}
    assert complaints(schema, {"v": [first, {**first, "port": "2"}]}) == []
    assert complaints(schema, {"v": [first, {**first, "x": "2"}]}) == [
        "spec.v[1]: repeats the name and port of spec.v[0]"
    ]


def test_objects_in_a_set_are_compared_as_a_whole() -> None:
    schema = record(v=listing(record(a=TEXT, b=TEXT), **_SET))
    assert complaints(schema, {"v": [{"a": "x"}, {"a": "y"}]}) == []
    assert complaints(schema, {"v": [{"a": "x", "b": "y"}, {"b": "y", "a": "x"}]}) == [
        "spec.v[1]: repeats the value of spec.v[0]"
    ]


def test_an_item_of_the_wrong_type_in_a_keyed_list_is_told_as_such() -> None:
    schema = record(v=keyed(record(name=TEXT), "name"))
    assert complaints(schema, {"v": ["text"]}) == ["spec.v[0]: must be an object, not a string"]


def test_an_ordinary_list_may_repeat() -> None:
    assert complaints(record(v=listing(TEXT)), {"v": ["a", "a"]}) == []


_A_OR_B = [{"required": ["a"]}, {"required": ["b"]}]


@pytest.mark.parametrize(
    ("alternatives", "spec", "complaint"),
    [
        ({"oneOf": _A_OR_B}, {"a": ""}, None),
        (
            {"oneOf": _A_OR_B},
            {"a": "", "b": ""},
            "fits 2 alternatives where exactly one must fit: choose one of a, b",
        ),
        (
            {"oneOf": _A_OR_B},
            {},
            "fits none of its alternatives: spec.a: is required, or spec.b: is required",
        ),
        (
            {"oneOf": [{"required": ["a"]}, {"minProperties": 1}]},
            {"a": ""},
            "fits 2 alternatives where exactly one must fit",
        ),
        ({"anyOf": _A_OR_B}, {"a": "", "b": ""}, None),
        (
            {"anyOf": _A_OR_B},
            {},
            "fits none of its alternatives: spec.a: is required, or spec.b: is required",
        ),
        ({"not": {"required": ["a", "b"]}}, {"a": ""}, None),
        ({"not": {"required": ["a", "b"]}}, {"a": "", "b": ""}, "must not have a together with b"),
        ({"not": {"minProperties": 1}}, {"a": ""}, "has a form the schema forbids"),
    ],
)
def test_alternatives_admit_what_fits_and_explain_what_does_not(
    alternatives: Manifest, spec: JSON, complaint: str | None
) -> None:
    schema = {**record(a=TEXT, b=TEXT), **alternatives}
    assert complaints(schema, spec) == ([f"spec: {complaint}"] if complaint else [])


def test_all_of_names_the_very_field() -> None:
    schema = {**record(a=TEXT), "allOf": [{"properties": {"a": {"minLength": 2}}}]}
    assert complaints(schema, {"a": "x"}) == ["spec.a: needs at least 2 characters, not 1"]


def test_an_embedded_object_needs_its_identity() -> None:
    whole = {"type": "object", "x-kubernetes-embedded-resource": True}
    schema = record(v={**whole, "x-kubernetes-preserve-unknown-fields": True})
    named = {"apiVersion": "v1", "kind": "X", "metadata": {"labels": {"a": "b"}}, "spec": {}}
    assert complaints(schema, {"v": named}) == []
    assert complaints(schema, {"v": {"kind": ""}}) == [
        "spec.v.apiVersion: is required",
        "spec.v.kind: is required",
    ]
    assert complaints(schema, {"v": {**named, "metadata": {"labels": {"a": 1}}}}) == [
        "spec.v.metadata.labels.a: must be a string, not an integer; quote it"
    ]


def test_an_embedded_object_still_refuses_unknown_fields() -> None:
    schema = record(v={"type": "object", "x-kubernetes-embedded-resource": True})
    whole = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}}
    assert complaints(schema, {"v": {**whole, "sepc": {}}}) == ["spec.v.sepc: unknown field"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("byte", "aGVsbG8=", "hello!"),
        ("cidr", "10.0.0.0/16", "10.0.0.0"),
        ("cidr", "fd00::/8", "10.0.0.0/33"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-11-24T08:59:00Z", "2026-11-24 08:59"),
        ("date-time", "2026-11-24T08:59:00.5+01:00", "2026-11-24T25:00:00Z"),
        ("date-time", "2026-11-24t08:59:00z", "2026-11-24T08:59:00"),
        ("date-time", "2026-11-24T08:59:00Z", "2026-13-24T08:59:00Z"),
        ("duration", "1h30m", "1 fortnight"),
        ("duration", "-1.5h", "1.5 days"),
        ("duration", "3 days", "h"),
        ("uri", "/path", "path"),
        ("email", "a@example.org", "example.org"),
        ("hostname", "db.example.org", "-db"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "fd00::1", "10.0.0.1"),
        ("mac", "00:1b:63:84:45:e6", "00:1b:63"),
        ("uri", "s3://bucket/path", "no scheme"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
    ],
)
def test_a_format_that_kubernetes_enforces_is_enforced(name: str, good: str, bad: str) -> None:
    schema = record(v={"type": "string", "format": name})
    assert complaints(schema, {"v": good}) == []
    (said,) = complaints(schema, {"v": bad})
    assert said.startswith(f'spec.v: "{bad}" is not ')


def test_a_format_people_forget_comes_with_an_example() -> None:
    schema = record(v={"type": "string", "format": "date-time"})
    assert complaints(schema, {"v": "yesterday"}) == [
        'spec.v: "yesterday" is not a date-time, such as "2026-01-31T08:00:00Z"'
    ]


def test_a_format_that_kubernetes_ignores_is_ignored() -> None:
    assert complaints(record(v={"type": "string", "format": "colour"}), {"v": "?"}) == []
