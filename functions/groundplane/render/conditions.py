"""The claim's status and conditions, as Crossplane derives them from an answer."""

from __future__ import annotations

from collections.abc import Iterable

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest, at

# Conditions need a time, and two runs must be equal: the moment Crossplane's own render writes.
TRANSITION_TIME = "2024-01-01T00:00:00Z"
SYSTEM_TYPES = frozenset({"Ready", "Synced", "Healthy", "UpToDate", "Responsive"})
NAMED_FIRST = 3  # how many unready resources the message names

_STATUS = {fnv1.STATUS_CONDITION_TRUE: "True", fnv1.STATUS_CONDITION_FALSE: "False"}


def condition(kind: str, status: str, reason: str, message: str = "") -> Manifest:
    """Return one condition; the message is left out when it is empty."""
    made = {
        "type": kind,
        "status": status,
        "reason": reason,
        "lastTransitionTime": TRANSITION_TIME,
    }
    return {**made, "message": message} if message else made


def of_function(sent: Iterable[fnv1.Condition]) -> dict[str, Manifest]:
    """Return the function's conditions by type, without the types that are Crossplane's own."""
    return {
        one.type: condition(one.type, _STATUS.get(one.status, "Unknown"), one.reason, one.message)
        for one in sent
        if one.type not in SYSTEM_TYPES
    }


def before(xr: Manifest) -> dict[str, Manifest]:
    """Return the conditions *xr* has already, by type."""
    found = at(xr, "status", "conditions")
    listed = found if isinstance(found, list) else []
    return {one["type"]: one for one in listed if isinstance(one, dict) and one.get("type")}


def after_success(xr: Manifest, sent: Iterable[fnv1.Condition], ready: Manifest) -> dict[str, Manifest]:
    """Return all conditions after everything was applied; one that is not sent again stays."""
    synced = condition("Synced", "True", "ReconcileSuccess")
    return {**before(xr), **of_function(sent), "Synced": synced, "Ready": ready}


def after_fatal(xr: Manifest, sent: Iterable[fnv1.Condition], step: str, message: str) -> dict[str, Manifest]:
    """Return all conditions after a fatal result: ``Ready`` stays, what was not sent is unknown."""
    seen = of_function(sent)
    # Crossplane does this to every condition that a failed turn did not send.
    unseen = {
        kind: condition(
            kind,
            "Unknown",
            "FatalError",
            "A fatal error occurred before the status of this condition could be determined.",
        )
        for kind in before(xr)
        if kind not in seen and kind not in SYSTEM_TYPES
    }
    text = f'cannot compose resources: pipeline step "{step}" returned a fatal result: {message}'
    synced = condition("Synced", "False", "ReconcileError", text)
    return {**before(xr), **unseen, **seen, "Synced": synced}


def readiness(desired: fnv1.State) -> Manifest:
    """Return ``Ready``: the function's word for the claim, else for each of its resources."""
    if desired.composite.ready == fnv1.READY_TRUE:
        return condition("Ready", "True", "Available")
    if desired.composite.ready == fnv1.READY_FALSE:
        return condition("Ready", "False", "Creating")
    unready = sorted(name for name, one in desired.resources.items() if one.ready != fnv1.READY_TRUE)
    if not unready:
        return condition("Ready", "True", "Available")
    named = ", ".join(unready[:NAMED_FIRST])
    more = len(unready) - NAMED_FIRST
    text = f"{named}, and {more} more" if more > 0 else named
    return condition("Ready", "False", "Creating", f"Unready resources: {text}")
