"""CEL rules over objects: what Kubernetes adds to the language, and failing closed."""

import pytest

from groundplane.core.manifest import JSON, Manifest
from small_schemas import (
    TEXT,
    WHOLE,
    complaints,
    kind_with,
    lines,
    listing,
    mapping,
    record,
    ruled,
    thing,
)


def _holds(rule: str, schema: Manifest, value: JSON, old: JSON = None) -> bool:
    before = None if old is None else {"v": old}
    said = complaints(record(v=ruled(schema, rule)), {"v": value}, before)
    assert said in ([], ["spec.v: broken"]), said
    return not said


_RECORD = record(a=TEXT, b=TEXT)


@pytest.mark.parametrize(
    ("rule", "schema", "good", "bad"),
    [
        ("has(self.a) != has(self.b)", _RECORD, {"a": ""}, {"a": "", "b": ""}),
        ("!has(self.a) || self.a == self.b", _RECORD, {"b": "x"}, {"a": "x", "b": "y"}),
        ("size(self) <= 2", TEXT, "hé", "abc"),
        ("self.size() == 1", listing(TEXT), ["a"], []),
        ("!(self in ['postgres', 'root'])", TEXT, "app", "root"),
        ("self.matches('^[a-z]+$')", TEXT, "abc", "ABC"),
        ("self.startsWith('a') && self.contains('b')", TEXT, "ab", "b"),
        ("self.all(x, x > 0)", listing(WHOLE), [1, 2], [1, 0]),
        ("self.exists(x, x == 1)", listing(WHOLE), [1], [2]),
        ("self.exists_one(x, x == 1)", listing(WHOLE), [1], [1, 1]),
        ("self.filter(x, x > 1).size() == 1", listing(WHOLE), [1, 2], [2, 2]),
        ("self.map(x, x * 2) == [2, 4]", listing(WHOLE), [1, 2], [1, 1]),
        ("self.all(k, k != 'x' && self[k] == 'y')", mapping(TEXT), {"a": "y"}, {"x": "y"}),
        ("int(self) > 16", TEXT, "17", "16"),
        ("self / 2.0 == 1.5", {"type": "number"}, 3, 4),
        ("self / 2.0 == 1.5", {"type": "number"}, 3.0, 4.0),
        ("self / 2 == 1", WHOLE, 3.0, 4.0),
        ("size(self) == 2", {"type": "string", "format": "byte"}, "aGk=", "aGVs"),
        ("self.split(',').size() == 2", TEXT, "a,b", "a"),
        ("self.?a.orValue('z') == 'z'", _RECORD, {}, {"a": "x"}),
        ("type(self) == int || self.endsWith('%')", {"x-kubernetes-int-or-string": True}, 8, "8"),
    ],
)
def test_a_rule_tells_good_from_bad(rule: str, schema: Manifest, good: JSON, bad: JSON) -> None:
    assert _holds(rule, schema, good)
    assert not _holds(rule, schema, bad)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("quantity(self).compareTo(quantity('1Gi')) == 0", "1024Mi", "1G"),
        ("quantity(self).isGreaterThan(quantity('1.5'))", "1600m", "1500m"),
        ("quantity(self).isLessThan(quantity('1k'))", "999", "1e3"),
        ("quantity(self) == quantity('2')", "2000m", "2001m"),
        ("quantity(self).add(quantity('1')).sub(quantity('500m')) == quantity('1')", "0.5", "1"),
        ("quantity(self).sign() == -1", "-1", "0"),
        ("quantity(self).isInteger() && quantity(self).asInteger() == 2", "2", "2100m"),
        ("quantity(self).asApproximateFloat() < 0.2", "100m", "1"),
        ("isQuantity(self)", "3Ti", "3TB"),
        ("!format.dns1123Label().validate(self).hasValue()", "a-b", "a.b"),
        ("!format.dns1123Subdomain().validate(self).hasValue()", "a.b", "A.b"),
        ("!format.dns1035Label().validate(self).hasValue()", "a1", "1a"),
        ("!format.qualifiedName().validate(self).hasValue()", "a.b/C_d", "a b"),
        ("!format.labelValue().validate(self).hasValue()", "A_b", "-a"),
        ("!format.uuid().validate(self).hasValue()", "123e4567-e89b-12d3-a456-426614174000", "1"),
        ("!format.datetime().validate(self).hasValue()", "2026-11-24T08:59:00Z", "today"),
        ("format.dns1123Label().validate(self).value() == ['not a valid dns1123Label']", "A", "a"),
    ],
)
def test_the_functions_that_kubernetes_adds_work(rule: str, good: str, bad: str) -> None:
    assert _holds(rule, TEXT, good)
    assert not _holds(rule, TEXT, bad)


def test_names_that_cel_cannot_say_are_escaped() -> None:
    awkward = {"namespace": "n", "a-b": "d", "a.b": "o", "a/b": "s", "a__b": "u"}
    schema = record(**dict.fromkeys(awkward, TEXT))
    rule = (
        "self.__namespace__ == 'n' && self.a__dash__b == 'd' && self.a__dot__b == 'o' && "
        "self.a__slash__b == 's' && self.a__underscores__b == 'u'"
    )
    assert _holds(rule, schema, awkward)


def test_a_field_whose_name_cel_cannot_say_is_left_out() -> None:
    assert _holds("self == {'a': 'x'}", record(**{"a": TEXT, "a$b": TEXT}), {"a": "x", "a$b": "y"})


def test_names_are_escaped_inside_lists_too() -> None:
    assert _holds("self.all(x, x.__namespace__ == 'n')", listing(record(namespace=TEXT)), [{"namespace": "n"}])


def test_a_list_of_nothing_said_can_have_a_rule() -> None:
    assert _holds("self.size() == 2 && self[0] == 1", {"type": "array"}, [1, {"a": None}])


def test_map_keys_are_not_escaped() -> None:
    assert _holds("'a-b' in self && self['namespace'] == 'x'", mapping(TEXT), {"a-b": "", "namespace": "x"})


def test_a_rule_at_the_root_reads_the_name_and_no_other_metadata() -> None:
    kind = kind_with(record(), **ruled({}, "self.metadata.name == 'a' && self.kind == 'Thing'"))
    assert lines(kind.validate(thing({}))) == []
    curious = kind_with(record(), **ruled({}, "has(self.metadata.labels)"))
    labelled = {**thing({}), "metadata": {"name": "a", "labels": {"a": "b"}}}
    assert lines(curious.validate(labelled)) == ["broken"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("self.a == 'x'", 'Key not found in map : "a"'),
        ("int(self.b) > 1", "cannot convert string to int"),
        ("quantity(self.b) == quantity('1')", "not a quantity"),
        ("url(self.b).getHost() == 'x'", "undeclared reference to 'url'"),
        ("self.b ==", "Syntax error"),
        ("self > 5", "found no matching overload"),
    ],
)
def test_a_rule_that_cannot_be_answered_is_a_violation(rule: str, reason: str) -> None:
    (said,) = complaints(record(v=ruled(_RECORD, rule)), {"v": {"b": "secret"}})
    assert said.startswith("spec.v: broken (the rule could not be evaluated: ")
    assert reason in said
    assert "\n" not in said


def test_a_rule_that_gives_no_boolean_is_a_violation() -> None:
    assert complaints(ruled(record(a=TEXT), "self.a"), {"a": "x"}) == ["spec: broken (the rule gave no true or false)"]


def test_a_rule_without_a_message_shows_itself() -> None:
    assert complaints(ruled(record(), "1 == 2", message=""), {}) == ["spec: failed rule: 1 == 2"]


def test_a_message_can_be_computed() -> None:
    schema = ruled(record(a=TEXT), "self.a != 'x'", messageExpression="'a must not be ' + self.a")
    assert complaints(schema, {"a": "x"}) == ["spec: a must not be x"]


@pytest.mark.parametrize("expression", ["self.b", "''", "1", "'two\\nlines'", "bogus("])
def test_a_message_that_cannot_be_computed_gives_way_to_the_fixed_one(expression: str) -> None:
    schema = ruled(record(a=TEXT, b=TEXT), "self.a != 'x'", messageExpression=expression)
    assert complaints(schema, {"a": "x"}) == ["spec: broken"]


@pytest.mark.parametrize(("field_path", "blamed"), [(".a", "spec.a"), (".b['x.y']", "spec.b['x.y']"), ("", "spec")])
def test_a_rule_can_blame_a_field(field_path: str, blamed: str) -> None:
    assert complaints(ruled(record(), "false", fieldPath=field_path), {}) == [f"{blamed}: broken"]


def test_rules_stand_inside_lists_and_maps() -> None:
    part = ruled(TEXT, "self != 'x'")
    assert complaints(record(a=listing(part), b=mapping(part)), {"a": ["y", "x"], "b": {"k": "x"}}) == [
        "spec.a[1]: broken",
        "spec.b.k: broken",
    ]


def test_rules_do_not_run_on_a_broken_structure() -> None:
    schema = ruled(record("a", a=TEXT), "false")
    assert complaints(schema, {}) == ["spec.a: is required"]


_LATER: Manifest = {"type": "string", "enum": ["x"]}


@pytest.mark.parametrize(
    ("limited", "value"),
    [
        ({"type": "string", "maxLength": 1}, "ab"),
        (listing(TEXT, maxItems=1), ["a", "b"]),
        ({**mapping(TEXT), "maxProperties": 1}, {"a": "", "b": ""}),
    ],
)
def test_rules_do_not_run_on_what_is_too_large(limited: Manifest, value: JSON) -> None:
    said = complaints(ruled(record(a=limited, b=_LATER), "false"), {"a": value, "b": "y"})
    assert [line.partition(":")[0] for line in said] == ["spec.a", "spec.b"]


@pytest.mark.parametrize("limited", [_LATER, {"type": "string", "format": "date-time"}])
def test_rules_do_not_run_beside_a_text_that_is_not_allowed(limited: Manifest) -> None:
    said = complaints(ruled(record(b=limited), "false"), {"b": "y"})
    assert [line.partition(":")[0] for line in said] == ["spec.b"]


def test_rules_run_beside_a_number_out_of_range() -> None:
    limited = {"type": "integer", "format": "int32", "maximum": 1}
    said = complaints(ruled(record(b=limited), "false"), {"b": 2**40})
    assert [line.partition(":")[0] for line in said] == ["spec.b", "spec.b", "spec"]


def test_rules_run_beside_an_unknown_field() -> None:
    assert complaints(ruled(record(), "false"), {"x": 1}) == [
        "spec.x: unknown field",
        "spec: broken",
    ]


def test_a_rule_does_not_see_fields_that_are_not_declared() -> None:
    preserving = {**record(a=TEXT), "x-kubernetes-preserve-unknown-fields": True}
    assert _holds("self == {'a': 'x'}", preserving, {"a": "x", "b": "y"})


def test_a_rule_does_not_see_a_value_without_a_type() -> None:
    schema = record(free={"x-kubernetes-preserve-unknown-fields": True}, a=TEXT)
    assert _holds("self == {'a': 'x'}", schema, {"a": "x", "free": 1})


@pytest.mark.parametrize("kind", ["integer", "number", "string", "boolean", "array", "object"])
def test_a_rule_of_the_parent_sees_a_null(kind: str) -> None:
    assert _holds("self.a == null", record(a={"type": kind, "nullable": True}), {"a": None})


def test_a_rule_sees_a_field_called_metadata() -> None:
    assert _holds("self.metadata.a == 'x'", record(metadata=record(a=TEXT)), {"metadata": {"a": "x"}})


def test_a_null_is_not_asked() -> None:
    assert complaints(record(v=ruled({**TEXT, "nullable": True}, "false")), {"v": None}) == []


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("dns1123Label", "a" * 63, "a" * 64),
        ("dns1035Label", "a" * 63, "a" * 64),
        ("dns1123Subdomain", "a" * 253, "a" * 254),
        ("qualifiedName", "a.b/" + "c" * 63, "a.b/" + "c" * 64),
        ("qualifiedName", "a/B", "/B"),
        ("qualifiedName", "B", "A/B"),
        ("labelValue", "a" * 63, "a" * 64),
        ("labelValue", "", "a_"),
        ("dns1123LabelPrefix", "a-", "A-"),
        ("dns1123SubdomainPrefix", "a.b-", "a.-b"),
        ("dns1035LabelPrefix", "a-", "1-"),
        ("uri", "/path", "no scheme"),
        ("byte", "aGk=", "aGk"),
        ("date", "2026-11-24", "2026-11-31"),
    ],
)
def test_a_named_format_has_its_limits(form: str, good: str, bad: str) -> None:
    rule = f"!format.{form}().validate(self).hasValue()"
    assert _holds(rule, TEXT, good)
    assert not _holds(rule, TEXT, bad)
