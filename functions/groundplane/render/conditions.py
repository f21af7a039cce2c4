"""The claim's status and conditions, as Crossplane derives them from an answer."""

from __future__ import annotations

from collections.abc import Iterable

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest, at
from groundplane.render.protobuf import manifest

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


def begun(xr: Manifest) -> list[Manifest]:
    """Return all conditions of *xr* as the function is shown them: Crossplane says first that it is responsive."""
    # Only a claim that is reconciled too often is not; one reconcile never is.
    responsive = _own(xr, "Responsive", "True", "WatchCircuitClosed")
    return [*_set(before(xr), [responsive]).values()]


def after_success(xr: Manifest, sent: Iterable[fnv1.Condition], desired: fnv1.State) -> dict[str, Manifest]:
    """Return all conditions after everything was applied; one that is not sent again stays."""
    synced = _own(xr, "Synced", "True", "ReconcileSuccess")
    ready = _own(xr, "Ready", *readiness(desired))
    # What the function writes into the status itself comes first, and what the claim had over it.
    written = before(manifest(desired.composite.resource))
    return _set(written, [*before(xr).values(), *of_function(sent).values(), synced, ready])


def after_fatal(xr: Manifest, sent: Iterable[fnv1.Condition], step: str, message: str) -> dict[str, Manifest]:
    """Return all conditions after a fatal result: ``Ready`` stays, what was not sent is unknown."""
    seen = of_function(sent)
    text = f'cannot compose resources: pipeline step "{step}" returned a fatal result: {message}'
    synced = _own(xr, "Synced", "False", "ReconcileError", text)
    # Crossplane does this to every condition that a failed turn did not send.
    words = "A fatal error occurred before the status of this condition could be determined."
    unseen = [
        _own(xr, kind, "Unknown", "FatalError", words)
        for kind in before(xr)
        if kind not in seen and kind not in SYSTEM_TYPES
    ]
    return _set(before(xr), [synced, *seen.values(), *unseen])


def _own(xr: Manifest, kind: str, status: str, reason: str, message: str = "") -> Manifest:
    """Return a condition that Crossplane itself sets: it says of which generation of *xr* it speaks."""
    generation = at(xr, "metadata", "generation")
    made = condition(kind, status, reason, message)
    return {**made, "observedGeneration": generation} if generation else made


def _set(known: dict[str, Manifest], made: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return *known* with each of *made* that says something else than before, in its old place or at the end."""
    after = dict(known)
    for one in made:
        old = after.get(one["type"])
        if old is None or not _alike(old, one):
            after[one["type"]] = one
    return after


def _alike(old: Manifest, new: Manifest) -> bool:
    said = all(old.get(field, "") == new.get(field, "") for field in ("status", "reason", "message"))
    generations = {old.get("observedGeneration"), new.get("observedGeneration")} - {None}
    return said and len(generations) < 2  # noqa: PLR2004  # only where both name one can they differ


def readiness(desired: fnv1.State) -> tuple[str, str, str]:
    """Return status, reason and message of ``Ready``: the function's word for the claim, else for its resources."""
    if desired.composite.ready == fnv1.READY_TRUE:
        return "True", "Available", ""
    if desired.composite.ready == fnv1.READY_FALSE:
        return "False", "Creating", ""
    unready = sorted(name for name, one in desired.resources.items() if one.ready != fnv1.READY_TRUE)
    if not unready:
        return "True", "Available", ""
    named = ", ".join(unready[:NAMED_FIRST])
    more = len(unready) - NAMED_FIRST
    text = f"{named}, and {more} more" if more > 0 else named
    return "False", "Creating", f"Unready resources: {text}"
