"""What a client writes into managedFields is taken over, reset, or ignored, as the server does."""

from typing import Any

import pytest

from groundplane.kubernetes.managedfields import apply

NOW = "2026-01-02T03:04:05Z"
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
NAMED = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "string"}}},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}
SPEC = {
    "type": "object",
    "properties": {"texts": TEXTS, "whole": {**TEXTS, "x-kubernetes-map-type": "atomic"}, "named": NAMED},
}
SCHEMA = {"type": "object", "properties": {"spec": SPEC}}
THING = {"apiVersion": "example.org/v1", "kind": "Thing"}
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap"}


def made(identity: dict[str, Any], **sections: Any) -> dict[str, Any]:
    new = {**identity, "metadata": {"name": "t"}, **sections}
    schema = SCHEMA if identity is THING else None
    return apply.update(None, new, manager="ann", schema=schema, now=NOW)


def rewritten(live: dict[str, Any], entries: Any, manager: str = "bob", subresource: str = "") -> Any:
    metadata = {**live["metadata"], "managedFields": entries, "labels": {"l": "v"}}
    schema = SCHEMA if live["kind"] == "Thing" else None
    new = {**live, "metadata": metadata}
    written = apply.update(live, new, manager=manager, schema=schema, now=NOW, subresource=subresource)
    return {entry["manager"]: entry["fieldsV1"] for entry in written["metadata"].get("managedFields", [])}


def entry(fields: Any, **parts: Any) -> dict[str, Any]:
    known = {"manager": "zoe", "operation": "Update", "apiVersion": "example.org/v1", "fieldsType": "FieldsV1"}
    return {**known, "fieldsV1": fields, **parts}


LABEL: dict[str, Any] = {"f:metadata": {"f:labels": {".": {}, "f:l": {}}}}
THINGS: dict[str, Any] = {"f:spec": {".": {}, "f:texts": {".": {}, "f:a": {}}}}


def test_one_empty_entry_forgets_all_owners() -> None:
    assert rewritten(made(THING, spec={"texts": {"a": "1"}}), [{}]) == {}
    assert rewritten(made(CONFIG_MAP, data={"a": "1"}), [{}]) == {}


def test_an_empty_list_forgets_the_owners_of_built_in_kinds_only() -> None:
    assert rewritten(made(CONFIG_MAP, data={"a": "1"}), []) == {}
    assert rewritten(made(THING, spec={"texts": {"a": "1"}}), []) == {"ann": THINGS, "bob": LABEL}


@pytest.mark.parametrize(
    "entries",
    [
        None,
        "text",
        ["text"],
        [entry({"f:x": {}}, operation="Bogus")],
        [entry({"f:x": {}}, apiVersion="")],
        [entry({"f:x": {}}, fieldsType="FieldsV2")],
        [entry({"f:x": {}}, time="yesterday")],
        [entry({"f": {}})],
        [entry({"f:x": 1})],
        [entry({"k:[1]": {}})],
        [entry({'v:{"': {}})],
        [entry({"i:x": {}})],
    ],
)
def test_what_cannot_be_read_counts_as_nothing_said(entries: Any) -> None:
    assert rewritten(made(THING, spec={"texts": {"a": "1"}}), entries) == {"ann": THINGS, "bob": LABEL}


def test_what_can_be_read_is_taken_over_in_its_canonical_spelling() -> None:
    fields: dict[str, Any] = {
        "v:1e2": {},
        'k:{"b":1.0, "a":"x"}': {},
        "i:3": {".": {}, "f:x": {}},
        "x:later": {},
        "f:s": {},
    }
    found = rewritten(made(THING, spec={}), [entry(fields)])
    assert found["zoe"] == {"f:s": {}, 'k:{"a":"x","b":1}': {}, "v:100": {}, "i:3": {".": {}, "f:x": {}}}


def test_a_subresource_does_not_take_them_over() -> None:
    live = made(THING, spec={"texts": {"a": "1"}})
    assert rewritten(live, [entry({"f:spec": {}})], subresource="status") == {"ann": THINGS}


def test_an_owner_in_another_version_loses_its_claims_and_of_custom_resources_all_do() -> None:
    other = [entry({"f:spec": {}}, apiVersion="example.org/v9")]
    assert rewritten(made(THING, spec={}), other) == {}
    assert rewritten(made(CONFIG_MAP, data={"a": "1"}), other) == {"bob": LABEL}


def test_an_owner_in_another_version_that_is_served_keeps_its_claims_but_what_is_changed() -> None:
    before = entry({"f:spec": {"f:texts": {"f:a": {}, "f:b": {}}}}, apiVersion="example.org/v9")
    metadata = {"name": "t", "managedFields": [before]}
    live = {**THING, "metadata": metadata, "spec": {"texts": {"a": "1", "b": "1"}}}
    new = {**live, "spec": {"texts": {"a": "2", "b": "1"}}}
    served = ("example.org/v9", THING["apiVersion"])
    found = apply.update(live, new, manager="ann", schema=SCHEMA, now=NOW, served=served)
    assert {one["manager"]: one["fieldsV1"] for one in found["metadata"]["managedFields"]} == {
        "zoe": {"f:spec": {"f:texts": {"f:b": {}}}},
        "ann": {"f:spec": {"f:texts": {"f:a": {}}}},
    }


def test_who_owned_a_part_of_what_is_owned_as_a_whole_owns_all_of_it() -> None:
    live = made(THING, spec={"whole": {"a": "1"}})
    found = rewritten(live, [entry({"f:spec": {"f:whole": {"f:a": {}}, "f:texts": {"f:a": {}}}})])
    assert found["zoe"] == {"f:spec": {"f:whole": {}, "f:texts": {"f:a": {}}}}


def test_an_item_that_loses_its_key_cannot_be_compared() -> None:
    config = {**THING, "metadata": {"name": "t"}, "spec": {"named": [{"name": "a", "value": "1"}]}}
    claims: dict[str, Any] = {"ann": {"f:name": {}}, "zoe": {".": {}, "f:value": {}}}
    entries = [
        entry({"f:spec": {"f:named": {'k:{"name":"a"}': fields}}}, manager=manager, operation="Apply")
        for manager, fields in claims.items()
    ]
    live = {**config, "metadata": {"name": "t", "managedFields": entries}}
    bare = {**THING, "metadata": {"name": "t"}, "spec": {"texts": {}}}
    with pytest.raises(apply.ApplyError, match="element 0: associative list with keys has an element that omits"):
        apply.apply(live, bare, manager="ann", schema=SCHEMA, now=NOW)


def test_what_an_event_always_has_is_owned_only_where_it_differs() -> None:
    event = {"apiVersion": "v1", "kind": "Event"}
    found = made(event, involvedObject={"name": "x"}, reason="R", source={"component": "c"}, firstTimestamp=NOW)
    assert found["metadata"]["managedFields"][0]["fieldsV1"] == {
        "f:firstTimestamp": {},
        "f:involvedObject": {},
        "f:reason": {},
        "f:source": {"f:component": {}},
    }
    assert (found["eventTime"], found["reportingComponent"]) == (None, "")


def test_conditions_of_a_definition_are_owned_by_their_type() -> None:
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    spec = {"group": "g", "names": {"kind": "K", "plural": "ks"}, "scope": "Cluster", "versions": [{"name": "v1"}]}
    live = made(definition, spec=spec)
    assert live["metadata"]["managedFields"][0]["fieldsV1"] == {
        "f:spec": {"f:group": {}, "f:names": {"f:kind": {}, "f:plural": {}}, "f:scope": {}, "f:versions": {}}
    }
    new = {**live, "status": {"conditions": [{"type": "Established", "status": "True"}], "storedVersions": ["v1"]}}
    found = apply.update(live, new, manager="server", schema=None, now=NOW, subresource="status")
    fields = next(one["fieldsV1"] for one in found["metadata"]["managedFields"] if one["manager"] == "server")
    condition: dict[str, Any] = {".": {}, "f:status": {}, "f:type": {}}
    assert fields == {"f:status": {"f:conditions": {'k:{"type":"Established"}': condition}, "f:storedVersions": {}}}


def test_structs_of_built_in_kinds_were_always_there_and_nobody_added_them() -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    found = made(lease, spec={"holderIdentity": "h"})
    assert found["metadata"]["managedFields"][0]["fieldsV1"] == {"f:spec": {"f:holderIdentity": {}}}
    assert made(lease)["spec"] == {}


def test_null_in_a_built_in_kind_is_nothing() -> None:
    live = made(CONFIG_MAP, data={"a": "1"})
    assert "data" not in apply.update(live, {**live, "data": None}, manager="bob", schema=None, now=NOW)


def test_owners_of_an_object_are_keyed_by_uid_and_finalizers_are_a_set() -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1"}
    metadata = {"name": "t", "finalizers": ["example.org/f"], "ownerReferences": [owner]}
    for identity, schema in ((THING, SCHEMA), (CONFIG_MAP, None), ({"apiVersion": "v9", "kind": "Free"}, None)):
        found = apply.apply(None, {**identity, "metadata": metadata}, manager="ann", schema=schema, now=NOW)
        fields = found["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]
        if identity.get("kind") == "Free":
            assert fields == {"f:finalizers": {}, "f:ownerReferences": {}}
        else:
            assert fields == {"f:finalizers": {'v:"example.org/f"': {}}, "f:ownerReferences": {'k:{"uid":"u-1"}': {}}}
