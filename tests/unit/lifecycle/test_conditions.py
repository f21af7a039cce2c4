"""The five conditions, as readings of what is known at one moment."""

from datetime import timedelta
from typing import Any

import pytest

from groundplane import contracts
from groundplane.contracts.environment import Environment
from groundplane.contracts.resolve import Effective, resolve
from groundplane.core.claim import Claim
from groundplane.core.condition import Status, Type, Verdict
from groundplane.core.observation import Observed
from groundplane.core.rendered import Backups, Facts
from groundplane.lifecycle import conditions
from made_up import CONDITIONS, NOW

CLAIM = Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, "prod")
SERVED = Facts(serving=Verdict.yes("Serving"), settled=Verdict.yes("AsDeclared"))
ALLOWED = {
    "Accepted": {"Honoured", "HonouredWithWaivers"},
    "Serving": {"Serving", "AwaitingCredentials", "Provisioning"},
    "Settled": {"AsDeclared", "Provisioning"},
    "BackupCurrent": {"FirstBackupPending", "NotPromised"},
    "RecoveryProven": {"NotScheduled"},
}


def effective(tier: str = "Development", **environment: Any) -> Effective:
    spec: Any = contracts.load("database").spec.model_validate(
        {"version": "17", "tier": tier, "storage": {"size": "1Gi"}}
    )
    return resolve("database", CLAIM, spec, Environment.model_validate(environment))


def backup(rpo: int | None = 900, **known: Any) -> str:
    verdict = conditions.backup_current(rpo, Backups(**known), NOW)
    return f"{verdict.status}/{verdict.reason}"


def ago(seconds: int) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def claim_saying(*said: dict[str, Any]) -> Observed:
    return Observed.of({"status": {"conditions": list(said)}})


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize("facts", [SERVED, Facts()])
@pytest.mark.parametrize("tier", ["Development", "Standard", "Critical"])
def test_all_five_are_said_with_reasons_of_the_contract(tier: str, facts: Facts, bound: Any) -> None:
    said = conditions.of(effective(tier), facts, bound=bound, now=NOW)
    assert {str(kind) for kind in said} == {*CONDITIONS}
    for kind, verdict in said.items():
        assert verdict.reason in ALLOWED[kind]


def test_serving_needs_the_binding() -> None:
    assert conditions.of(effective(), SERVED, bound=True, now=NOW)[Type.SERVING].holds
    said = conditions.of(effective(), SERVED, bound=False, now=NOW)[Type.SERVING]
    assert (said.status, said.reason) == (Status.FALSE, "AwaitingCredentials")


def test_what_the_engine_says_is_wrong_comes_before_a_missing_binding() -> None:
    failed = Facts(serving=Verdict.no("EngineFailed", "disk"))
    assert conditions.of(effective(), failed, bound=False, now=NOW)[Type.SERVING].reason == "EngineFailed"


def test_what_is_waived_is_said_with_what_was_asked_and_what_is_given() -> None:
    assert conditions.accepted(effective()) == Verdict.yes("Honoured")
    said = conditions.accepted(effective(waivers=["Backup"]))
    assert said.reason == "HonouredWithWaivers"
    assert "Backup: asked rpoSeconds 86400, retentionDays 1, given None" in said.message


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "Unknown/FirstBackupPending"),
        ({"failure": "disk full"}, "False/BackupFailed"),
        ({"last_failure": ago(5)}, "False/BackupFailed"),
        ({"last_success": ago(5000), "archiving": True}, "True/WithinObjective"),
        ({"last_success": ago(5000), "archiving": False}, "False/TargetUnreachable"),
        ({"last_success": ago(5000), "last_failure": ago(9), "archiving": True}, "False/BackupFailed"),
        ({"last_success": ago(9), "last_failure": ago(5000), "archiving": True}, "True/WithinObjective"),
        ({"last_success": ago(900)}, "True/WithinObjective"),
        ({"last_success": ago(901)}, "False/TooOld"),
        ({"last_success": ago(5000), "latest_recoverable": ago(300)}, "True/WithinObjective"),
        ({"last_success": ago(300), "latest_recoverable": ago(5000)}, "False/TooOld"),
        ({"last_success": "yesterday"}, "Unknown/FirstBackupPending"),
        ({"last_success": "2026-11-24T11:59:00"}, "Unknown/FirstBackupPending"),
        ({"last_success": 5}, "Unknown/FirstBackupPending"),
    ],
)
def test_a_backup_is_current_when_the_last_recoverable_point_is_within_the_objective(
    known: dict[str, Any], expected: str
) -> None:
    assert backup(**known) == expected


def test_without_an_objective_no_backup_is_promised() -> None:
    assert backup(None, last_success=ago(1), archiving=True) == "Unknown/NotPromised"


def test_messages_hold_no_times_and_so_do_not_flap() -> None:
    for seconds in (1000, 2000):
        said = conditions.backup_current(900, Backups(last_success=ago(seconds)), NOW)
        assert said.message == "the last recoverable point is older than 900 seconds"


def test_recovery_is_never_said_to_be_proven_while_drills_are_not_carried_out() -> None:
    for tier in ("Development", "Standard", "Critical"):
        said = conditions.of(effective(tier), SERVED, bound=True, now=NOW)[Type.RECOVERY_PROVEN]
        assert said.status is Status.UNKNOWN


def test_a_refusal_keeps_what_was_said_last_and_says_why() -> None:
    claim = claim_saying(
        {"type": "Accepted", "status": "True", "reason": "Honoured"},
        {"type": "Serving", "status": "True", "reason": "Serving", "message": "m"},
        {"type": "Settled", "status": "Unknown", "reason": "FatalError", "message": "A Function failed"},
        {"type": "Ready", "status": "True", "reason": "Available"},
    )
    said = conditions.refused(Verdict.no("NotOffered", "no"), claim)
    assert said[Type.ACCEPTED] == Verdict.no("NotOffered", "no")
    assert said[Type.SERVING] == Verdict.yes("Serving", "m")
    assert said[Type.SETTLED] == Verdict.unknown("NotObserved")
    assert said[Type.BACKUP_CURRENT] == Verdict.unknown("FirstBackupPending")
    assert said[Type.RECOVERY_PROVEN] == Verdict.unknown("NoDrillYet")
    assert {str(kind) for kind in said} == {*CONDITIONS}


@pytest.mark.parametrize(
    "said",
    [None, "True", 5, {}, [None], ["x"], [{}], [{"type": "Serving"}], [{"type": "Serving", "status": ["True"]}]],
)
def test_conditions_of_any_other_shape_are_unknown(said: Any) -> None:
    found = Observed.of({"status": {"conditions": said}}).condition("Serving")
    assert found.status is Status.UNKNOWN
    assert found.reason in {"NotObserved", "Unknown"}


@pytest.mark.parametrize("status", ["Unknown", "true", "", None, True, 1])
def test_only_the_words_true_and_false_are_an_answer(status: Any) -> None:
    claim = claim_saying({"type": "Serving", "status": status})
    assert claim.condition("Serving").status is Status.UNKNOWN


def test_a_claim_is_settled_when_it_is_as_declared_and_its_backup_not_behind() -> None:
    said = conditions.of(effective("Standard"), SERVED, bound=True, now=NOW)
    assert conditions.settled(said), "a first backup that is awaited comes by itself"
    assert not conditions.settled({**said, Type.BACKUP_CURRENT: Verdict.no("TooOld")})
    assert not conditions.settled({**said, Type.SETTLED: Verdict.no("Upgrading")})
