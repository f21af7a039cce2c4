"""Engine rds: claims that begin with data, and what the engine can be held to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from groundplane.core.manifest import Manifest
from groundplane.core.refusal import Refusal
from groundplane.core.slot import Slot
from groundplane.engines.database.rds import ENGINE
from groundplane.engines.interface import Source, check_capabilities
from rds_claims import Case, environment, identity

LEDGER = identity("ledger", uid="uid-of-ledger")
SOURCE = Source(LEDGER, Slot("rds", 3), "app", "17")
FROM_CLAIM = {"from": "Claim", "claimRef": {"name": "ledger"}}
GONE = Case(claim=LEDGER).instance()["finalSnapshotIdentifier"]


def copy(moment: str | None = None, source: Source = SOURCE, **spec: Any) -> Case:
    restore = {**FROM_CLAIM, **({"pointInTime": moment} if moment else {})}
    return Case({"restore": restore, **spec}, source=source)


def from_backup(backup: str, **restore: str) -> Case:
    return Case({"restore": {"from": "Backup", "backupID": backup, **restore}})


def test_a_copy_is_made_from_the_instance_that_serves_its_source() -> None:
    assert copy().instance()["restoreToPointInTime"] == {
        "sourceDbInstanceIdentifier": LEDGER.cloud_name(SOURCE.slot),
        "useLatestRestorableTime": True,
    }


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-24T08:59:00Z", "2026-11-24T08:59:00Z"),
        ("2026-11-24T09:59:00.999+01:00", "2026-11-24T08:59:00Z"),
        ("2026-11-24t08:59:00z", "2026-11-24T08:59:00Z"),
    ],
)
def test_a_moment_is_told_in_utc_and_never_later_than_asked(moment: str, told: str) -> None:
    found = copy(moment).instance()["restoreToPointInTime"]
    assert found["restoreTime"] == told
    assert "useLatestRestorableTime" not in found
    assert datetime.fromisoformat(told) <= datetime.fromisoformat(moment.upper()).astimezone(UTC)


def test_a_copy_keeps_the_name_of_its_database_or_it_would_look_empty() -> None:
    books = Source(LEDGER, SOURCE.slot, "books", "17")
    assert copy(source=books).refused() == (
        "RestoreSourceNotFound: restore.claimRef: a copy keeps the database.name of its source, which is books, not"
        " app. Set database.name to books; a version can be raised once the copy serves."
    )
    assert copy(source=books, database={"name": "books"}).refused() == "not refused"


def test_a_copy_keeps_the_major_version_of_its_source() -> None:
    older = Source(LEDGER, SOURCE.slot, "app", "16")
    assert "version of its source, which is 16, not 17. Set version to 16" in copy(source=older).refused()
    assert copy(source=older, version="16").refused() == "not refused"


@pytest.mark.parametrize(("theirs", "fits"), [("50Gi", True), ("49Gi", True), ("51Gi", False), ("1Ti", False)])
def test_a_copy_that_cannot_hold_its_source_is_refused_with_the_size_to_write(theirs: str, fits: bool) -> None:  # noqa: FBT001  # A table.
    message = copy(source=replace(SOURCE, storage=theirs)).refused()
    assert message == (
        "not refused"
        if fits
        else f"RestoreSourceNotFound: storage.size: a copy needs at least the storage of its source, which is {theirs};"
        f" 50Gi is less. Set storage.size to {theirs}."
    )


def test_a_copy_that_is_there_is_not_asked_again_how_large_its_source_is() -> None:
    seen = copy().served().seen()
    assert copy(source=replace(SOURCE, storage="1Ti")).refused(seen) == "not refused"


def test_a_copy_has_its_own_identifier_final_snapshot_and_password() -> None:
    settings, other = copy().instance(), Case(claim=LEDGER).instance()
    for field in ("identifier", "finalSnapshotIdentifier", "passwordSecretRef", "parameterGroupName"):
        assert settings[field] != other[field]


def test_how_a_copy_began_is_read_back_whatever_became_of_its_source() -> None:
    seen = copy().served().seen()
    orphan = Case({"restore": FROM_CLAIM})  # once it is there, nobody looks for its source any more
    assert orphan.instance(seen)["restoreToPointInTime"] == copy().instance()["restoreToPointInTime"]
    assert Case().instance(seen)["restoreToPointInTime"] == copy().instance()["restoreToPointInTime"]


def test_a_claim_that_began_empty_never_begins_again() -> None:
    seen = Case().served().seen()
    assert {"restoreToPointInTime", "snapshotIdentifier"} & copy().instance(seen).keys() == set()
    assert {"restoreToPointInTime", "snapshotIdentifier"} & from_backup(GONE).instance(seen).keys() == set()


def test_a_backup_is_restored_by_the_id_that_its_claim_showed() -> None:
    backups = Case(claim=LEDGER).render(Case(claim=LEDGER).served().seen()).facts.backups
    assert backups.id == GONE
    assert from_backup(GONE).instance()["snapshotIdentifier"] == GONE


def test_a_backup_of_another_namespace_is_never_read() -> None:
    theirs = Case(claim=identity("ledger", namespace="team-b")).instance()["finalSnapshotIdentifier"]
    for backup in (theirs, "prod-ledger-snapshot", f"x{GONE}"):
        message = from_backup(backup).refused()
        assert message.startswith(
            f"RestoreSourceNotFound: restore.backupID: {backup} is not a backup of namespace team-a."
        )


def test_a_backup_keeps_the_name_of_its_database_or_it_would_look_empty() -> None:
    books = Case({"database": {"name": "books"}}, claim=LEDGER).instance()["finalSnapshotIdentifier"]
    assert f"the database in {books} is not called app" in from_backup(books).refused()
    assert from_backup(books).changed(database={"name": "books"}).refused() == "not refused"


def test_no_moment_of_a_claim_that_is_gone() -> None:
    message = from_backup(GONE, pointInTime="2026-11-24T08:59:00Z").refused()
    assert message.startswith("NotOffered: restore.pointInTime: rds offers it only with restore.from: Claim.")


def test_a_failed_restore_is_told_in_the_clouds_words() -> None:
    world = copy().served().unborn().says("instance", "LastAsyncOperation", "DBInstanceNotFound: ledger")
    found = world.case.render(world.seen()).facts
    assert (found.serving.reason, found.serving.message) == ("EngineFailed", "DBInstanceNotFound: ledger")
    assert found.settled.reason == "Restoring"


def test_no_binding_of_a_copy_while_the_login_still_has_the_password_of_its_source() -> None:
    world = copy().served().says("login-a", "Synced", "cannot update role")
    assert world.case.render(world.seen()).binding is None


def held(case: Case) -> str:
    ask = case.ask()
    try:
        check_capabilities("database", ENGINE, ask.knobs, ask.effective.demands)
    except Refusal as refusal:
        return refusal.message
    return "held"


@pytest.mark.parametrize(
    ("often", "tier", "held_to"),
    [(True, "Standard", True), (True, "Critical", True), (False, "Standard", False), (False, "Development", True)],
)
def test_the_recovery_point_is_as_old_as_the_providers_last_look(often: bool, tier: str, held_to: bool) -> None:  # noqa: FBT001  # A table.
    case = Case({"tier": tier}, data=environment(rds={"polledEveryMinute": often}))
    assert (held(case) == "held") is held_to


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"backup": {"retentionDays": 36}}, "backup.retentionDays: 36 is not offered by rds (at most 35)"),
        ({"deletionPolicy": "Retain"}, "deletionPolicy: Retain is not offered by rds (Protect, Delete)"),
        ({"objectives": {"rpoSeconds": 300}}, "objectives.rpoSeconds: 300 is not offered by rds (at least 600)"),
    ],
)
def test_what_rds_cannot_keep_is_refused(spec: Manifest, words: str) -> None:
    assert words in held(Case(spec))
