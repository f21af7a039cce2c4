"""Who owns what after an apply, an update, a status; what an apply takes away; that a write without effect has none."""

from typing import Any

import pytest

from groundplane.kubernetes.managedfields import apply

NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:05:00Z"
API = "example.org/v1"
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def listed(items: dict[str, Any], kind: str, *keys: str) -> dict[str, Any]:
    found = {"type": "array", "items": items, "x-kubernetes-list-type": kind}
    return {**found, "x-kubernetes-list-map-keys": list(keys)} if keys else found


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


NO_TEXT = ".spec.text: expected string, got &value.valueUnstructured{Value:"
PORT = record(port=NUMBER, protocol={"type": "string", "default": "TCP"}, name=TEXT)
SCHEMA = record(
    spec=record(
        text=TEXT,
        size=NUMBER,
        tags=listed(TEXT, "set"),
        numbers=listed(NUMBER, "set"),
        plain={"type": "array", "items": TEXT},
        ports=listed(PORT, "map", "port", "protocol"),
        whole={**record(a=NUMBER, b=NUMBER), "x-kubernetes-map-type": "atomic"},
        extra={"type": "object", "additionalProperties": record(a=NUMBER)},
        inner=record(x=NUMBER, y=NUMBER),
        free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    ),
    status=record(phase=TEXT),
)

OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": API, "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}


def applied(live: dict[str, Any] | None, manager: str, /, *, now: str = NOW, force: bool = False, **spec: Any) -> Any:
    return apply.apply(live, thing(**spec), manager=manager, schema=SCHEMA, now=now, force=force)


def updated(live: dict[str, Any] | None, manager: str, /, *, now: str = NOW, **spec: Any) -> Any:
    new = thing(**spec)
    if live:
        new = {**new, "metadata": live["metadata"]}
    return apply.update(live, new, manager=manager, schema=SCHEMA, now=now)


def owned(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what each owner owns, by `manager operation`."""
    entries = manifest["metadata"].get("managedFields", [])
    return {f"{entry['manager']} {entry['operation']}": entry["fieldsV1"] for entry in entries}


def of_spec(fields: dict[str, Any]) -> dict[str, Any]:
    return {"f:spec": fields}


def test_an_apply_owns_leaves_and_items_and_keys_but_not_the_fields_that_hold_them() -> None:
    ports = [{"port": 80, "name": "web"}]
    found = applied(None, "ann", text="a", tags=["x"], ports=ports, extra={"k": {"a": 1}}, inner={"x": 1})
    assert owned(found)["ann Apply"] == of_spec(
        {
            "f:text": {},
            "f:tags": {'v:"x"': {}},
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}}},
            "f:extra": {"f:k": {".": {}, "f:a": {}}},
            "f:inner": {"f:x": {}},
        }
    )


def test_an_update_owns_also_the_fields_that_hold_what_it_adds() -> None:
    found = updated(None, "ann", tags=["x"], inner={"x": 1})
    assert owned(found)["ann Update"] == of_spec(
        {".": {}, "f:tags": {".": {}, 'v:"x"': {}}, "f:inner": {".": {}, "f:x": {}}}
    )


def test_an_empty_list_of_items_is_owned_by_nobody_and_an_empty_map_or_null_is() -> None:
    found = applied(None, "ann", tags=[], ports=[], inner={}, text=None, plain=[])
    assert owned(found)["ann Apply"] == of_spec({"f:inner": {}, "f:text": {}, "f:plain": {}})


def test_what_is_owned_as_a_whole_is_a_leaf() -> None:
    found = applied(None, "ann", whole={"a": 1}, plain=["x", "y"])
    assert owned(found)["ann Apply"] == of_spec({"f:whole": {}, "f:plain": {}})


def test_identity_and_what_the_server_writes_are_owned_by_nobody() -> None:
    new = {
        **thing(text="a"),
        "metadata": {"name": "t", "namespace": "n", "uid": "u", "generation": 1, "labels": {"l": "v"}},
    }
    found = apply.update(None, new, manager="ann", schema=SCHEMA, now=NOW)
    assert owned(found)["ann Update"] == {
        "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
        "f:spec": {".": {}, "f:text": {}},
    }


def test_a_field_no_longer_applied_goes_and_what_others_own_stays() -> None:
    live = applied(None, "ann", text="a", size=1, inner={"x": 1})
    live = applied(live, "bob", size=1)
    live = applied(live, "ann", text="b")
    assert live["spec"] == {"text": "b", "size": 1}
    assert owned(live) == {"ann Apply": of_spec({"f:text": {}}), "bob Apply": of_spec({"f:size": {}})}


def test_what_nobody_applied_stays_when_an_apply_leaves_it_out() -> None:
    live = applied(None, "ann", text="a")
    live = updated(live, "bob", text="a", size=3)
    assert applied(live, "ann", text="a")["spec"] == {"text": "a", "size": 3}


def test_an_update_takes_what_it_changes_and_what_it_removes_is_owned_by_nobody() -> None:
    live = applied(None, "ann", text="a", size=1)
    live = updated(live, "bob", text="b")
    assert owned(live) == {"bob Update": of_spec({"f:text": {}})}


def test_items_of_the_configuration_keep_its_order_and_others_stay_behind_what_they_stood_behind() -> None:
    live = updated(None, "bob", tags=["a", "b", "c", "d"])
    assert applied(live, "ann", tags=["d", "x", "b"])["spec"]["tags"] == ["a", "c", "d", "x", "b"]


def test_the_default_of_a_key_makes_two_spellings_one_item() -> None:
    live = updated(None, "bob", ports=[{"port": 80, "protocol": "TCP", "name": "web"}])
    live = applied(live, "ann", ports=[{"port": 80, "name": "web"}])
    assert live["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "name": "web"}]


def test_taking_the_last_own_item_of_a_list_away_leaves_null_where_another_claims_the_list() -> None:
    live = applied(None, "ann", tags=["x"], text="a")
    live = updated(live, "bob", tags=["x"], text="a")
    claims = {"apiVersion": API, "fieldsType": "FieldsV1", "manager": "bob", "operation": "Update"}
    entries = [*live["metadata"]["managedFields"], {**claims, "fieldsV1": of_spec({"f:tags": {}})}]
    live = {**live, "metadata": {**live["metadata"], "managedFields": entries}}
    assert applied(live, "ann", text="a")["spec"] == {"tags": None, "text": "a"}


def test_an_apply_that_changes_nothing_keeps_the_object_and_its_times() -> None:
    live = applied(None, "ann", text="a", tags=["x"])
    assert applied(live, "ann", now=LATER, text="a", tags=["x"]) == live


def test_who_applies_what_is_there_owns_it_too_and_no_time_is_noted() -> None:
    live = applied(applied(None, "ann", text="a"), "bob", now=LATER, text="a")
    times = {entry["manager"]: entry.get("time") for entry in live["metadata"]["managedFields"]}
    assert times == {"ann": NOW, "bob": None}


def test_a_write_that_moves_only_times_is_settled_by_the_live_object() -> None:
    live = applied(None, "ann", text="a")
    entry = live["metadata"]["managedFields"][0]
    new = {**live, "metadata": {**live["metadata"], "managedFields": [{**entry, "time": LATER}]}}
    assert apply.settled(live, new) is live
    changed = {**new, "spec": {"text": True}}
    assert apply.settled(live, changed) is changed


def test_one_and_true_are_not_the_same() -> None:
    live = updated(None, "ann", free={"a": 1})
    live = updated(live, "bob", free={"a": True})
    assert owned(live)["bob Update"] == of_spec({"f:free": {"f:a": {}}})
    assert updated(live, "eve", free={"a": True}) == live


def test_a_value_that_becomes_a_map_is_taken_and_so_is_all_that_is_in_it() -> None:
    live = updated(None, "ann", free={"a": 1})
    live = updated(live, "bob", free={"a": {"b": 2}})
    assert owned(live)["bob Update"] == of_spec({"f:free": {"f:a": {".": {}, "f:b": {}}}})
    assert owned(live)["ann Update"] == of_spec({".": {}, "f:free": {}})


def test_metadata_is_the_same_everywhere_also_where_unknown_fields_are_preserved() -> None:
    config = {**thing(), "metadata": {"name": "t", "bogus": 1}, "more": {"x": 1}}
    with pytest.raises(apply.ApplyError, match=r"\.metadata\.bogus: field not declared in schema"):
        apply.apply(None, config, manager="ann", schema=OPEN, now=NOW)
    del config["metadata"]["bogus"]
    found = apply.apply(None, config, manager="ann", schema=OPEN, now=NOW)
    assert owned(found)["ann Apply"]["f:more"] == {".": {}, "f:x": {}}


def test_an_object_without_owners_is_first_owned_by_who_wrote_it_before_the_first_apply() -> None:
    live = applied(thing(text="a", size=1), "ann", force=True, text="b")
    assert owned(live) == {
        "ann Apply": of_spec({"f:text": {}}),
        "before-first-apply Update": of_spec({".": {}, "f:size": {}}),
    }


def test_an_object_without_owners_stays_without_when_it_is_updated() -> None:
    assert "managedFields" not in updated(thing(text="a"), "bob", text="b")["metadata"]


def test_the_status_subresource_owns_only_status_and_by_itself() -> None:
    live = applied(None, "ann", text="a")
    config = {**thing(text="z"), "status": {"phase": "Ready"}}
    live = apply.apply(live, config, manager="ann", schema=SCHEMA, now=NOW, subresource="status")
    assert [(e.get("subresource"), e["fieldsV1"]) for e in live["metadata"]["managedFields"]] == [
        (None, of_spec({"f:text": {}})),
        ("status", {"f:status": {"f:phase": {}}}),
    ]


def test_what_the_endpoint_does_not_write_is_not_owned() -> None:
    config = {**thing(text="a"), "status": {"phase": "Ready"}}
    live = apply.apply(None, config, manager="ann", schema=SCHEMA, now=NOW, resets=("status",))
    assert owned(live)["ann Apply"] == of_spec({"f:text": {}})


def test_entries_are_sorted_by_operation_and_time_and_name() -> None:
    live = updated(None, "cat", now=LATER, text="a")
    live = updated(live, "bob", now=LATER, text="a", size=1)
    live = applied(live, "yan", now=LATER, text="a", plain=["x"])
    live = updated(live, "zoe", now=NOW, **live["spec"], tags=["t"])
    entries = live["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries] == ["yan", "zoe", "bob", "cat"]


def test_the_oldest_of_more_than_ten_updaters_become_one() -> None:
    live = updated(None, "m00", now="2026-01-02T03:04:00Z", free={"k00": 1})
    for number in range(1, 12):
        now = f"2026-01-02T03:04:{number:02}Z"
        live = updated(live, f"m{number:02}", now=now, free={**live["spec"]["free"], f"k{number:02}": 1})
    entries = live["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries] == ["ancient-changes", *(f"m{n:02}" for n in range(3, 12))]
    assert owned(live)["ancient-changes Update"]["f:spec"]["f:free"].keys() == {".", "f:k00", "f:k01", "f:k02"}
    assert entries[0]["time"] == "2026-01-02T03:04:02Z"


def test_a_value_that_lost_its_schema_cannot_be_owned() -> None:
    new = {**thing(text="a"), "metadata": {"name": "t"}, "surprise": 1}
    found = apply.update(None, new, manager="ann", schema=SCHEMA, now=NOW)
    assert found == new


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"bogus": 1}, ".spec.bogus: field not declared in schema"),
        ({"tags": ["a", "a"]}, '.spec.tags: duplicate entries for key [="a"]'),
        (
            {"tags": [None]},
            ".spec.tags: element 0: associative list without keys has an element that's an explicit null",
        ),
        ({"size": "1"}, ".spec.size: expected numeric (int or float), got string"),
        ({"text": 1}, ".spec.text: expected string, got &value.valueUnstructured{Value:1}"),
        (
            {"text": {"a": [None]}},
            f'{NO_TEXT}map[string]interface {{}}{{"a":[]interface {{}}{{interface {{}}(nil)}}}}}}',
        ),
        ({"inner": 5}, ".spec.inner: expected map, got &{5}"),
        ({"plain": {"b": True, "a": ["x", 1]}}, ".spec.plain: expected list, got &{map[a:[x 1] b:true]}"),
        (
            {"ports": [{"port": 1, "name": 1}]},
            '.spec.ports[port=1,protocol="TCP"].name: expected string, got &value.valueUnstructured{Value:1}',
        ),
        (
            {"text": 1, "size": "1"},
            f"errors:\n  {NO_TEXT}1}}\n  .spec.size: expected numeric (int or float), got string",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_as_the_server_refuses_it(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(apply.ApplyError) as refused:
        applied(None, "ann", **spec)
    assert refused.value.code == 500
    assert str(refused.value) == f"failed to create typed patch object (/t; example.org/v1, Kind=Thing): {said}"


def test_a_configuration_with_managed_fields_or_of_another_kind_is_a_bad_request() -> None:
    live = applied(None, "ann", text="a")
    for config in (live, {**thing(text="a"), "kind": "Other"}):
        with pytest.raises(apply.ApplyError) as refused:
            apply.apply(live, config, manager="ann", schema=SCHEMA, now=NOW)
        assert refused.value.code == 400
