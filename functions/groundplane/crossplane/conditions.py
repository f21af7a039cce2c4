"""The claim's status and conditions, as Crossplane derives them from an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest, at
from groundplane.crossplane.structs import manifest

# Conditions need a time, and two runs must be equal: the moment Crossplane's own render writes.
TRANSITION_TIME = "2024-01-01T00:00:00Z"
SYSTEM_TYPES = frozenset({"Ready", "Synced", "Healthy", "UpToDate", "Responsive"})
NAMED_FIRST = 3  # how many unready resources the message names

_STATUS = {fnv1.STATUS_CONDITION_TRUE: "True", fnv1.STATUS_CONDITION_FALSE: "False"}


def condition(kind: str, status: str, reason: str, message: str = "", now: str = TRANSITION_TIME) -> Manifest:
    """Return one condition, which began *now*; the message is left out when it is empty."""
    made = {
        "type": kind,
        "status": status,
        "reason": reason,
        "lastTransitionTime": now,
    }
    return {**made, "message": message} if message else made


def of_function(sent: Iterable[fnv1.Condition], now: str = TRANSITION_TIME) -> dict[str, Manifest]:
    """Return the function's conditions by type, without the types that are Crossplane's own."""
    return {
        one.type: condition(one.type, _STATUS.get(one.status, "Unknown"), one.reason, one.message, now)
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
    return marked(xr, own(xr, "Responsive", "True", "WatchCircuitClosed"))


def after_success(
    xr: Manifest,
    sent: Iterable[fnv1.Condition],
    desired: fnv1.State,
    *,
    unsynced: Sequence[str] = (),
    now: str = TRANSITION_TIME,
) -> dict[str, Manifest]:
    """Return all conditions after everything but *unsynced* was applied; one that is not sent again stays."""
    synced = own(xr, "Synced", "True", "ReconcileSuccess", now=now)
    if unsynced:
        synced = own(xr, "Synced", "False", "ReconcileError", f"Unsynced resources: {_named(unsynced)}", now=now)
    status, reason, message = readiness(desired)
    ready = own(xr, "Ready", status, reason, message, now=now)
    # What the function writes into the status itself comes first, and what the claim had over it.
    written = before(manifest(desired.composite.resource))
    return _set(written, [*before(xr).values(), *of_function(sent, now).values(), synced, ready])


def after_fatal(xr: Manifest, sent: Iterable[fnv1.Condition], step: str, message: str) -> dict[str, Manifest]:
    """Return all conditions after a fatal result: ``Ready`` stays, what was not sent is unknown."""
    return after_error(xr, sent, fatal_error(step, message))


def fatal_error(step: str, message: str) -> str:
    """Return what Crossplane says after a fatal result of *step*."""
    return f'cannot compose resources: pipeline step "{step}" returned a fatal result: {message}'


def after_error(
    xr: Manifest, sent: Iterable[fnv1.Condition], text: str, now: str = TRANSITION_TIME
) -> dict[str, Manifest]:
    """Return all conditions when composing failed as *text* says: ``Ready`` stays, what was not sent is unknown."""
    seen = of_function(sent, now)
    synced = own(xr, "Synced", "False", "ReconcileError", text, now=now)
    # Crossplane does this to every condition that a failed turn did not send.
    words = "A fatal error occurred before the status of this condition could be determined."
    unseen = [
        own(xr, kind, "Unknown", "FatalError", words, now=now)
        for kind in before(xr)
        if kind not in seen and kind not in SYSTEM_TYPES
    ]
    return _set(before(xr), [synced, *seen.values(), *unseen])


def marked(xr: Manifest, *made: Manifest) -> list[Manifest]:
    """Return all conditions of *xr* with each of *made* that says something else than before."""
    return [*_set(before(xr), made).values()]


def own(  # noqa: PLR0913  # A condition has so many parts.
    xr: Manifest, kind: str, status: str, reason: str, message: str = "", *, now: str = TRANSITION_TIME
) -> Manifest:
    """Return a condition that Crossplane itself sets: it says of which generation of *xr* it speaks."""
    generation = at(xr, "metadata", "generation")
    made = condition(kind, status, reason, message, now)
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
    return "False", "Creating", f"Unready resources: {_named(unready)}"


def _named(resources: Sequence[str]) -> str:
    first, more = ", ".join(sorted(resources)[:NAMED_FIRST]), len(resources) - NAMED_FIRST
    return f"{first}, and {more} more" if more > 0 else first
