"""What mutating policies make of an object: each sees what those before it did, and some are asked again."""

from __future__ import annotations

import copy

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.cel.policies import RuleError
from groundplane.kubernetes.patch import patches
from groundplane.local.apiserver.admission import denials
from groundplane.local.apiserver.admission.context import Sight
from groundplane.local.apiserver.admission.denials import ConfigError
from groundplane.local.apiserver.admission.policies import Bound


class _PatchFailedError(Exception):
    """A patch does not fit the object; the message is the API server's."""


def mutated(policies: list[Bound], sight: Sight) -> Manifest | None:
    """Return the object of *sight* as *policies* leave it, in this order.

    Raises:
        StatusError: one of them cannot be carried out.
    """
    last = -1  # the last one that changed anything
    for index, one in enumerate(policies):
        if _carried_out(one, sight):
            last = index
    for one in policies[: last + 1]:
        # What one changed may be the business of one before it, and of itself.
        if one.spec.get("reinvocationPolicy") == "IfNeeded":
            _carried_out(one, sight)
    return sight.asked.new


def _carried_out(one: Bound, sight: Sight) -> bool:
    """Let a policy change the object of *sight*; return whether it did."""
    before = sight.asked.new
    try:
        for params in [*sight.parameters(one)]:
            for mutation in one.spec.get("mutations") or []:
                _mutate(one, sight, params, mutation)
    except ConfigError as error:
        if one.fails:
            raise denials.misconfigured(one, sight.asked, error) from None
    return sight.asked.new != before


def _mutate(one: Bound, sight: Sight, params: Manifest | None, mutation: Manifest) -> None:
    found = sight.asked.new
    if found is None:
        return
    try:
        patch = sight.scope(one, params).value(mutation["jsonPatch"]["expression"])
        sight.become(_patched(found, patch))
    except (RuleError, _PatchFailedError) as error:
        if one.fails:
            raise denials.denied(one, sight.asked, str(error), "Invalid") from None


def _patched(found: Manifest, patch: JSON) -> Manifest:
    made: JSON = copy.deepcopy(found) if patch else found
    for operation in patch:
        operation.pop("", None)
        try:
            made = patches.json_patched(made, [operation])
        except patches.PatchError:
            if operation.get("op") == "test":
                return found  # nothing of it is done then
            raise _PatchFailedError(f"JSON Patch: {_why(made, operation)}") from None
    changed: Manifest = made
    return changed


def _why(found: Manifest, operation: Manifest) -> str:
    op, path = operation.get("op"), str(operation.get("path"))
    *parents, last = path.removeprefix("/").split("/")
    place: JSON = found
    for parent in parents:
        place = place.get(parent.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else place
    if op == "remove" and isinstance(place, dict):
        return f"error in remove for path: '{path}': Unable to remove nonexistent key: {last}: missing value"
    return f'{op} operation does not apply: doc is missing path: "{path}": missing value'
