"""Protection: no answer loses data by leaving something out, changing what it is, or taking what is not ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.manifest import (
    CLAIM_UID,
    DATA_UID,
    DELETION_POLICY,
    GUARDED_LABEL,
    RETENTION_DAYS,
    SLOT,
    TAKEOVER,
    at,
)
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from groundplane.contracts.resolve import Effective
    from groundplane.core.claim import Claim
    from groundplane.core.observation import Observation, Observed
    from groundplane.core.rendered import Desired


def guarded(seen: Observation) -> dict[str, Observed]:
    """Return the observed objects that hold data or the keys to it, by composed name."""
    return {name: found for name, found in sorted(seen.composed.items()) if found.label(GUARDED_LABEL) == "true"}


def at_risk(claim: Claim, seen: Observation, anchors: Collection[str]) -> bool:
    """Whether something of this claim exists, so that only a FATAL refusal is sure to lose nothing."""
    found = (seen.existing(name) for name in anchors)
    return (
        bool(seen.status.get("engine"))
        # Whatever its labels say: a label can be taken off an object that holds data.
        or any(Slot.of_resource(name) for name in seen.composed)
        or any(anchor is not None and anchor.belongs_to(claim) and anchor.same_life(claim) for anchor in found)
    )


def check_anchor(claim: Claim, seen: Observation, slot: Slot, anchor: str, *, given_up: bool) -> Claim:
    """Return *claim*, with the life of its data, if those of *slot* are its own, or never were, or were *given_up*.

    Raises:
        Refusal: NameTaken, RetainedDataExists, or WouldLoseData when the claim had data that cannot be found.
    """
    if found := seen.get(anchor):
        # Observed means referenced, not owned: whoever creates a claim writes its references.
        owner = taking_over(claim, found)
        if not found.same_life(owner):
            raise retained(claim, found)
        return owner
    if found := seen.found(anchor):
        owner = taking_over(claim, found)
        check_found(owner, found, guarded=True)
        return owner
    bound = seen.get(BINDING)
    served = seen.status.get("engine") or (bound is not None and bound.annotation(SLOT) == str(slot))
    if served and not given_up:
        raise Refusal(
            Reason.WOULD_LOSE_DATA,
            f"slot {slot} holds the data of this claim, and its object {claim.object(slot)} in namespace"
            f" {claim.namespace} cannot be found. Nothing was changed, and no empty service is made in its place."
            " Bring the object back from a backup of the cluster, or create a new claim with restore.from: Backup.",
        )
    return claim


def taking_over(claim: Claim, data: Observed) -> Claim:
    """Return *claim* with the life of *data*: another's, once somebody consented that this claim takes them over.

    The consent names the uid that stands on the data, so that it holds once: the uid becomes the new claim's.
    """
    mark, consent = data.annotation(CLAIM_UID), data.annotation(TAKEOVER) or ""
    made_for = data.annotation(DATA_UID) or ""
    if mark == claim.uid and made_for:
        return replace(claim, made_for=made_for, taken_from=consent)
    if mark and mark == consent:
        return replace(claim, made_for=made_for or mark, taken_from=mark)
    return claim


def check_found(claim: Claim, found: Observed, *, guarded: bool) -> None:
    """Return if *found*, which has a name that this claim needs, may be taken over.

    Raises:
        Refusal: NameTaken when it is somebody else's, RetainedDataExists when an earlier claim of the name left it.
    """
    what = f"{found.at('kind')} {found.name} in namespace {claim.namespace}"
    if not found.belongs_to(claim):
        raise Refusal(
            Reason.NAME_TAKEN,
            f"{what} exists and does not belong to this claim, which needs the name. Nothing was touched. Remove or"
            " rename it, or give the claim another name.",
        )
    if guarded and not found.same_life(claim):
        raise retained(claim, found)


def retained(claim: Claim, found: Observed) -> Refusal:
    """Return the refusal to take *found* over, which an earlier claim of the name left."""
    mark = found.annotation(CLAIM_UID)
    consent = (
        f" A claim that came back from a backup of the cluster takes it over whole, with its backups, once the platform"
        f" team annotates it: {TAKEOVER}={mark}."
        if mark
        else ""
    )
    return Refusal(
        Reason.RETAINED_DATA_EXISTS,
        f"{found.at('kind')} {found.name} in namespace {claim.namespace} was left by an earlier claim of this name, and"
        " is never taken over silently. Give the claim another name, or delete the object if its data are no longer"
        f" needed.{consent}",
    )


def retain(
    desired: Mapping[str, Desired],
    seen: Observation,
    *,
    retired: Collection[str],
    released: Collection[Slot],
) -> None:
    """Return if applying *desired* loses nothing that *seen* holds.

    *retired* are names that an engine gave up on purpose, *released* are slots whose owner consented and whose
    objects say so.

    Raises:
        Refusal: WouldLoseData, naming the object.
    """
    for name, found in sorted(seen.composed.items()):
        slot = Slot.of_resource(name)
        if slot is None and name != BINDING:
            continue  # another function's; its own business
        wanted = desired.get(name)
        if wanted is not None:
            _same(name, found, wanted)
        elif not _may_go(name, slot, found, retired, released):
            raise Refusal(
                Reason.WOULD_LOSE_DATA,
                f"{found.at('kind')} {found.name} ({name}) would be deleted, and nobody consented. Nothing was"
                " changed. This is a defect of the platform, not of the claim: report it, and go back to the release"
                " before.",
            )


def refuse_weakening(effective: Effective, anchor: Observed | None) -> None:
    """Return if nothing that protects data falls only because the tier was lowered.

    Raises:
        Refusal: UnsafeChange, naming the field to write.
    """
    if anchor is None:
        return
    origin = {demand.path: demand.origin for demand in effective.demands}
    in_force = anchor.annotation(DELETION_POLICY)
    if in_force == "Protect" and effective.deletion_policy == "Delete" and origin["deletionPolicy"] == "tier":
        raise Refusal(
            Reason.UNSAFE_CHANGE,
            "tier: with the lower tier deletionPolicy would fall from Protect to Delete. Write deletionPolicy:"
            " Protect to keep it, or deletionPolicy: Delete if that is meant.",
        )
    days = anchor.annotation(RETENTION_DAYS) or ""
    # Where the environment waives backups that is its decision, and shown; only what the tier takes away is refused.
    kept = effective.retention_days or effective.asked_retention_days or 0
    if days.isdecimal() and int(days) > kept and origin.get("backup.retentionDays", "tier") == "tier":
        raise Refusal(
            Reason.UNSAFE_CHANGE,
            f"tier: with the lower tier backup.retentionDays would fall from {days} to {kept}, and older backups would"
            f" go. Write backup.retentionDays: {days} to keep them, or the smaller number if that is meant.",
        )


def _may_go(
    name: str, slot: Slot | None, found: Observed, retired: Collection[str], released: Collection[Slot]
) -> bool:
    if slot in released or (name == BINDING and released):
        return True
    return name in retired and found.label(GUARDED_LABEL) != "true"


def _same(name: str, found: Observed, wanted: Desired) -> None:
    manifest = wanted.manifest
    group = str(manifest["apiVersion"]).rpartition("/")[0]
    same = (found.at("apiVersion"), found.at("kind")) == (manifest["apiVersion"], manifest["kind"])
    if not same and found.group_kind != f"{manifest['kind']}.{group}":
        raise _changed(name, found, "kind", found.group_kind, f"{manifest['kind']}.{group}")
    if found.name != manifest["metadata"]["name"]:
        raise _changed(name, found, "name", found.name, manifest["metadata"]["name"])
    for path in wanted.identity:
        then, now = found.at(*path), at(manifest, *path)
        if then != now:
            raise _changed(name, found, ".".join(path), then, now)


def _changed(name: str, found: Observed, what: str, then: object, now: object) -> Refusal:
    return Refusal(
        Reason.WOULD_LOSE_DATA,
        f"{found.at('kind')} {found.name} ({name}) would change its {what} from {then} to {now}: that is another"
        " object, and this one would be lost. Nothing was changed. Undo what changed it; in an environment that is"
        " the platform team's to do.",
    )
