"""Structural defaulting, as an API server does it before validation and on every read."""

import copy

from groundplane.core.manifest import JSON, Manifest
from small_schemas import TEXT, WHOLE, kind_with, listing, mapping, record, thing

_TIER: Manifest = {"type": "string", "default": "Standard"}


def _defaulted(schema: Manifest, spec: JSON) -> JSON:
    return kind_with(schema).default(thing(spec))["spec"]


def test_an_absent_field_gets_its_default() -> None:
    assert _defaulted(record(tier=_TIER, name=TEXT), {"name": "a"}) == {
        "name": "a",
        "tier": "Standard",
    }


def test_a_field_that_is_set_keeps_its_value() -> None:
    replicas = {"type": "integer", "default": 3}
    assert _defaulted(record(replicas=replicas), {"replicas": 0}) == {"replicas": 0}


def test_a_default_inside_an_absent_object_is_not_applied() -> None:
    assert _defaulted(record(backup=record(tier=_TIER)), {}) == {}


def test_a_default_inside_a_defaulted_object_is_applied() -> None:
    backup = {**record(tier=_TIER), "default": {}}
    assert _defaulted(record(backup=backup), {}) == {"backup": {"tier": "Standard"}}


def test_defaults_reach_into_lists_and_maps() -> None:
    part = record(tier=_TIER)
    assert _defaulted(record(a=listing(part), b=mapping(part)), {"a": [{}], "b": {"x": {}}}) == {
        "a": [{"tier": "Standard"}],
        "b": {"x": {"tier": "Standard"}},
    }


def test_a_null_makes_way_for_the_default() -> None:
    assert _defaulted(record(tier=_TIER), {"tier": None}) == {"tier": "Standard"}


def test_a_null_without_a_default_is_dropped() -> None:
    assert _defaulted(record(name=TEXT), {"name": None}) == {}


def test_a_null_that_is_allowed_stays() -> None:
    nullable = {**_TIER, "nullable": True}
    assert _defaulted(record(tier=nullable), {"tier": None}) == {"tier": None}


def test_a_null_in_a_list_becomes_the_default_of_its_items() -> None:
    schema = record(v=listing({"type": "integer", "default": 1}), w=listing(WHOLE))
    assert _defaulted(schema, {"v": [None, 2], "w": [None]}) == {"v": [1, 2], "w": [None]}


def test_unknown_fields_pass_through() -> None:
    assert _defaulted(record(name=TEXT), {"x": {"y": [None]}}) == {"x": {"y": [None]}}


def test_neither_the_object_nor_the_schema_is_changed() -> None:
    kind = kind_with(record(tags={**mapping(TEXT), "default": {"a": "b"}}, list=listing(record())))
    given = thing({"list": [{}]})
    before = copy.deepcopy(given)
    first = kind.default(given)
    first["spec"]["tags"]["a"] = "changed"
    assert given == before
    assert kind.default(given)["spec"]["tags"] == {"a": "b"}


def test_defaulting_twice_changes_nothing_more() -> None:
    kind = kind_with(record(tier=_TIER, backup={**record(tier=_TIER), "default": {}}))
    once = kind.default(thing({}))
    assert kind.default(once) == once
