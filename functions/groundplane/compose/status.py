"""The status: what a claim is told, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplane.core.manifest import DELETION_POLICY, Manifest, without_none
from groundplane.lifecycle import protection

if TYPE_CHECKING:
    from groundplane.compose.request import Request
    from groundplane.contracts.resolve import Effective
    from groundplane.core.observation import Observed
    from groundplane.core.rendered import Backups, Rendered
    from groundplane.core.slot import Slot


def status_of(  # noqa: PLR0913  # All that a status is made of.
    request: Request,
    effective: Effective,
    slot: Slot,
    rendered: Rendered,
    anchor: Observed | None,
    *,
    retiring_to: Slot | None,
) -> Manifest:
    """Return the whole status of a claim served in *slot*. A field left out is removed, which is meant.

    Engine and slot are told only once *anchor*, the object that is the data, is there: they mean that something can
    be lost.
    """
    facts = rendered.facts
    serves = anchor is not None
    status = {
        "observedGeneration": request.claim.generation,
        "lastHandledReconcileAt": request.manifest.annotation("crossplane.io/reconcile-requested-at"),
        "engine": slot.engine if serves else None,
        "slot": str(slot) if serves else None,
        "version": facts.version,
        "deletion": _deletion(request, rendered),
        "binding": {"name": request.claim.binding} if rendered.binding else None,
        "endpoints": [{"name": facts.endpoint.name, "host": facts.endpoint.host, "port": facts.endpoint.port}]
        if facts.endpoint
        else None,
        "effective": _effective(effective, rendered),
        "waived": [
            {"guarantee": str(entry.guarantee), "asked": entry.asked, "given": entry.given}
            for entry in effective.waived
        ]
        or None,
        "backup": _backup(facts.backups) if serves else None,
        "migration": _migration(slot, retiring_to) if retiring_to else None,
    }
    return without_none(status)


def _deletion(request: Request, rendered: Rendered) -> Manifest | None:
    """Return the policy that really stands on the objects: Delete only when every one of them says so."""
    guarded = protection.guarded(request.seen)
    if not guarded:
        return None
    released = rendered.facts.releasable and all(
        found.annotation(DELETION_POLICY) == "Delete" for found in guarded.values()
    )
    names = sorted(f"{found.at('kind')}/{found.name}" for found in guarded.values())
    return {"inForce": "Delete" if released else "Protect", "stateful": names}


def _effective(effective: Effective, rendered: Rendered) -> Manifest:
    objectives = {
        "failureTolerance": rendered.given.failure_tolerance,
        "rpoSeconds": effective.rpo_seconds,
        "rtoSeconds": effective.rto_seconds,
    }
    return without_none(
        {
            "size": rendered.given.size,
            "resources": {"cpu": rendered.given.cpu, "memory": rendered.given.memory},
            "deletionPolicy": effective.deletion_policy,
            "objectives": without_none(objectives),
            "backup": {"retentionDays": effective.retention_days} if effective.retention_days else None,
            "recovery": {"drill": {"policy": "Never"}},
        }
    )


def _backup(backups: Backups) -> Manifest | None:
    found = without_none(
        {
            "id": backups.id,
            "lastSuccessTime": backups.last_success,
            "lastFailureTime": backups.last_failure,
            "lastFailureMessage": backups.failure or None,
            "firstRecoverableTime": backups.first_recoverable,
            "latestRecoverableTime": backups.latest_recoverable,
        }
    )
    return found or None


def _migration(slot: Slot, target: Slot) -> Manifest:
    return {
        "phase": "Retiring",
        "sourceSlot": str(slot),
        "targetSlot": str(target),
        "plan": [f"mark every object of {slot} with the consent", f"destroy {slot}", f"start {target} empty"],
        "message": f"waiting until the consent stands on every object of {slot}",
    }
