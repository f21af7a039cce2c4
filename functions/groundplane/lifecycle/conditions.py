"""The five conditions, derived. Truth lives in status fields; a condition is a reading of it at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status, Type, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.contracts.resolve import Effective
    from groundplane.core.observation import Observed
    from groundplane.core.rendered import Backups, Facts

Conditions = dict[Type, Verdict]

UNKNOWN: Final = {
    Type.ACCEPTED: "Resolving",
    Type.SERVING: "NotObserved",
    Type.SETTLED: "NotObserved",
    Type.BACKUP_CURRENT: "FirstBackupPending",
    Type.RECOVERY_PROVEN: "NoDrillYet",
}


def of(effective: Effective, facts: Facts, *, bound: bool, now: datetime) -> Conditions:
    """Return all conditions of a claim that is honoured and whose engine says *facts*."""
    serving = facts.serving
    if serving.holds and not bound:
        serving = Verdict.no("AwaitingCredentials", "the binding is not complete yet")
    return {
        Type.ACCEPTED: accepted(effective),
        Type.SERVING: serving,
        Type.SETTLED: facts.settled,
        Type.BACKUP_CURRENT: backup_current(effective.rpo_seconds, facts.backups, now),
        Type.RECOVERY_PROVEN: Verdict.unknown("NotScheduled", "recovery drills are not carried out yet"),
    }


def refused(verdict: Verdict, claim: Observed) -> Conditions:
    """Return all conditions of a claim that is refused with *verdict*."""
    return {**last_words(claim), Type.ACCEPTED: verdict}


def last_words(claim: Observed) -> Conditions:
    """Return what *claim* says of itself, which holds while nothing changes; what Crossplane put there is dropped."""
    last = {kind: claim.condition(kind) for kind in Type}
    unsaid = {"FatalError", "NotObserved"}  # Crossplane's word for a condition that was not sent; none at all
    return {
        kind: Verdict.unknown(UNKNOWN[kind]) if verdict.reason in unsaid else verdict for kind, verdict in last.items()
    }


def accepted(effective: Effective) -> Verdict:
    """Return whether the whole spec is honoured, and what is waived."""
    if not effective.waived:
        return Verdict.yes("Honoured")
    waived = "; ".join(f"{entry.guarantee}: asked {entry.asked}, given {entry.given}" for entry in effective.waived)
    return Verdict.yes("HonouredWithWaivers", waived)


def backup_current(rpo_seconds: int | None, backups: Backups, now: datetime) -> Verdict:
    """Return whether the last recoverable point lies within the objective. Messages hold no times: they would flap."""
    if rpo_seconds is None:
        return Verdict.unknown("NotPromised", "no backup is demanded of this claim")
    success, failure = _moment(backups.last_success), _moment(backups.last_failure)
    if success is None:
        failed = failure is not None or bool(backups.failure)
        return Verdict.no("BackupFailed", backups.failure) if failed else Verdict.unknown("FirstBackupPending")
    if backups.archiving is False:
        return Verdict.no("TargetUnreachable", "the log is not being archived")
    if failure is not None and failure > success:
        return Verdict.no("BackupFailed", backups.failure)
    latest = now if backups.archiving else (_moment(backups.latest_recoverable) or success)
    if now - latest > timedelta(seconds=rpo_seconds):
        return Verdict.no("TooOld", f"the last recoverable point is older than {rpo_seconds} seconds")
    return Verdict.yes("WithinObjective")


def settled(conditions: Mapping[Type, Verdict]) -> bool:
    """Whether nothing is expected to change by itself soon."""
    return conditions[Type.SETTLED].holds and conditions[Type.BACKUP_CURRENT].status is not Status.FALSE


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
