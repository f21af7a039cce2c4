"""Rules that compare an object with the one before."""

import pytest

from groundplane.core.manifest import JSON, Manifest
from small_schemas import TEXT, complaints, keyed, kind_with, lines, listing, mapping, record, ruled, thing

_FIXED = ruled(TEXT, "self == oldSelf", message="is fixed")


def test_a_transition_rule_needs_an_object_before() -> None:
    schema = record(v=_FIXED)
    assert complaints(schema, {"v": "a"}) == []
    assert complaints(schema, {"v": "a"}, {"v": "a"}) == []
    assert complaints(schema, {"v": "b"}, {"v": "a"}) == ["spec.v: is fixed"]


def test_a_transition_rule_does_not_run_where_the_field_is_new_or_gone() -> None:
    schema = record(v=_FIXED)
    assert complaints(schema, {"v": "b"}, {}) == []
    assert complaints(schema, {}, {"v": "a"}) == []


def test_a_rule_on_the_parent_sees_a_field_go() -> None:
    schema = ruled(record(v=TEXT), "!has(oldSelf.v) || has(self.v)", message="keep v")
    assert complaints(schema, {}, {"v": "a"}) == ["spec: keep v"]


def test_the_word_in_a_string_makes_no_transition_rule() -> None:
    assert complaints(record(v=ruled(TEXT, "self == 'oldSelf'")), {"v": "x"}) == ["spec.v: broken"]


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ("1Gi", "1Gi", None),
        ("1Gi", "2Gi", None),
        ("1Ti", "1000Gi", "storage cannot shrink"),
        ("1Ti", "1024Gi", None),
    ],
)
def test_storage_grows_and_never_shrinks(was: str, now: str, complaint: str | None) -> None:
    rule = "quantity(self).compareTo(quantity(oldSelf)) >= 0"
    schema = record(size=ruled(TEXT, rule, message="storage cannot shrink"))
    expected = [f"spec.size: {complaint}"] if complaint else []
    assert complaints(schema, {"size": now}, {"size": was}) == expected


def _correlated(of: Manifest, was: JSON, now: JSON) -> list[str]:
    return complaints(record(v=of), {"v": now}, {"v": was})


def test_items_of_a_keyed_list_find_their_past_by_key() -> None:
    entry = record(name=TEXT, port=TEXT, value=_FIXED)
    was = [{"name": "a", "port": "1", "value": "x"}, {"name": "a", "port": "2", "value": "y"}]
    now = [{"name": "a", "port": "2", "value": "z"}, {"name": "a", "port": "1", "value": "x"}]
    assert _correlated(keyed(entry, "name", "port"), was, now) == ["spec.v[0].value: is fixed"]


def test_a_new_item_of_a_keyed_list_has_no_past() -> None:
    entry = record(name=TEXT, value=_FIXED)
    was, now = [{"name": "a", "value": "x"}], [{"name": "b", "value": "y"}]
    assert _correlated(keyed(entry, "name"), was, now) == []


def test_entries_of_a_map_find_their_past_by_name() -> None:
    assert _correlated(mapping(_FIXED), {"a": "x", "b": "y"}, {"a": "x", "b": "z", "c": "n"}) == ["spec.v.b: is fixed"]


def test_items_of_an_ordinary_list_have_no_past() -> None:
    assert _correlated(listing(_FIXED), ["x"], ["y"]) == []


def test_objects_in_an_ordinary_list_have_no_past_either() -> None:
    assert _correlated(listing(record(value=_FIXED)), [{"value": "x"}], [{"value": "y"}]) == []


@pytest.mark.parametrize("was", [None, "text", {}, ["text"], [["text"]]])
def test_a_keyed_list_that_was_something_else_has_no_past(was: JSON) -> None:
    schema = record(v=keyed(record(name=TEXT, value=_FIXED), "name"))
    assert complaints(schema, {"v": [{"name": "a", "value": "x"}]}, {"v": was}) == []


def test_items_of_any_type_in_a_keyed_list_have_no_past() -> None:
    anything = ruled({"x-kubernetes-preserve-unknown-fields": True}, "self == oldSelf")
    assert _correlated(keyed(anything, "name"), ["x"], ["y"]) == []


def test_an_old_object_may_be_incomplete() -> None:
    kind = kind_with(record(), **ruled({}, "!has(oldSelf.spec) && !has(oldSelf.kind) && !has(oldSelf.metadata.name)"))
    assert lines(kind.validate(thing({}), {})) == []
    assert lines(kind.validate(thing({}), thing({}))) == ["broken"]


def test_an_old_value_of_another_type_is_a_broken_rule() -> None:
    (said,) = _correlated(ruled({**TEXT, "format": "byte"}, "self == oldSelf"), 5, "aGk=")
    assert said.startswith("spec.v: broken")


def test_an_old_value_of_another_type_is_no_crash() -> None:
    said = complaints(record(v=record(w=_FIXED)), {"v": {"w": "a"}}, {"v": "text"})
    assert said == []


_KEEPS = "!oldSelf.hasValue() || oldSelf.value() == self"


def test_a_rule_with_an_optional_past_also_runs_on_create() -> None:
    never_new = record(v=ruled(TEXT, "oldSelf.hasValue()", optionalOldSelf=True))
    assert complaints(never_new, {"v": "a"}) == ["spec.v: broken"]
    assert complaints(never_new, {"v": "a"}, {"v": "b"}) == []


def test_a_rule_with_an_optional_past_can_compare() -> None:
    schema = record(v=ruled(TEXT, _KEEPS, optionalOldSelf=True))
    assert complaints(schema, {"v": "a"}) == []
    assert complaints(schema, {"v": "a"}, {"v": "a"}) == []
    assert complaints(schema, {"v": "b"}, {"v": "a"}) == ["spec.v: broken"]


def test_an_optional_past_has_a_stand_in() -> None:
    schema = record(v=ruled(TEXT, "oldSelf.orValue('first') != self", optionalOldSelf=True))
    assert complaints(schema, {"v": "first"}) == ["spec.v: broken"]
    assert complaints(schema, {"v": "second"}) == []
