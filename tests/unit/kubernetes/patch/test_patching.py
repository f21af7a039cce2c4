"""Merge, JSON and strategic patches do what the server does, where it leaves the RFCs, too."""

import copy
from typing import Any

import pytest

from groundplane.kubernetes.patch import patches

LIVE = {"a": {"x": 1, "y": [1]}, "n": None, "l": [{"k": 1}], "metadata": {"name": "t"}}


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({"a": {"x": None, "z": 2}}, {"a": {"y": [1], "z": 2}}),
        ({"a": 1}, {"a": 1}),
        ({"n": {"b": None, "c": [{"d": None}, None]}}, {"n": {"c": [{}, None]}}),
        ({"new": {"b": {"c": None}}}, {"new": {"b": {}}}),
        ({"l": [{"k": None}]}, {"l": [{}]}),
        ({"a": [{"k": None}]}, {"a": [{"k": None}]}),
        ({"missing": None}, {}),
    ],
)
def test_a_merge_patch_merges_maps_and_null_takes_away(patch: dict[str, Any], changed: dict[str, Any]) -> None:
    live = copy.deepcopy(LIVE)
    assert patches.merge_patched(live, patch) == {**LIVE, **changed}
    assert live == LIVE


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ([1], "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (1, "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}"),
        (None, "Invalid JSON Patch"),
    ],
)
def test_a_merge_patch_that_is_no_object_is_a_bad_request(patch: Any, message: str) -> None:
    with pytest.raises(patches.PatchError) as error:
        patches.merge_patched(LIVE, patch)
    assert (error.value.code, error.value.reason, str(error.value)) == (400, "BadRequest", message)


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "add", "path": "/a/z", "value": 1}, {"a": {"x": 1, "y": [1], "z": 1}}),
        ({"op": "add", "path": "/a/y/-", "value": 2}, {"a": {"x": 1, "y": [1, 2]}}),
        ({"op": "add", "path": "/a/x"}, {"a": {"x": None, "y": [1]}}),
        ({"op": "remove", "path": "/a/y"}, {"a": {"x": 1}}),
        ({"op": "replace", "path": "/a/z", "value": 1}, {"a": {"x": 1, "y": [1], "z": 1}}),
        ({"op": "test", "path": "/a/x", "value": 1}, {}),
        ({"op": "test", "path": "/a/z", "value": None}, {}),
        ({"op": "copy", "from": "/a/x", "path": "/n", "bogus": 1}, {"n": 1}),
    ],
)
def test_a_json_patch_does_its_operations(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    live = copy.deepcopy(LIVE)
    assert patches.json_patched(live, [operation]) == {**LIVE, **changed}
    assert live == LIVE


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/x", "value": 2},
        {"op": "test", "path": "/a/z", "value": 2},
        {"op": "remove", "path": "/a/z"},
        {"op": "add", "path": "/z/z", "value": 1},
        {"op": "add", "path": "/l/7", "value": 1},
        {"op": "bogus", "path": "/a"},
        {"path": "/a"},
        {"op": "replace", "path": 5},
        {"op": "move", "path": "/a"},
    ],
)
def test_an_operation_that_fails_is_unprocessable(operation: dict[str, Any]) -> None:
    with pytest.raises(patches.PatchError) as error:
        patches.json_patched(LIVE, [operation])
    message = "the server rejected our request due to an error in our request"
    assert (error.value.code, error.value.reason, str(error.value)) == (422, "Invalid", message)


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ({"op": "add"}, 400, "cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ([1], 400, "cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        ([{}] * 10_001, 413, "The allowed maximum operations in a JSON patch is 10000, got 10001"),
    ],
)
def test_what_is_no_json_patch_is_refused(patch: Any, code: int, message: str) -> None:
    with pytest.raises(patches.PatchError) as error:
        patches.json_patched(LIVE, patch)
    assert error.value.code == code
    assert str(error.value).endswith(message)


ONE = {"uid": "u1", "apiVersion": "v1", "kind": "ConfigMap", "name": "q"}
TWO = {**ONE, "uid": "u2"}
STORED = {"data": {"a": "1"}, "metadata": {"finalizers": ["a", "b"], "ownerReferences": [ONE]}, "spec": {"l": ["x"]}}


@pytest.mark.parametrize(
    ("patch", "path", "wanted"),
    [
        ({"data": {"b": "2"}}, "data", {"a": "1", "b": "2"}),
        ({"data": {"a": None}}, "data", {}),
        ({"data": None}, "data", None),
        ({"data": {"$patch": "replace", "c": "3"}}, "data", {"c": "3"}),
        ({"data": {"$patch": "delete"}}, "data", {}),
        ({"spec": {"l": ["y"]}}, "spec", {"l": ["y"]}),
        ({"metadata": {"finalizers": ["c"]}}, "finalizers", ["c", "a", "b"]),
        ({"metadata": {"finalizers": None}}, "finalizers", None),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"]}}, "finalizers", ["a"]),
        ({"metadata": {"$setElementOrder/finalizers": ["b", "a"]}}, "finalizers", ["b", "a"]),
        (
            {"metadata": {"ownerReferences": [{"uid": "u1", "name": "r"}, TWO]}},
            "ownerReferences",
            [{**ONE, "name": "r"}, TWO],
        ),
        ({"metadata": {"ownerReferences": [{"uid": "u1", "$patch": "delete"}]}}, "ownerReferences", []),
        ({"metadata": {"ownerReferences": [{"$patch": "replace"}, TWO]}}, "ownerReferences", [TWO]),
    ],
)
def test_a_strategic_patch_merges_maps_and_the_lists_of_metadata(patch: dict[str, Any], path: str, wanted: Any) -> None:
    stored = copy.deepcopy(STORED)
    found = patches.strategic_patched(stored, patch)
    assert {**found, **found["metadata"]}.get(path) == wanted
    assert stored == STORED


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([1], 400),
        ({"$patch": "bogus"}, 500),
        ({"metadata": {"finalizers": "x"}}, 422),
        ({"metadata": {"ownerReferences": [{}]}}, 500),
    ],
)
def test_a_strategic_patch_that_does_not_fit_is_refused(patch: Any, code: int) -> None:
    with pytest.raises(patches.PatchError) as error:
        patches.strategic_patched(STORED, patch)
    assert error.value.code == code
