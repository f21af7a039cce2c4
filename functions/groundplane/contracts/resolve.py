"""Presets, overrides, environment and waivers, resolved once: what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from groundplane.contracts.common import CommonSpec, Tier
from groundplane.contracts.environment import DEFAULT, Environment, Waiver
from groundplane.contracts.tiers import PRESETS
from groundplane.core.manifest import ENVIRONMENT_LABEL
from groundplane.core.refusal import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.claim import Claim

STRENGTH: Final = ("None", "Node", "Zone")

# Fields that the contract has and no release carries out yet. Written, they are refused; from a preset,
# they are waived.
NOT_YET: Final[Mapping[str, str]] = {
    "recovery.drill": "recovery drills are not carried out yet",
    "recovery.checks": "recovery drills are not carried out yet",
    "credentials.rotationDays": "scheduled rotation is not carried out yet",
    "migration.approvedSlot": "moving data between engines is not carried out yet",
    "migration.keepSourceDays": "moving data between engines is not carried out yet",
    "migration.maxWritePauseSeconds": "moving data between engines is not carried out yet",
}


@dataclass(frozen=True, slots=True)
class Waived:
    """A guarantee that was asked and is not given."""

    guarantee: str
    asked: str
    given: str


@dataclass(frozen=True, slots=True)
class Demand:
    """One value that an engine must hold, and who asks for it: claim, tier or environment."""

    path: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Effective:
    """What is in force for one claim. Durations are in the unit of their name; None means: not demanded."""

    tier: Tier
    deletion_policy: str
    failure_tolerance: str
    rpo_seconds: int | None
    rto_seconds: int | None
    retention_days: int | None
    asked_retention_days: int | None  # also where backups are waived
    size: str | None
    waived: tuple[Waived, ...]
    demands: tuple[Demand, ...]

    @property
    def backups(self) -> bool:
        """Whether backups are demanded at all."""
        return self.rpo_seconds is not None


def resolve(contract: str, claim: Claim, spec: CommonSpec, environment: Environment) -> Effective:
    """Return what is in force for *claim*: its tier's preset, its own overrides, the environment's floors and waivers.

    Raises:
        Refusal: a field is written that no release carries out yet, or the environment does not serve the tier.
    """
    _refuse_not_yet(spec)
    _refuse_default_environment(claim, spec)
    preset = PRESETS[contract][spec.tier]
    objectives, floor = spec.objectives, environment.minimum
    tolerance = _Choice(objectives and objectives.failure_tolerance, preset.failure_tolerance)
    rpo = _Choice(objectives and objectives.rpo_seconds, preset.rpo_seconds)
    rto = _Choice(objectives and objectives.rto_seconds, preset.rto_seconds)
    retention = _Choice(spec.backup and spec.backup.retention_days, preset.retention_days)
    deletion = _Choice(spec.deletion_policy, preset.deletion_policy)
    waivers = _Waivers(environment, spec.tier)
    demands = {
        "deletionPolicy": deletion.demand("deletionPolicy"),
        "objectives.failureTolerance": waivers.tolerance(
            tolerance.floor(floor.failure_tolerance, STRENGTH.index).demand("objectives.failureTolerance")
        ),
    }
    if not waivers.backup(rpo, retention):
        for path, choice, least, key in (
            ("objectives.rpoSeconds", rpo, floor.rpo_seconds, _smaller),
            ("objectives.rtoSeconds", rto, floor.rto_seconds, _smaller),
            ("backup.retentionDays", retention, floor.retention_days, int),
        ):
            demands[path] = choice.floor(least, key).demand(path)
    waivers.not_yet(preset.drill_interval_days, preset.rotation_days)
    value = {path: demand.value for path, demand in demands.items()}
    return Effective(
        tier=spec.tier,
        deletion_policy=value["deletionPolicy"],
        failure_tolerance=value["objectives.failureTolerance"],
        rpo_seconds=value.get("objectives.rpoSeconds"),
        rto_seconds=value.get("objectives.rtoSeconds"),
        retention_days=value.get("backup.retentionDays"),
        asked_retention_days=retention.value,
        size=getattr(spec, "size", None) or preset.size,
        waived=tuple(waivers.waived),
        demands=tuple(demand for demand in demands.values() if demand.value is not None),
    )


def _every(days: int) -> str:
    return "every day" if days == 1 else f"every {days} days"


def _smaller(value: int) -> int:
    return -value  # of two times, the smaller is the stronger demand


class _Choice:
    """A value, and who decided it."""

    def __init__(self, written: Any, preset: Any, origin: str = "") -> None:
        self.value = preset if written is None else written
        self.origin = origin or ("tier" if written is None else "claim")

    def floor(self, least: Any, strength: Any) -> _Choice:
        """Return the stronger of this value and the environment's floor."""
        if least is None or (self.value is not None and strength(self.value) >= strength(least)):
            return self
        return _Choice(least, None, "environment")

    def demand(self, path: str) -> Demand:
        return Demand(path, self.value, self.origin)


class _Waivers:
    """What the environment waives, and the record of it."""

    def __init__(self, environment: Environment, tier: Tier) -> None:
        self.allowed = frozenset(environment.waivers)
        self.tier = tier
        self.waived: list[Waived] = []

    def tolerance(self, demand: Demand) -> Demand:
        if Waiver.FAILURE_TOLERANCE not in self.allowed or demand.value == "None":
            return demand
        self.waived.append(Waived(Waiver.FAILURE_TOLERANCE, demand.value, "None"))
        return Demand(demand.path, "None", "environment")

    def backup(self, rpo: _Choice, retention: _Choice) -> bool:
        written = "claim" in {rpo.origin, retention.origin}  # who asks for backups by name shall have them
        waived = Waiver.BACKUP in self.allowed and self.tier is Tier.DEVELOPMENT and not written
        if waived:
            asked = f"rpoSeconds {rpo.value}, retentionDays {retention.value}"
            self.waived.append(Waived(Waiver.BACKUP, asked, "None"))
        return waived

    def not_yet(self, drill_interval: int | None, rotation: int | None) -> None:
        if drill_interval is not None:
            given = "Never" if Waiver.SCHEDULED_DRILL in self.allowed else "NotYet"
            self.waived.append(Waived(Waiver.SCHEDULED_DRILL, _every(drill_interval), given))
        if rotation is not None:
            self.waived.append(Waived("CredentialRotation", _every(rotation), "NotYet"))


def _refuse_not_yet(spec: CommonSpec) -> None:
    written = spec.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    for path, why in NOT_YET.items():
        section, _, field = path.partition(".")
        if field in written.get(section, {}):
            raise Refusal(
                Reason.NOT_OFFERED, f"{path}: {why}. Remove it; the tier's own value is shown in status.waived."
            )


def _refuse_default_environment(claim: Claim, spec: CommonSpec) -> None:
    if claim.environment == DEFAULT and spec.tier is not Tier.DEVELOPMENT:
        raise Refusal(
            Reason.ENVIRONMENT_INCOMPLETE,
            f"tier: {spec.tier} is not served in namespace {claim.namespace}, which belongs to no environment. Write"
            f" tier: Development, or ask the platform team for: kubectl label namespace {claim.namespace}"
            f" {ENVIRONMENT_LABEL}=<environment>",
        )
