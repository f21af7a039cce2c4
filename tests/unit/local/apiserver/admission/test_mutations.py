"""What mutating policies do to a write: every answer was seen to be that of a real API server (Kubernetes 1.36)."""

import pytest

from admission_policies import (
    CONFIG,
    DENIED,
    PARAMS,
    SEEN,
    bind,
    data,
    patches,
    policy,
    put,
    settings,
    told,
)
from admission_world import World, config
from groundplane.core.manifest import JSON, Manifest
from plane_process import widget, widget_definition

GROWS = 'has(object.data.{0}) ? object.data.{0} + "x" : "x"'


def grows(name: str, key: str, again: str = "IfNeeded") -> Manifest:
    """Return a policy that counts how often it was asked, and notes whether the other one was there before."""
    other = {"n": "m", "m": "n"}[key]
    notes = put(f"{key}saw{other}", '"1"', f"has(object.data.{other})")
    return policy(name, mutations=patches(put(key, f"({GROWS.format(key)})"), notes), reinvocationPolicy=again)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("Never", "Never", {"n": "x", "m": "x", "msawn": "1"}),
        ("Never", "IfNeeded", {"n": "x", "m": "xx", "msawn": "1"}),
        ("IfNeeded", "Never", {"n": "xx", "m": "x", "msawn": "1", "nsawm": "1"}),
        ("IfNeeded", "IfNeeded", {"n": "xx", "m": "xx", "msawn": "1", "nsawm": "1"}),
    ],
)
def test_a_policy_is_asked_again_if_it_says_so(plane: World, first: str, second: str, found: dict[str, str]) -> None:
    bind(plane, grows("ta", "n", first))
    bind(plane, grows("tb", "m", second))
    assert data(plane) == {"x": "1", **found}


def test_a_mutation_sees_what_those_before_it_did(plane: World) -> None:
    mutations = patches(put("n", f"({GROWS.format('n')})"), put("m", 'object.data.n + "m"'))
    bind(plane, policy(mutations=mutations))
    assert data(plane) == {"x": "1", "n": "xx", "m": "xxm"}


def test_each_parameter_changes_what_the_one_before_it_left(plane: World) -> None:
    for name in ("one", "two"):
        plane.create("owner", config(name), keep=True)
    value = 'object.data.?n.orValue("") + params.metadata.name'
    bind(
        plane,
        policy(mutations=patches(put("n", value)), paramKind=PARAMS, reinvocationPolicy="Never"),
        paramRef={"selector": {}, "parameterNotFoundAction": "Deny"},
    )
    assert data(plane)["n"] == "onetwo"


PATCHES = {
    '[JSONPatch{op: "remove", path: "/data/none"}]': (
        403,
        "JSON Patch: error in remove for path: '/data/none': Unable to remove nonexistent key: none: missing value",
    ),
    '[JSONPatch{op: "add", path: "/metadata/annotations/a", value: "b"}]': (
        403,
        'JSON Patch: add operation does not apply: doc is missing path: "/metadata/annotations/a": missing value',
    ),
    '[JSONPatch{op: "add", path: "/bogus", value: 2}]': (
        500,
        'Internal error occurred: strict decoding error: unknown field "bogus"',
    ),
}


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_that_does_not_fit_is_refused(plane: World, patch: str) -> None:
    bind(plane, policy(mutations=patches(patch)))
    code, said = PATCHES[patch]
    wanted = ("Invalid", DENIED + said) if code == 403 else ("InternalError", said)
    assert told(plane) == (code, *wanted)


def test_a_patch_whose_test_fails_does_nothing(plane: World) -> None:
    test, added = (
        'JSONPatch{op: "test", path: "/data/x", value: "2"}',
        'JSONPatch{op: "add", path: "/data/y", value: "z"}',
    )
    bind(plane, policy(mutations=patches(f"[{added}, {test}]")))
    assert data(plane) == {"x": "1"}


def test_the_entries_of_a_patch_are_expressions_in_any_order(plane: World) -> None:
    patch = '[JSONPatch{value: has(object.data.x) ? {} : {}, path: "/metadata/labels", op: "add"}]'
    escaped = '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b"), value: "d"}]'
    bind(plane, policy(mutations=patches(patch, escaped)))
    bind(plane, policy("u", mutations=patches(put("y", 'has(object.data.x) ? "op: JSONPatch{" : "no"'))))
    made = plane.create("owner", settings()).manifest
    assert (made["metadata"]["labels"], made["data"]["y"]) == ({"a/b": "d"}, "op: JSONPatch{")


def owners(manifest: Manifest) -> dict[tuple[str, str], JSON]:
    return {(one["manager"], one["operation"]): one["fieldsV1"] for one in manifest["metadata"]["managedFields"]}


def test_what_a_policy_changed_belongs_to_nobody(plane: World) -> None:
    bind(plane, policy(mutations=patches(put("seen", '"s"'))))
    made = plane.create("owner", settings(), keep=True).manifest
    assert (made["data"]["seen"], owners(made)) == ("s", {("me", "Update"): {"f:data": {".": {}, "f:x": {}}}})
    changed = plane.patch("owner", CONFIG, "default", "a", {"data": {"x": "2", "seen": None}}, keep=True).manifest
    assert (changed["data"]["seen"], "f:seen" in str(owners(changed))) == ("s", False)
    request = plane.request("owner", CONFIG, "default", "b")
    for value in "12":
        applied = plane.api.apply(request, settings("b", x=value))[0].manifest
        assert applied["data"] == {"x": value, "seen": "s"}
        assert owners(applied) == {("me", "Apply"): {"f:data": {"f:x": {}}}}


def test_applying_the_same_again_writes_nothing_though_a_policy_is_at_work(plane: World) -> None:
    bind(plane, policy(mutations=patches(put("seen", '"s"'))))
    request = plane.request("owner", CONFIG, "default", "a")
    before = plane.api.apply(request, settings())[0].manifest["metadata"]["resourceVersion"]
    assert plane.api.apply(request, settings())[0].manifest["metadata"]["resourceVersion"] == before


def test_what_policies_make_has_its_defaults_and_is_held_against_the_schema(plane: World) -> None:
    plane.create("owner", widget_definition(), keep=True)
    rule = {"apiGroups": ["example.dev"], "resources": ["widgets"]}
    kept = '[JSONPatch{op: "remove", path: "/spec/replicas"}, JSONPatch{op: "add", path: "/spec/bogus", value: 1}]'
    bind(plane, policy(mutations=patches(kept), rule=rule, reinvocationPolicy="Never"))
    assert plane.create("owner", widget("w")).manifest["spec"] == {"color": "red", "replicas": 1}
    wrong = '[JSONPatch{op: "add", path: "/spec/color", value: 1}]'
    bind(plane, policy("u", mutations=patches(wrong), rule=rule))
    assert told(plane, widget("w"))[:2] == (422, "Invalid")


def test_what_is_about_to_be_made_has_neither_for_those_who_change_it(plane: World) -> None:
    bind(plane, policy(mutations=patches(put("seen", SEEN))))
    assert data(plane)["seen"] == "false true a a default"
    generated = settings()
    generated["metadata"] = {"generateName": "gen-", "namespace": "default"}
    assert plane.create("owner", generated).manifest["data"]["seen"] == "false true - - default"
