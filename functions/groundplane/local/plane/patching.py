"""Bodies of patches. TO BE REPLACED: a stand-in with the same names."""

from __future__ import annotations

import copy

import jsonpatch

from groundplane.core.manifest import JSON, Manifest
from groundplane.local.plane.errors import StatusError, bad_request


def merge_patch(target: JSON, patch: JSON) -> JSON:
    """Return *target* changed by the merge patch *patch* (RFC 7386)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def json_patch(target: Manifest, patch: JSON) -> JSON:
    """Return *target* changed by the JSON patch *patch* (RFC 6902).

    Raises:
        StatusError: A test failed or a path is not there (422), or *patch* is none (400).
    """
    if not isinstance(patch, list):
        kind = "object" if isinstance(patch, dict) else "value"
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        )
    try:
        return jsonpatch.apply_patch(copy.deepcopy(target), patch)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
        raise StatusError(
            422, "Invalid", "the server rejected our request due to an error in our request", {}
        ) from None


def strategic_merge_patch(target: Manifest, patch: JSON) -> JSON:
    """Return *target* changed by the strategic merge patch *patch*, as far as core kinds need it."""
    return merge_patch(target, patch)
