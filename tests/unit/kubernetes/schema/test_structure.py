"""Types, limits and required and unknown fields, with messages an application team can act on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundplane.core.manifest import JSON, Manifest
from small_schemas import TEXT, WHOLE, complaints, kind_with, lines, listing, mapping, record, ruled, thing


def test_an_unknown_field_is_named_with_its_path_and_its_likely_name() -> None:
    schema = record(storage=record(size=TEXT))
    assert complaints(schema, {"storage": {"sise": "1Gi"}}) == ["spec.storage.sise: unknown field (did you mean size?)"]


def test_an_unknown_field_like_no_other_is_named_without_a_guess() -> None:
    assert complaints(record(size=TEXT), {"colour": "red"}) == ["spec.colour: unknown field"]


def test_an_unknown_field_beside_spec_is_refused() -> None:
    kind = kind_with(record())
    assert lines(kind.validate(thing({}, data={}))) == ["data: unknown field"]


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        (TEXT, 17, 'spec.v: must be a string, not an integer; quote it: "17"'),
        (TEXT, 3.0, 'spec.v: must be a string, not a number; quote it: "3.0"'),
        ({"x-kubernetes-int-or-string": True}, None, "spec.v: must not be null; leave the field out instead"),
        (TEXT, 1.5, 'spec.v: must be a string, not a number; quote it: "1.5"'),
        (TEXT, True, 'spec.v: must be a string, not a boolean; quote it: "true"'),
        (TEXT, [], "spec.v: must be a string, not a list"),
        (WHOLE, "17", "spec.v: must be an integer, not a string; write it without quotes: 17"),
        (WHOLE, "many", "spec.v: must be an integer, not a string"),
        (WHOLE, True, "spec.v: must be an integer, not a boolean"),
        (WHOLE, 1.5, "spec.v: must be an integer, not a number"),
        ({"type": "number"}, "x", "spec.v: must be a number, not a string"),
        (
            {"type": "boolean"},
            "true",
            "spec.v: must be a boolean, not a string; write it without quotes: true",
        ),
        ({"type": "boolean"}, "17", "spec.v: must be a boolean, not a string"),
        (record(), "true", "spec.v: must be an object, not a string"),
        ({"type": "boolean"}, 1, "spec.v: must be a boolean, not an integer"),
        (record(), [], "spec.v: must be an object, not a list"),
        (listing(TEXT), {}, "spec.v: must be a list, not an object"),
        (listing(TEXT), [1], 'spec.v[0]: must be a string, not an integer; quote it: "1"'),
        (
            mapping(TEXT),
            {"a/b": 1},
            "spec.v['a/b']: must be a string, not an integer; quote it: \"1\"",
        ),
        (TEXT, None, "spec.v: must not be null; leave the field out instead"),
        (
            {"x-kubernetes-int-or-string": True},
            True,
            "spec.v: must be an integer or a string, not a boolean",
        ),
    ],
)
def test_a_wrong_type_says_what_is_expected_and_what_was_given(schema: Manifest, value: JSON, complaint: str) -> None:
    assert complaints(record(v=schema), {"v": value}) == [complaint]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (WHOLE, 3.0),
        ({"type": "number"}, 3),
        ({"x-kubernetes-int-or-string": True}, 80),
        ({"x-kubernetes-int-or-string": True}, "80%"),
        ({"type": "string", "nullable": True}, None),
        ({"x-kubernetes-preserve-unknown-fields": True}, None),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": {"b": [1]}}),
        ({"type": "object", "additionalProperties": True}, {"a": 1}),
    ],
)
def test_a_value_of_an_accepted_type_passes(schema: Manifest, value: JSON) -> None:
    assert complaints(record(v=schema), {"v": value}) == []


@pytest.mark.parametrize(
    ("limits", "good", "bad", "complaint"),
    [
        ({"enum": ["A", "B"]}, "A", "C", '"C" is not one of A, B'),
        ({"enum": [1]}, 1, True, "true is not one of 1"),
        ({"minimum": 1}, 1, 0, "must be at least 1, not 0"),
        ({"maximum": 3}, 3, 4, "must be at most 3, not 4"),
        ({"minimum": 1, "exclusiveMinimum": True}, 2, 1, "must be more than 1"),
        ({"maximum": 3, "exclusiveMaximum": True}, 2, 3, "must be less than 3"),
        ({"multipleOf": 5}, 10, 7, "must be a multiple of 5, not 7"),
        ({"minLength": 2}, "hé", "h", "needs at least 2 characters, not 1"),
        ({"maxLength": 2}, "hé", "abc", "can have at most 2 characters, not 3"),
        ({"minItems": 1}, [0], [], "needs at least 1 item, not 0"),
        ({"maxItems": 1}, [0], [0, 1], "can have at most 1 item, not 2"),
        ({"minProperties": 1}, {"a": 0}, {}, "needs at least 1 entry, not 0"),
        ({"maxProperties": 2}, {"a": 0}, dict.fromkeys("abc"), "can have at most 2 entries, not 3"),
        (
            {"format": "int32"},
            2**31 - 1,
            2**31,
            "must be between -2147483648 and 2147483647 (int32)",
        ),
        (
            {"pattern": "^[1-9][0-9]*(Gi|Ti)$"},
            "5Gi",
            "5GB",
            '"5GB" does not match ^[1-9][0-9]*(Gi|Ti)$',
        ),
        ({"pattern": "b"}, "abc", "ac", '"ac" does not match b'),
    ],
)
def test_a_limit_admits_what_keeps_it_and_says_what_breaks_it(
    limits: Manifest, good: JSON, bad: JSON, complaint: str
) -> None:
    schema = {"properties": {"v": {**limits, "x-kubernetes-preserve-unknown-fields": True}}}
    assert complaints(schema, {"v": good}) == []
    assert complaints(schema, {"v": bad}) == [f"spec.v: {complaint}"]


@pytest.mark.parametrize("value", ["text", True, 5, [], {}])
def test_a_limit_speaks_only_of_its_own_kind_of_value(value: JSON) -> None:
    numbers = {"minimum": 9, "maximum": 1, "multipleOf": 2, "format": "int32"}
    others = {"minLength": 9, "minItems": 9, "minProperties": 9, "pattern": "^x", "format": "byte"}
    limits = others if isinstance(value, int) else numbers
    schema = {**limits, "x-kubernetes-preserve-unknown-fields": True}
    assert complaints(record(v=schema), {"v": value}) == []


@pytest.mark.parametrize(("name", "low", "high"), [("int32", -(2**31), 2**31 - 1), ("int64", -(2**63), 2**63 - 1)])
def test_an_integer_format_has_both_its_ends(name: str, low: int, high: int) -> None:
    schema = record(v={"type": "integer", "format": name})
    assert complaints(schema, {"v": low}) == complaints(schema, {"v": high}) == []
    for beyond in (low - 1, high + 1):
        assert complaints(schema, {"v": beyond}) == [f"spec.v: must be between {low} and {high} ({name})"]


def test_a_kind_inside_a_spec_is_a_field_like_any_other() -> None:
    assert complaints(record(), {"kind": "x"}) == ["spec.kind: unknown field"]


def test_metadata_inside_a_spec_is_a_field_like_any_other() -> None:
    assert complaints(record(metadata=record()), {"metadata": {"name": "a"}}) == ["spec.metadata.name: unknown field"]


def test_patterns_are_read_in_the_dialect_of_kubernetes() -> None:
    # Python reads neither a flag in the middle nor a class such as \pL.
    schema = record(v={"type": "string", "pattern": r"^\pL(?i)gp3$"})
    assert complaints(schema, {"v": "éGP3"}) == []
    assert complaints(schema, {"v": "1gp3"}) == [r'spec.v: "1gp3" does not match ^\pL(?i)gp3$']


def test_a_pattern_that_cannot_be_read_admits_nothing() -> None:
    schema = record(v={"type": "string", "pattern": "^(a$"})
    assert complaints(schema, {"v": "a"}) == [
        "spec.v: the schema's pattern ^(a$ cannot be read, so nothing can match it"
    ]


def test_a_missing_field_is_named_where_it_should_stand() -> None:
    schema = record("storage", storage=record("size", size=TEXT))
    assert complaints(schema, {}) == ["spec.storage: is required"]
    assert complaints(schema, {"storage": {}}) == ["spec.storage.size: is required"]


def test_every_fault_is_told_at_once() -> None:
    schema = record("name", name=TEXT, replicas={"type": "integer", "minimum": 1})
    assert complaints(schema, {"replicas": 0, "x": 1}) == [
        "spec.name: is required",
        "spec.replicas: must be at least 1, not 0",
        "spec.x: unknown field",
    ]


_SECRET = "hunter2-secret"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^x"},
        {"type": "string", "enum": ["x"]},
        {"type": "string", "format": "byte"},
        {"type": "string", "anyOf": [{"pattern": "^x"}, {"enum": ["y"]}]},
    ],
)
def test_no_complaint_about_a_secret_shows_its_value(schema: Manifest) -> None:
    kind = kind_with(record(), kind="Secret", properties={"data": mapping(schema)})
    secret = {**thing({}, kind="Secret"), "data": {"a.b": _SECRET}}
    del secret["spec"]
    said = lines(kind.validate(secret))
    assert said
    assert said[0].startswith("data['a.b']: ")
    assert _SECRET not in "".join(said)


def test_a_secret_of_the_wrong_type_is_not_quoted_back() -> None:
    kind = kind_with(record(), kind="Secret", properties={"stringData": mapping(TEXT)})
    secret = {**thing({}, kind="Secret"), "stringData": {"pin": 4711}}
    del secret["spec"]
    assert lines(kind.validate(secret)) == ["stringData.pin: must be a string, not an integer"]


def test_what_is_no_secret_in_a_secret_is_shown() -> None:
    kind = kind_with(record(), kind="Secret", properties={"type": {"type": "string", "enum": ["Opaque"]}})
    secret = {**thing({}, kind="Secret"), "type": "Opaqe"}
    del secret["spec"]
    assert lines(kind.validate(secret)) == ['type: "Opaqe" is not one of Opaque']


def test_a_password_field_is_never_shown() -> None:
    schema = record(v={"type": "string", "format": "password", "minLength": 20, "pattern": "^x"})
    assert _SECRET not in "".join(complaints(schema, {"v": _SECRET}))


def test_a_long_value_is_shortened() -> None:
    said = complaints(record(v={"type": "string", "enum": ["x"]}), {"v": "a" * 500})
    assert len(said[0]) < 120


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        (TEXT, "\ud800", "spec.v: holds half a surrogate pair, which no text can hold"),
        (
            mapping(TEXT),
            {"\ud800": "x"},
            "spec.v['\\ud800']: its name holds half a surrogate pair, which no text can hold",
        ),
        ({"type": "number"}, float("nan"), "spec.v: must be a finite number"),
        ({"type": "number"}, float("-inf"), "spec.v: must be a finite number"),
        ({"type": "number"}, 10**400, "spec.v: is too large a number"),
        (WHOLE, -(2**64), "spec.v: is too large a number"),
    ],
)
def test_what_json_cannot_hold_is_refused_before_any_rule(schema: Manifest, value: JSON, complaint: str) -> None:
    ruled_schema = ruled(schema, "self == self && string(self) != ''")
    said = complaints(record(v=ruled_schema), {"v": value}, {"v": value})
    assert said == [complaint]
    assert complaint.encode()
    assert len(complaints(record(v=ruled(schema, "self == oldSelf")), {"v": _PLAIN[type(value)]}, {"v": value})) == 1


_PLAIN: dict[type, JSON] = {str: "a", dict: {}, float: 1.0, int: 1}
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.dates(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["spec", "metadata", "name", "v", "a/b"]) | st.integers(), inner)
    ),
    max_leaves=12,
)
_RULE = "self.spec.v.size() > 0 && self.metadata.name != ''"


@given(_JUNK)
def test_no_input_makes_validation_or_defaulting_fail(junk: JSON) -> None:
    schema = record("v", v=listing(mapping(TEXT)), w={"type": "string", "default": "x"})
    kind = kind_with(schema, **ruled({}, _RULE))
    assert kind.validate(junk)
    assert kind.validate(thing(junk), thing(junk)) is not None
    assert kind.default(thing(junk))
