"""The static check: faults in rules that an API server refuses before any object exists."""

import pytest

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import check_rules
from small_schemas import TEXT, WHOLE, keyed, kind_with, listing, mapping, record, ruled

_PART = record(a=TEXT, b=WHOLE)
_SPEC = record(
    size=TEXT,
    count=WHOLE,
    namespace=TEXT,
    when={"type": "string", "format": "date-time"},
    span={"type": "string", "format": "duration"},
    raw={"type": "string", "format": "byte"},
    flag={"type": "boolean"},
    port={"x-kubernetes-int-or-string": True},
    free={"x-kubernetes-preserve-unknown-fields": True},
    list=listing(_PART),
    map=mapping(_PART),
)


def _faults(rule: str, schema: Manifest = _SPEC, **more: JSON) -> list[str]:
    said = check_rules(kind_with(ruled(schema, rule, **more)))
    lead = f"spec: rule `{rule}`: "
    assert all(line.startswith(lead) for line in said)
    return [line.removeprefix(lead) for line in said]


@pytest.mark.parametrize(
    "rule",
    [
        "has(self.size) && self.size.matches('^a') || size(self.list) > 1",
        "self.count >= 1 && self.count in [1, 2]",
        "self == oldSelf || self.count > oldSelf.count",
        "self.list.all(x, has(x.a) && x.b > 0)",
        "self.list.filter(x, x.b > 1).exists(y, y.a == 'z')",
        "self.list.map(x, x.a).exists(x, x == 'z')",
        "self.map.all(k, k.startsWith('x') && self.map[k].b == 1)",
        "self.map.x.b == 1",
        "self.list[0].a == 'x'",
        "self.port.a == 80 || self.port == 80 || self.port == 'http'",
        "self.__namespace__ == 'x'",
        "timestamp(self.when) > timestamp('2026-01-01T00:00:00Z')",
        "!has(self.when) || self.when == oldSelf.when",
        "quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0",
        "(has(self.size) ? self.size : 'x') == 'x'",
        "self.?size.orValue('x') == 'x'",
        "cel.bind(one, self.list[0], one.a == 'x')",
        "[1][0] == 1",
        "self.size != null && self.list == []",
        "self.size in self.map",
    ],
)
def test_a_good_rule_passes(rule: str) -> None:
    assert _faults(rule) == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("self.sise == 'x'", "self.sise: no such field (did you mean size?)"),
        ("has(self.sise)", "self.sise: no such field (did you mean size?)"),
        ("self.list.all(x, x.c == 1)", "x.c: no such field"),
        ("self.list.filter(x, x.b > 1).exists(y, y.z == 1)", "y.z: no such field"),
        ("self.map.all(k, self.map[k].z == 1)", "(...).z: no such field"),
        ("self.map.x.z == 1", "self.map.x.z: no such field"),
        ("self.list[0].z == 1", "(...).z: no such field"),
        ("cel.bind(one, self.list[0], one.z == 'x')", "one.z: no such field"),
        ("(true ? self.list[0] : self.list[1]).z == 'x'", "(...).z: no such field"),
        ("(true ? [] : self.list).all(x, x.z == 'x')", "x.z: no such field"),
        ("[self.z] == ['x']", "self.z: no such field"),
        ("has(self.free)", "self.free: no such field"),
        ("self.list.a == 'x'", "self.list.a: no such field"),
        ("self.size.a == 'x'", "self.size.a: no such field"),
        ("self.namespace == 'x'", "self.namespace: no such field (did you mean __namespace__?)"),
        ("self.count == 'x'", "compares integer with string"),
        ("self.size > self.count", "compares string with integer"),
        ("self.size == true", "compares string with boolean"),
        ("self.count == 1.0", "compares integer with number"),
        ("self.size == size(self.size)", "compares string with integer"),
        ("self.list == 1", "compares array with integer"),
        ("self.count in ['x']", "compares integer with string"),
        ("self.count.startsWith('x')", "startsWith() needs a string, not integer"),
        (
            "size(self.size) > 'x'",
            "1:17: found no matching overload for '_>_' applied to '(int, string)'",
        ),
        ("self.size", "gives string, not true or false"),
        ("self.count", "gives integer, not true or false"),
        ("size(self.size)", "gives integer, not true or false"),
        ("'x'", "gives string, not true or false"),
        ("self.when == duration('1h')", "compares time with duration"),
        ("self.span == timestamp('2026-01-01T00:00:00Z')", "compares duration with time"),
        ("self.raw == 'x'", "compares bytes with string"),
        ("self.flag == -1", "compares boolean with integer"),
        ("self.flag == 1.5", "compares boolean with number"),
        ("oldself == self", "1:1: undeclared reference to 'oldself'"),
        ("url(self.size).getHost() == 'x'", "1:4: undeclared reference to 'url'"),
        (
            "self.when > timestamp('2026-01-01T00:00:00Z')",
            "uses a time in _>_, which only a cluster can evaluate",
        ),
    ],
)
def test_a_bad_rule_is_found_without_any_object(rule: str, fault: str) -> None:
    assert _faults(rule) == [fault]


def test_an_optional_past_is_followed() -> None:
    rule = "!oldSelf.hasValue() || oldSelf.value().sise == 'x'"
    (said,) = _faults(rule, optionalOldSelf=True)
    assert said.endswith(".sise: no such field (did you mean size?)")
    assert _faults("!oldSelf.hasValue() || oldSelf.value().size == 'x'", optionalOldSelf=True) == []


def test_a_message_expression_is_compiled_too() -> None:
    assert _faults("true", messageExpression="'a' + 1") != []
    assert _faults("true", messageExpression="'a' + self.size") == []


def test_the_place_of_a_rule_is_named() -> None:
    bad = ruled(_PART, "self.z == 1")
    kind = kind_with(record(m=mapping(bad), l=listing(bad)), **ruled({}, "self.metadata.labels.size() > 0"))
    places = [line.partition(": rule ")[0] for line in check_rules(kind)]
    assert places == ["the object", "spec.m[key]", "spec.l[]"]


def test_the_name_is_all_of_the_metadata_that_a_rule_can_read() -> None:
    good = kind_with(_SPEC, **ruled({}, "self.metadata.name.size() < 40 && self.kind == 'Thing'"))
    assert check_rules(good) == []
    bad = kind_with(_SPEC, **ruled({}, "self.metadata.labels.size() > 0"))
    assert [line.partition("`: ")[2] for line in check_rules(bad)] == ["self.metadata.labels: no such field"]


def test_a_transition_rule_inside_an_ordinary_list_is_futile() -> None:
    part = ruled(_PART, "self.b >= oldSelf.b")
    assert check_rules(kind_with(record(l=keyed(part, "a"), m=mapping(part)))) == []
    (said,) = check_rules(kind_with(record(l=listing(mapping(part)))))
    assert said == (
        "spec.l[][key]: rule `self.b >= oldSelf.b`: reads oldSelf inside a list whose items have "
        "no keys, so it has no past to read"
    )


def test_a_field_that_cel_cannot_say_is_no_guess() -> None:
    assert _faults("has(self.a_b)", record(**{"a$b": TEXT})) == ["self.a_b: no such field"]
