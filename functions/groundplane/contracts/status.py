"""What every claim is told (contract, section 6.3).

Every leaf is declared: an undeclared one fails the whole status.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from groundplane.contracts._base import Column, Model, keyed

Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]


class Deletion(Model):
    """What deleting the claim does, as observed on the objects."""

    in_force: str | None = None
    """The deletion policy that stands on every stateful object. The API compares the claim with it."""
    stateful: list[str] | None = None
    """The objects that hold data or the keys to it."""


class BindingRef(Model):
    """The binding, as the Service Binding specification has it."""

    name: str | None = None
    """Name of the binding Secret. Only there when the Secret is complete."""


class EndpointStatus(Model):
    """Where to connect."""

    name: str
    """What the endpoint is for."""
    host: str | None = None
    """DNS name."""
    port: int | None = None
    """Port."""


class EffectiveResources(Model):
    """Compute in force."""

    cpu: str | None = None
    """Cores, as a quantity."""
    memory: str | None = None
    """Memory, as a quantity."""


class EffectiveObjectives(Model):
    """Objectives in force."""

    failure_tolerance: str | None = None
    """What the service survives."""
    rpo_seconds: int | None = None
    """The most data, in seconds, that a restore may lose."""
    rto_seconds: int | None = None
    """The longest time, in seconds, that a restore may take."""


class EffectiveBackup(Model):
    """Backups in force."""

    retention_days: int | None = None
    """Days the service can be brought back to."""


class EffectiveDrill(Model):
    """Drills in force."""

    policy: str | None = None
    """Scheduled or Never."""
    interval_days: int | None = None
    """Days between two drills."""


class EffectiveRecovery(Model):
    """Proof of recovery in force."""

    drill: EffectiveDrill | None = None
    """The rehearsal."""


class EffectiveCredentials(Model):
    """Custody in force."""

    rotation_days: int | None = None
    """Days until new credentials are made."""


class Effective(Model):
    """Tier, overrides and environment, resolved: what is in force, not what the preset says."""

    size: str | None = None
    """The size asked, when none is stated exactly."""
    resources: EffectiveResources | None = None
    """Compute given."""
    deletion_policy: str | None = None
    """The deletion policy asked. What is in force stands in status.deletion."""
    objectives: EffectiveObjectives | None = None
    """Objectives given."""
    backup: EffectiveBackup | None = None
    """Backups given."""
    recovery: EffectiveRecovery | None = None
    """Proof given."""
    credentials: EffectiveCredentials | None = None
    """Custody given."""
    versioning: str | None = None
    """Versioning given, where the kind has it."""


class Waived(Model):
    """A guarantee that the environment does not give."""

    guarantee: str
    """Which one."""
    asked: str | None = None
    """What tier or claim asked."""
    given: str
    """What is given instead."""


class CredentialsStatus(Model):
    """Where rotation stands."""

    rotated_at: str | None = None
    """When the current credentials were made."""
    next_rotation_at: str | None = None
    """When new ones are due."""
    previous_valid_until: str | None = None
    """Until when the previous ones work."""


class BackupStatus(Model):
    """What the engine says of its backups."""

    id: str | None = None
    """What restore.backupID takes once the claim is gone."""
    last_success_time: str | None = None
    """End of the last good backup."""
    last_failure_time: str | None = None
    """End of the last failed backup."""
    last_failure_message: str | None = None
    """Why it failed."""
    first_recoverable_time: str | None = None
    """The earliest point that can be restored."""
    latest_recoverable_time: str | None = None
    """The latest point that can be restored, where the engine tells."""
    size: str | None = None
    """Bytes stored, as a quantity."""


class DrillRecord(Model):
    """One drill."""

    time: str
    """When it ended."""
    result: str | None = None
    """Passed, Failed or Inconclusive."""
    rpo_seconds: int | None = None
    """Data lost, in seconds."""
    rto_seconds: int | None = None
    """Time taken, in seconds."""


class RecoveryStatus(Model):
    """The proof of recovery."""

    last_drill_time: str | None = None
    """When the last drill ended."""
    result: str | None = None
    """Passed, Failed or Inconclusive."""
    message: str | None = None
    """What was seen."""
    measured_rpo_seconds: Annotated[int | None, Field(alias="measuredRPOSeconds")] = None
    """Data lost in the last drill, in seconds."""
    measured_rto_seconds: Annotated[int | None, Field(alias="measuredRTOSeconds")] = None
    """Time from start to verified in the last drill, in seconds."""
    backup_id: Annotated[str | None, Field(alias="backupID")] = None
    """The backup that was restored."""
    next_drill_time: str | None = None
    """When the next drill is due."""
    history: Annotated[list[DrillRecord], Field(max_length=10)] | None = None
    """The last ten drills."""


class MigrationStatus(Model):
    """Where a move stands."""

    phase: str | None = None
    """The state of the move."""
    source_slot: str | None = None
    """The slot data come from, or the slot being retired."""
    target_slot: str | None = None
    """The slot data go to."""
    plan: list[str] | None = None
    """The steps."""
    started_time: str | None = None
    """When it began."""
    write_pause_seconds: int | None = None
    """How long writes paused."""
    message: str | None = None
    """What is waited for."""


class CommonStatus(Model):
    """The status every kind has."""

    observed_generation: Int64 | None = None
    """The generation of the claim this status speaks of. Stale after a refusal: then only conditions are written."""
    last_handled_reconcile_at: str | None = None
    """The last value of annotation crossplane.io/reconcile-requested-at that was handled."""
    engine: str | None = None
    """The engine that serves the claim."""
    slot: str | None = None
    """The slot that serves the claim. A refusal names it, and consent must."""
    version: str | None = None
    """The version that runs."""
    deletion: Deletion | None = None
    """What deleting the claim does."""
    binding: BindingRef | None = None
    """The binding Secret, once complete."""
    endpoints: Annotated[list[EndpointStatus], Field(json_schema_extra=keyed("name"))] | None = None
    """Where to connect. Nothing secret."""
    effective: Effective | None = None
    """Tier, overrides and environment, resolved."""
    waived: list[Waived] | None = None
    """Guarantees that are not given, and what is given instead."""
    credentials: CredentialsStatus | None = None
    """Where rotation stands."""
    backup: BackupStatus | None = None
    """Backups."""
    recovery: RecoveryStatus | None = None
    """The proof of recovery."""
    migration: MigrationStatus | None = None
    """Where a move stands."""


def _condition(name: str, kind: str, *, field: str = "status", **column: Any) -> Column:
    return Column(name, f".status.conditions[?(@.type=='{kind}')].{field}", **column)


COLUMNS: Final = (
    _condition("ACCEPTED", "Accepted"),
    _condition("SERVING", "Serving"),
    _condition("PROVEN", "RecoveryProven"),
    Column("LAST-BACKUP", ".status.backup.lastSuccessTime", type="date"),
    Column("BINDING", ".status.binding.name"),
    Column("TIER", ".spec.tier", wide=True),
    Column("LAST-DRILL", ".status.recovery.lastDrillTime", type="date", wide=True),
    _condition("MESSAGE", "Accepted", field="message", wide=True),
)
