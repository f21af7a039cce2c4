"""CloudNativePG: each known hazard of the operator and its backup plugin, and what keeps a claim clear of it."""

import re
from copy import deepcopy
from typing import Any

import pytest

from made_up import Manifest, decoded
from outcomes import Outcome
from worlds import World, fresh, ready

ENVIRONMENT = {"groundplane.dev/environment": "kubernetes"}
SHOP: Manifest = {
    "apiVersion": "groundplane.dev/v1alpha1",
    "kind": "XDatabase",
    "metadata": {"name": "shop", "namespace": "team-a", "uid": "uid-of-shop", "labels": ENVIRONMENT},
    "spec": {"database": {"name": "app"}},
    "status": {"slot": "cnpg-3"},
}


def cluster(outcome: Outcome) -> Manifest:
    found: Manifest = outcome.resources["cnpg-1-cluster"]["spec"]
    return found


def archive(outcome: Outcome) -> str:
    return str(cluster(outcome)["plugins"][0]["parameters"]["serverName"])


def copy_of_shop(**restore: Any) -> World:
    world = fresh(restore={"from": "Claim", "claimRef": {"name": "shop"}, **restore})
    world.put(SHOP)
    return world


def backed_up(**status: Any) -> World:
    world = ready()
    world.of("cnpg-1-cluster")["status"] |= status
    return world


def with_condition(kind: str, status: str, reason: str, message: str = "") -> World:
    world = ready()
    conditions = world.of("cnpg-1-cluster")["status"]["conditions"]
    conditions[:] = [entry for entry in conditions if entry["type"] != kind]
    conditions.append({"type": kind, "status": status, "reason": reason, "message": message})
    return world


# Gotchas of the operator, one to ten


def test_1_a_cluster_name_is_a_label_of_at_most_50_characters() -> None:
    world = fresh(migration={"retiredSlots": ["cnpg-99998"]})
    world.claim["metadata"]["name"] = "a" * 40
    for name, manifest in world.ask().resources.items():
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", manifest["metadata"]["name"])
        if name.endswith("cluster"):
            assert len(manifest["metadata"]["name"]) <= 50


def test_2_the_server_name_is_the_plugins_parameter_and_every_cluster_has_its_own_store() -> None:
    outcome = fresh().ask()
    store = outcome.resources["cnpg-1-store"]
    assert "serverName" not in store["spec"]["configuration"]
    assert cluster(outcome)["plugins"][0]["parameters"]["barmanObjectName"] == store["metadata"]["name"]
    assert store["metadata"]["name"] == "orders-db-1"


def test_3_an_archive_is_named_by_the_claims_uid_so_that_a_later_life_never_meets_an_earlier_one() -> None:
    one, other = fresh(), fresh()
    other.claim["metadata"]["uid"] = "another-uid"
    assert archive(one.ask()) != archive(other.ask())
    assert archive(one.ask()).startswith("orders-db-1-")
    assert "skipEmptyWalArchiveCheck" not in str(one.ask().resources)


@pytest.mark.parametrize("make", [copy_of_shop, lambda: fresh(restore={"from": "Backup", "backupID": "shop-db-3-x"})])
def test_3_a_restored_copy_never_archives_under_the_name_it_reads_from(make: Any) -> None:
    outcome = make().ask()
    origin = cluster(outcome)["externalClusters"][0]
    source = origin["plugin"]["parameters"]["serverName"]
    assert source.startswith("shop-db-3-")
    assert source != archive(outcome)
    assert cluster(outcome)["bootstrap"]["recovery"]["source"] == origin["name"]


def test_4_a_recovery_passes_database_and_owner_and_the_login_keeps_its_own_secret() -> None:
    outcome = copy_of_shop().ask()
    assert cluster(outcome)["bootstrap"] == {"recovery": {"source": "origin", "database": "app", "owner": "app_owner"}}
    login = outcome.resources["cnpg-1-login-a"]["spec"]
    assert login["passwordSecret"] == {"name": outcome.resources["cnpg-1-secret-a"]["metadata"]["name"]}


def test_4_a_point_in_time_is_passed_as_written() -> None:
    outcome = copy_of_shop(pointInTime="2026-11-24T08:59:00Z").ask()
    target = cluster(outcome)["bootstrap"]["recovery"]["recoveryTarget"]
    assert target == {"targetTime": "2026-11-24T08:59:00Z"}


def test_4_how_a_copy_began_is_history_even_when_its_source_is_gone() -> None:
    world = copy_of_shop()
    world.reconcile()
    before = deepcopy(cluster(world.ask()))
    world.objects.pop(("XDatabase.groundplane.dev", "shop"))
    assert cluster(world.ask()) == before
    world.claim["spec"].pop("restore")
    assert cluster(world.ask()) == before


def test_5_a_store_that_only_resembles_s3_gets_checksums_when_required() -> None:
    names = ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION")
    world = fresh().environment(backup={"bucket": "acme", "endpointURL": "https://s3.example.com"})
    env = world.ask().resources["cnpg-1-store"]["spec"]["instanceSidecarConfiguration"]["env"]
    assert env == [{"name": name, "value": "when_required"} for name in names]
    assert not any(name in str(fresh().ask().resources["cnpg-1-store"]) for name in names)


def test_6_a_first_backup_is_made_at_once_because_retention_begins_only_after_one() -> None:
    assert fresh().ask().resources["cnpg-1-backup"]["spec"]["immediate"] is True


def test_7_the_archiver_is_there_from_the_first_moment_and_does_not_roll_pods_later() -> None:
    assert cluster(fresh().ask())["plugins"][0]["isWALArchiver"] is True
    assert cluster(ready().ask())["plugins"] == cluster(fresh().ask())["plugins"]


def test_7_image_and_parameters_are_not_changed_in_the_same_update() -> None:
    world = ready(parameters={"work_mem": "8MB"})
    world.claim["spec"] |= {"version": "18", "parameters": {"work_mem": "16MB"}}
    first = cluster(world.reconcile())
    assert first["imageName"].endswith(":18-standard-trixie")
    assert first["postgresql"]["parameters"]["work_mem"] == "8MB"
    second = cluster(world.reconcile())
    assert second["postgresql"]["parameters"]["work_mem"] == "16MB"


def test_8_the_method_is_always_the_plugin() -> None:
    backup = fresh().ask().resources["cnpg-1-backup"]["spec"]
    assert backup["method"] == "plugin"
    assert backup["pluginConfiguration"] == {"name": "barman-cloud.cloudnative-pg.io"}
    assert "barmanObjectStore" not in str(fresh().ask().resources)


@pytest.mark.parametrize("role", ["owner", "login-a", "login-b"])
def test_9_a_role_says_everything_it_means_and_is_never_dropped(role: str) -> None:
    found = fresh().ask().resources[f"cnpg-1-{role}"]["spec"]
    assert found["databaseRoleReclaimPolicy"] == "retain"
    assert found["ensure"] == "present"
    # login: false is dropped by the operator's own update, and would be put back for ever.
    assert found.get("login") == (True if role == "login-a" else None)
    assert ("passwordSecret" in found) == (role == "login-a")
    assert found["inRoles"] == (["pg_read_all_stats", "pg_signal_backend"] if role == "owner" else ["app_owner"])


def test_9_the_database_is_never_dropped_with_its_object() -> None:
    found = fresh().ask().resources["cnpg-1-database"]["spec"]
    assert found["databaseReclaimPolicy"] == "retain"
    assert found["owner"] == "app_owner"


def test_10_the_application_is_never_the_superuser_and_nobody_has_the_superusers_password() -> None:
    outcome = fresh().ask()
    assert cluster(outcome)["enableSuperuserAccess"] is False
    for role in ("owner", "login-a", "login-b"):
        assert "superuser" not in outcome.resources[f"cnpg-1-{role}"]["spec"]
    assert "-superuser" not in str(outcome.resources)


# From the text


def test_deleting_the_cluster_deletes_data_and_credentials_so_both_are_guarded() -> None:
    worn = {name: one["metadata"]["labels"] for name, one in fresh().ask().resources.items()}
    guarded = {name for name, labels in worn.items() if labels.get("groundplane.dev/guarded") == "true"}
    assert guarded == {"cnpg-1-cluster", "cnpg-1-secret-a"}


@pytest.mark.parametrize("phase", ["Switchover in progress", "Creating a new replica", "Upgrading cluster"])
def test_the_operators_ready_flaps_and_is_not_ours(phase: str) -> None:
    world = with_condition("Ready", "False", "ClusterIsNotReady")
    world.of("cnpg-1-cluster")["status"] |= {"phase": phase, "readyInstances": 1}
    outcome = world.ask()
    assert outcome.ready
    assert outcome.resources_ready["cnpg-1-cluster"]


def test_a_backup_that_has_only_begun_is_no_failed_one() -> None:
    outcome = with_condition("LastBackupSucceeded", "False", "BackupStarted", "Backup started").ask()
    assert outcome.says("BackupCurrent") == "True/WithinObjective"
    assert "lastFailureMessage" not in outcome.status["backup"]


def test_a_first_backup_that_has_only_begun_is_awaited() -> None:
    world = with_condition("LastBackupSucceeded", "False", "BackupStarted", "Backup started")
    world.of("cnpg-1-store").pop("status")
    assert world.ask().says("BackupCurrent") == "Unknown/FirstBackupPending"


def test_a_backup_that_failed_is_told_by_its_reason_with_the_operators_words() -> None:
    world = with_condition("LastBackupSucceeded", "False", "LastBackupFailed", "bucket is gone")
    world.of("cnpg-1-store").pop("status")
    outcome = world.ask()
    assert outcome.says("BackupCurrent") == "False/BackupFailed"
    assert outcome.conditions["BackupCurrent"][2] == "bucket is gone"
    assert outcome.status["backup"]["lastFailureMessage"] == "bucket is gone"


def test_archiving_that_stopped_is_told_though_the_last_backup_is_fresh() -> None:
    outcome = with_condition("ContinuousArchiving", "False", "ContinuousArchivingFailing").ask()
    assert outcome.says("BackupCurrent") == "False/TargetUnreachable"


def test_the_deprecated_fields_of_the_clusters_status_are_never_read() -> None:
    deprecated = {
        "firstRecoverabilityPoint": "2020-01-01T00:00:00Z",
        "firstRecoverabilityPointByMethod": {"plugin": "2020-01-01T00:00:00Z"},
        "lastSuccessfulBackup": "2020-01-01T00:00:00Z",
        "lastSuccessfulBackupByMethod": {"plugin": "2020-01-01T00:00:00Z"},
        "lastFailedBackup": "2026-11-24T11:00:00Z",
    }
    world = backed_up(**deprecated)
    assert world.ask().status == ready().ask().status
    world.of("cnpg-1-store").pop("status")
    assert world.ask().status["backup"] == {"id": archive(world.ask())}


def test_another_servers_window_in_the_same_store_is_not_ours() -> None:
    world = ready()
    window = world.of("cnpg-1-store")["status"]["serverRecoveryWindow"]
    window["orders-db-1-earlier"] = window.pop(archive(world.ask()))
    assert world.ask().says("BackupCurrent") == "Unknown/FirstBackupPending"


def test_the_authoritys_key_is_never_handed_out() -> None:
    outcome = ready().ask()
    everything = [decoded(one) for one in outcome.resources.values() if one["kind"] == "Secret"]
    assert everything
    assert "the-key-of-the-authority" not in str(everything)
    assert "the-key-of-the-authority" not in str(outcome)


def test_two_instances_go_on_writing_when_one_is_lost_and_three_never_lose_a_write() -> None:
    assert "synchronous" not in cluster(fresh(tier="Development").ask())["postgresql"]
    two = cluster(fresh().ask())["postgresql"]["synchronous"]
    assert two == {"method": "any", "number": 1, "dataDurability": "preferred", "failoverQuorum": False}
    three = cluster(fresh(tier="Critical").ask())["postgresql"]["synchronous"]
    assert three == {"method": "any", "number": 1, "dataDurability": "required", "failoverQuorum": True}


def test_instances_stand_on_different_nodes_and_for_a_zone_in_three_zones() -> None:
    two, three = cluster(fresh().ask()), cluster(fresh(tier="Critical").ask())
    for found in (two, three):
        assert found["affinity"]["podAntiAffinityType"] == "required"
        assert found["affinity"]["topologyKey"] == "kubernetes.io/hostname"
    assert "topologySpreadConstraints" not in two
    spread = three["topologySpreadConstraints"][0]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    assert (spread["maxSkew"], spread["minDomains"], spread["whenUnsatisfiable"]) == (1, 3, "DoNotSchedule")


def test_what_is_not_tls_is_turned_away_first() -> None:
    assert cluster(fresh().ask())["postgresql"]["pg_hba"][0] == "hostnossl all all all reject"


def test_the_schedule_has_six_fields_daily_and_differs_from_claim_to_claim() -> None:
    schedules = set()
    for uid in range(20):
        world = fresh()
        world.claim["metadata"]["uid"] = f"uid-{uid}"
        schedule = world.ask().resources["cnpg-1-backup"]["spec"]["schedule"]
        second, minute, hour, *rest = schedule.split()
        assert (second, rest) == ("0", ["*", "*", "*"])
        assert (int(minute) in range(60), int(hour) in range(24)) == (True, True)
        schedules.add(schedule)
    assert len(schedules) > 15


def test_the_log_is_shipped_often_enough_for_the_objective() -> None:
    for rpo, timeout in ((60, "30s"), (300, "150s"), (900, "300s"), (86400, "300s")):
        parameters = cluster(fresh(objectives={"rpoSeconds": rpo}).ask())["postgresql"]["parameters"]
        assert parameters["archive_timeout"] == timeout


def test_how_often_the_log_is_shipped_is_not_the_claims_to_set() -> None:
    assert fresh(parameters={"archive_timeout": "1d"}).ask().reason == "NotOffered"


def test_logins_become_the_owner_so_that_rotation_never_changes_who_owns_a_table() -> None:
    statements = cluster(fresh().ask())["bootstrap"]["initdb"]["postInitSQL"]
    for login in ("app_login_a", "app_login_b"):
        assert f"CREATE ROLE {login} NOLOGIN IN ROLE app_owner" in statements
        assert f"ALTER ROLE {login} SET role TO app_owner" in statements
    assert "ALTER ROLE app_owner NOLOGIN" in statements
