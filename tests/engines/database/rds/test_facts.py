"""Engine rds: what it says of a service, by the cloud's own words: the provider's Ready says little."""

from typing import Any

import pytest

from groundplane.core.condition import Type
from groundplane.core.manifest import Manifest
from groundplane.core.observation import Observation
from groundplane.core.rendered import Facts
from groundplane.engines.database.rds._status import FATAL, SERVED
from groundplane.lifecycle import conditions
from rds_claims import ADDRESS, NOW, PASSWORD, Case, World, environment

CASE = Case()


def facts(world: World) -> Facts:
    return world.case.render(world.seen()).facts


def bound(**changes: Any) -> World:
    """Return a world that was served and bound; *changes* are of the Instance's status, later."""
    world = CASE.served().bind()
    world.object("instance")["status"]["atProvider"] |= changes
    return world


def said(verdict: Any) -> tuple[str, str]:
    return str(verdict.status), verdict.reason


def test_a_claim_that_is_served_says_so() -> None:
    found = facts(bound())
    assert said(found.serving) == ("True", "Serving")
    assert said(found.settled) == ("True", "AsDeclared")
    assert found.version == "17.6"
    assert found.endpoint is not None
    assert (found.endpoint.host, found.endpoint.port) == (ADDRESS, 5432)
    assert all(desired.ready for desired in CASE.render(bound().seen()).resources.values())


def test_before_anything_is_there_it_is_being_provisioned() -> None:
    rendered = CASE.render()
    assert said(rendered.facts.serving) == ("False", "Provisioning")
    assert rendered.facts.endpoint is None
    assert rendered.binding is None
    assert not any(desired.ready for desired in rendered.resources.values())


@pytest.mark.parametrize("status", sorted(SERVED))
def test_under_these_words_of_rds_clients_are_served(status: str) -> None:
    assert said(facts(bound(status=status)).serving) == ("True", "Serving")


@pytest.mark.parametrize("status", sorted(FATAL))
def test_an_instance_that_cannot_serve_has_failed_although_the_provider_says_ready(status: str) -> None:
    world = bound(status=status)
    assert world.seen().composed["rds-1-instance"].ready()
    verdict = facts(world).serving
    assert said(verdict) == ("False", "EngineFailed")
    assert verdict.message.startswith(f"{status}: ")
    assert not CASE.render(world.seen()).resources["rds-1-instance"].ready


@pytest.mark.parametrize("status", ["rebooting", "upgrading", "starting", "a-word-of-tomorrow"])
def test_an_instance_that_will_come_back_is_unreachable(status: str) -> None:
    assert said(facts(bound(status=status)).serving) == ("False", "Unreachable")


def test_a_word_that_is_not_known_is_never_taken_for_serving() -> None:
    assert {"creating", "deleting", "stopped", "storage-full", ""} & SERVED == set()


def test_a_creation_that_the_cloud_refused_is_told_in_its_own_words() -> None:
    message = "InvalidSubnet: no such group, RequestID: 0a1b2c3d-0000-4000-8000-000000000001, api error"
    world = CASE.served().unborn().says("instance", "LastAsyncOperation", message)
    verdict = facts(world).serving
    assert said(verdict) == ("False", "EngineFailed")
    assert verdict.message == "InvalidSubnet: no such group, api error"


def test_a_message_does_not_change_with_the_number_of_the_request() -> None:
    def message(request: str) -> str:
        world = CASE.served().unborn()
        return facts(
            world.says("instance", "LastAsyncOperation", f"StatusCode: 400, RequestID: {request}, x")
        ).serving.message

    assert message("00000000-0000-4000-8000-000000000001") == message("00000000-0000-4000-8000-000000000002")


def test_waiting_for_a_reference_is_no_failure() -> None:
    world = CASE.served().unborn().says("instance", "Synced", "referenced field was empty")
    verdict = facts(world).serving
    assert said(verdict) == ("False", "Provisioning")
    assert verdict.message == "referenced field was empty"


def test_a_change_that_the_cloud_refused_leaves_it_serving_and_not_settled() -> None:
    found = facts(bound().says("instance", "LastAsyncOperation", "InvalidParameterCombination: no"))
    assert said(found.serving) == ("True", "Serving")
    assert said(found.settled) == ("False", "Provisioning")
    assert found.settled.message == "InvalidParameterCombination: no"


def test_a_change_that_the_cloud_refused_is_told_instead_of_waited_for() -> None:
    case = Case({"maintenanceWindow": {"day": "Sunday", "startHour": 3}})
    world = case.served(instanceClass="db.t4g.micro").says("instance", "LastAsyncOperation", "StorageQuotaExceeded")
    assert facts(world).settled.message == "StorageQuotaExceeded"


@pytest.mark.parametrize("role", ["owner", "login-a", "member-admin", "member-a", "database"])
@pytest.mark.parametrize("kind", ["Ready", "Synced"])
def test_no_binding_before_the_login_is_in_the_server(role: str, kind: str) -> None:
    world = CASE.served().says(role, kind, "pq: role does not exist")
    rendered = CASE.render(world.seen())
    assert rendered.binding is None
    assert said(rendered.facts.serving) == ("False", "AwaitingCredentials")
    assert role in rendered.facts.settled.message
    assert rendered.facts.settled.message.endswith("pq: role does not exist") is (kind == "Synced")


def test_the_binding_is_complete_and_checks_the_server() -> None:
    binding = CASE.render(CASE.served().seen()).binding
    assert binding is not None
    assert (binding.type, binding.provider) == ("postgresql", "aws-rds")
    assert binding.entries["host"] == ADDRESS
    assert binding.entries["password"] == PASSWORD
    assert binding.entries["username"] == "app_login_a"
    assert binding.entries["sslmode"] == "verify-full"
    assert binding.entries["certificates"].startswith("-----BEGIN CERTIFICATE-----")


def test_the_binding_stays_while_the_instance_cannot_be_read() -> None:
    world = bound()
    before = CASE.render(world.seen()).binding
    del world.object("instance")["status"]["atProvider"]
    after = CASE.render(world.seen()).binding
    assert before is not None
    assert after is not None
    assert after.entries == before.entries


def test_a_login_that_cannot_be_checked_for_a_moment_does_not_end_the_service() -> None:
    world = bound().says("login-a", "Synced", "dial tcp: timeout")
    rendered = CASE.render(world.seen())
    assert rendered.binding is not None
    assert said(rendered.facts.serving) == ("True", "Serving")
    assert said(rendered.facts.settled) == ("False", "Provisioning")


def test_the_host_of_another_engine_is_never_taken_over() -> None:
    world = bound()
    world.object("instance")["status"]["atProvider"].pop("address")
    world.objects["binding"]["metadata"]["annotations"]["groundplane.dev/slot"] = "cnpg-1"
    assert CASE.render(world.seen()).binding is None


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("instanceClass", "db.t4g.micro", "Resizing"),
        ("allocatedStorage", 20, "Resizing"),
        ("multiAz", False, "Provisioning"),
        ("backupRetentionPeriod", 1, "Provisioning"),
        ("deletionProtection", False, "Provisioning"),
        ("caCertIdentifier", "rds-ca-2019", "Provisioning"),
        ("parameterGroupName", "default.postgres17", "Upgrading"),
        ("engineVersionActual", "16.10", "Upgrading"),
    ],
)
def test_what_runs_is_compared_with_what_is_declared(field: str, value: Any, reason: str) -> None:
    found = facts(bound(**{field: value}))
    assert said(found.settled) == ("False", reason)
    assert str(value).split(".", maxsplit=1)[0] in found.settled.message
    assert said(found.serving) == ("True", "Serving")


def test_a_change_that_waits_for_its_window_says_so() -> None:
    case = Case({"maintenanceWindow": {"day": "Sunday", "startHour": 3}})
    waiting = case.served(instanceClass="db.t4g.micro")
    assert said(facts(waiting).settled) == ("False", "AwaitingWindow")
    assert said(facts(case.served(instanceClass="db.t4g.micro", status="modifying")).settled) == ("False", "Resizing")


@pytest.mark.parametrize("role", ["clients", "parameters-17", "login-b", "member-b"])
def test_what_is_not_applied_elsewhere_keeps_it_from_being_settled(role: str) -> None:
    found = facts(bound().says(role, "Synced", "cannot be"))
    assert said(found.settled) == ("False", "Provisioning")
    assert found.settled.message.endswith(": cannot be")


def test_the_latest_restorable_time_is_the_recovery_point() -> None:
    backups = facts(bound()).backups
    assert backups.latest_recoverable == backups.last_success == "2026-11-24T08:55:00Z"
    assert backups.first_recoverable is None
    assert backups.archiving is None
    assert backups.id == CASE.instance()["finalSnapshotIdentifier"]


@pytest.mark.parametrize(
    ("latest", "reason"),
    [("2026-11-24T08:55:00Z", "WithinObjective"), ("2026-11-24T08:44:00Z", "TooOld"), (None, "FirstBackupPending")],
)
def test_a_backup_is_current_by_its_recovery_point(latest: str | None, reason: str) -> None:
    found = conditions.of(CASE.ask().effective, facts(bound(latestRestorableTime=latest)), bound=True, now=NOW)
    assert found[Type.BACKUP_CURRENT].reason == reason


def test_nothing_is_said_of_backups_that_are_not_made() -> None:
    case = Case({"tier": "Development"}, data=environment(waivers=["Backup"]))
    assert facts(case.served()).backups.last_success is None


@pytest.mark.parametrize(("protected", "free"), [(True, False), (None, False), (False, True)])
def test_under_delete_the_clouds_protection_must_be_seen_to_be_off(protected: bool | None, free: bool) -> None:  # noqa: FBT001  # A table.
    case = Case({"deletionPolicy": "Delete"})
    assert facts(case.served(deletionProtection=protected)).releasable is free


@pytest.mark.parametrize("told", [{"deletionProtection": True}, {"id": "db-ABC"}, {"status": "available"}])
def test_without_a_name_what_the_cloud_told_of_an_instance_still_stands(told: Manifest) -> None:
    world = Case({"deletionPolicy": "Delete"}).served().unborn().says("instance", "LastAsyncOperation", "quota")
    world.object("instance")["status"]["atProvider"] = told
    assert facts(world).releasable is False


def test_a_name_that_is_taken_is_not_releasable_because_something_is_there() -> None:
    message = "api error DBInstanceAlreadyExists: DB instance already exists"
    world = Case({"deletionPolicy": "Delete"}).served().unborn().says("instance", "LastAsyncOperation", message)
    assert facts(world).releasable is False
    world.name()
    assert facts(world).releasable is False
    assert "its tags will tell whose it is" in facts(world).settled.message


def test_a_creation_that_may_have_begun_is_not_releasable() -> None:
    world = Case({"deletionPolicy": "Delete"}).served().unborn()
    world.says("instance", "Synced", "cannot determine creation result - remove the annotation")
    assert facts(world).releasable is False


def test_a_creation_under_way_is_not_releasable() -> None:
    assert facts(Case({"deletionPolicy": "Delete"}).served().unborn()).releasable is False


def test_what_the_cloud_refused_to_create_is_releasable() -> None:
    world = Case({"deletionPolicy": "Delete"}).served().unborn().says("instance", "LastAsyncOperation", "quota")
    assert facts(world).releasable is True


def test_what_was_never_begun_is_releasable() -> None:
    world = Case({"deletionPolicy": "Delete"}).served().unborn()
    del world.object("instance")["metadata"]["annotations"]["crossplane.io/external-create-pending"]
    assert facts(world).releasable is True


def test_a_password_that_is_gone_is_never_made_anew_for_a_living_database() -> None:
    world = CASE.served()
    del world.objects["rds-1-secret-a"]
    seen = Observation(composed=world.seen().composed, required={"rds-1-secret-a": [], "binding": []})
    assert CASE.refused(seen).startswith("WouldLoseData: Secret orders-db-1-login-a has no entry password")
