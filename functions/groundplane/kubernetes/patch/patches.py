"""Patches of whole objects, as the API server applies them: merge, JSON, and the strategic merge of built-in kinds."""

from __future__ import annotations

import copy

import jsonpatch

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.patch.strategic import StrategicError, combined

_BAD_REQUEST, _UNPROCESSABLE, _TOO_LARGE = 400, 422, 413
_MOST_OPERATIONS = 10_000
_GO_KINDS = {list: "array", str: "string", bool: "bool", int: "number", float: "number", dict: "object"}
_REJECTED = "the server rejected our request due to an error in our request"


class PatchError(Exception):
    """The patch cannot be applied; the message is the API server's.

    Attributes:
        code: The HTTP status.
        reason: The reason of the Status.
    """

    def __init__(self, code: int, reason: str, message: str) -> None:
        """Say *message*, and answer with *code* and *reason*."""
        super().__init__(message)
        self.code = code
        self.reason = reason


def merge_patched(live: Manifest, patch: JSON) -> Manifest:
    """Return *live* with a merge patch (RFC 7386) applied; neither argument is changed.

    As the API server does and the RFC does not, null is also left out of what replaces no map, inside of lists, too.

    Raises:
        PatchError: *patch* is no object.
    """
    if patch is None:
        raise PatchError(_BAD_REQUEST, "BadRequest", "Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise _undecodable(patch, "map[string]interface {}")
    return _merged_map(live, patch)


def json_patched(live: Manifest, patch: JSON) -> JSON:
    """Return *live* with a JSON patch (RFC 6902) applied; neither argument is changed. The result may be no object.

    As the API server does and the RFC does not, `replace` also adds a missing field, `test` takes a missing field for
    null, and a missing value is null.

    Raises:
        PatchError: *patch* is no list of operations (400), or one of them fails, a `test` among them (422).
    """
    if not isinstance(patch, list):
        raise _undecodable(patch, "[]handlers.jsonPatchOp")
    if len(patch) > _MOST_OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {_MOST_OPERATIONS}, got {len(patch)}"
        raise PatchError(_TOO_LARGE, "RequestEntityTooLarge", message)
    document: JSON = copy.deepcopy(live)
    for operation in patch:
        if not isinstance(operation, dict):
            raise _undecodable(operation, "handlers.jsonPatchOp")
        document = _operated(document, operation)
    return document


def strategic_patched(live: Manifest, patch: JSON) -> Manifest:
    """Return *live*, an object of a built-in kind, with a strategic merge patch applied; neither argument is changed.

    Raises:
        PatchError: *patch* is no object, or holds a directive that does not fit.
    """
    if patch is None:
        return live
    if not isinstance(patch, dict):
        kind = _GO_KINDS[type(patch)]
        message = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise PatchError(_BAD_REQUEST, "BadRequest", message)
    try:
        return combined(live, patch)
    except StrategicError as error:
        raise PatchError(error.code, "Invalid" if error.code == _UNPROCESSABLE else "", str(error)) from None


def _undecodable(patch: JSON, wanted: str) -> PatchError:
    kind = _GO_KINDS.get(type(patch), "null")
    message = f"error decoding patch: json: cannot unmarshal {kind} into Go value of type {wanted}"
    return PatchError(_BAD_REQUEST, "BadRequest", message)


def _merged_map(live: Manifest, patch: Manifest) -> Manifest:
    found = dict(live)
    for name, entry in patch.items():
        if entry is None:
            found.pop(name, None)
        elif isinstance(found.get(name), dict):
            found[name] = _merged_map(found[name], entry) if isinstance(entry, dict) else entry
        else:
            found[name] = _without_nulls(entry)
    return found


def _without_nulls(value: JSON) -> JSON:
    """Return *value* without what is null in maps at any depth; a null in a list stays."""
    if isinstance(value, dict):
        return {name: _without_nulls(entry) for name, entry in value.items() if entry is not None}
    return [_without_nulls(entry) for entry in value] if isinstance(value, list) else value


def _operated(document: JSON, operation: Manifest) -> JSON:
    if operation.get("op") in {"add", "replace", "test"}:
        operation = {"value": None, **operation}
    try:
        if operation.get("op") in {"replace", "test"} and _is_missing(document, operation):
            if operation["op"] == "test":
                return _tested_for_null(document, operation["value"])
            operation = {**operation, "op": "add"}
        return jsonpatch.apply_patch(document, [operation], in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError, ValueError):
        raise PatchError(_UNPROCESSABLE, "Invalid", _REJECTED) from None


def _is_missing(document: JSON, operation: Manifest) -> bool:
    parent, part = jsonpatch.JsonPointer(operation["path"]).to_last(document)
    return isinstance(parent, dict) and part is not None and part not in parent


def _tested_for_null(document: JSON, value: JSON) -> JSON:
    if value is not None:
        raise PatchError(_UNPROCESSABLE, "Invalid", _REJECTED)
    return document
