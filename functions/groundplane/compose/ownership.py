"""What every composed object wears: whose it is, and what may happen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplane.core.manifest import (
    CLAIM_LABEL,
    CLAIM_UID,
    DATA_UID,
    DELETION_POLICY,
    GUARDED_LABEL,
    RETENTION_DAYS,
    RETIRE_CONSENT,
    SECRET,
    SLOT,
    secret_data,
)
from groundplane.core.rendered import Desired

if TYPE_CHECKING:
    from groundplane.contracts.resolve import Effective
    from groundplane.core.binding import Binding
    from groundplane.core.claim import Claim
    from groundplane.core.manifest import Manifest
    from groundplane.core.slot import Slot


def labelled(desired: Desired, claim: Claim, effective: Effective, consent: Slot | None) -> Desired:
    """Return *desired* with the claim's label and life and, where it is guarded, the deletion policy that applies.

    With *consent* the object says that its slot may be retired: policies look at the stored object, never at the claim.
    """
    annotations = {}
    if desired.guarded:
        annotations[DELETION_POLICY] = effective.deletion_policy
        if effective.retention_days is not None:
            annotations[RETENTION_DAYS] = str(effective.retention_days)
        if consent:
            annotations[RETIRE_CONSENT] = str(consent)
    manifest = _labelled(desired.manifest, claim, annotations, guarded=desired.guarded)
    return Desired(manifest, desired.ready, desired.guarded, desired.identity)


def binding_secret(binding: Binding, claim: Claim, slot: Slot, *, bound: bool) -> Desired:
    """Return the binding as the Secret that the Service Binding specification describes."""
    entries = {"type": binding.type, "provider": binding.provider, **binding.entries}
    manifest = SECRET.manifest(
        claim.binding,
        type=f"servicebinding.io/{binding.type}",
        data=secret_data(entries),
    )
    return Desired(_labelled(manifest, claim, {SLOT: str(slot)}, guarded=False), ready=bound)


def _labelled(manifest: Manifest, claim: Claim, annotations: dict[str, str], *, guarded: bool) -> Manifest:
    metadata = manifest["metadata"]
    labels = {**metadata.get("labels", {}), CLAIM_LABEL: claim.label}
    if guarded:
        labels[GUARDED_LABEL] = "true"
    marks = {**metadata.get("annotations", {}), CLAIM_UID: claim.uid, **annotations}
    if claim.origin != claim.uid:
        marks[DATA_UID] = claim.origin
    return {**manifest, "metadata": {**metadata, "labels": labels, "annotations": marks}}
