"""CloudNativePG: what is composed, and what the operator's words mean to a claim."""

from typing import Any

import promql_parser
import pytest

from made_up import Manifest
from worlds import World, fresh, half_ready, operate, ready

STOPPED_PHASES = [
    "Invalid cluster definition",
    "Unable to create required cluster objects",
    "Cluster has incomplete or invalid image catalog",
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins",
]


def spec(name: str = "cluster", /, world: World | None = None, **claim: Any) -> Manifest:
    found: Manifest = (world or fresh(**claim)).ask().resources[f"cnpg-1-{name}"]["spec"]
    return found


def in_phase(phase: str, world: World | None = None, **status: Any) -> World:
    world = world or ready()
    world.of("cnpg-1-cluster")["status"] |= {"phase": phase, **status}
    return world


def said(world: World) -> tuple[str, str]:
    outcome = world.ask()
    return outcome.says("Serving"), outcome.says("Settled")


def test_before_the_operator_begins_the_claim_is_provisioning() -> None:
    world = fresh()
    world.reconcile()
    outcome = world.ask()
    assert (outcome.says("Serving"), outcome.says("Settled")) == ("False/Provisioning", "False/Provisioning")
    assert outcome.conditions["Serving"][2] == "the operator has not begun"
    assert not outcome.resources_ready["cnpg-1-cluster"]


@pytest.mark.parametrize("phase", ["Setting up primary", "Creating a new replica", "Waiting for the instances"])
def test_while_no_instance_answers_for_the_first_time_the_claim_is_provisioning(phase: str) -> None:
    world = half_ready()
    world.of("cnpg-1-cluster")["status"] = {"phase": phase}
    assert said(world) == ("False/Provisioning", "False/Provisioning")
    assert world.ask().conditions["Serving"][2] == phase


def test_a_server_that_once_answered_and_no_longer_does_is_unreachable() -> None:
    world = in_phase("Not enough disk space", readyInstances=0)
    assert said(world)[0] == "False/Unreachable"
    assert not world.ask().ready


@pytest.mark.parametrize("phase", STOPPED_PHASES)
def test_a_phase_that_needs_people_is_engine_failed_with_the_operators_words(phase: str) -> None:
    world = in_phase(phase, phaseReason="because")
    assert said(world)[0] == "False/EngineFailed"
    assert world.ask().conditions["Serving"][2] == f"{phase}. because"
    assert not world.ask().ready


@pytest.mark.parametrize(
    ("phase", "settled"),
    [
        ("Cluster in healthy state", "True/AsDeclared"),
        ("Switchover in progress", "False/Provisioning"),
        ("Failing over", "False/Provisioning"),
        ("Creating a new replica", "False/Provisioning"),
        ("Upgrading cluster", "False/Upgrading"),
        ("Cluster upgrade delayed", "False/Upgrading"),
        ("Upgrading Postgres major version", "False/Upgrading"),
        ("Waiting for user action", "False/AwaitingApproval"),
    ],
)
def test_a_phase_says_whether_the_claim_is_settled_while_it_goes_on_serving(phase: str, settled: str) -> None:
    world = in_phase(phase)
    assert said(world) == ("True/Serving", settled)
    assert world.ask().ready


def test_fewer_instances_than_declared_serve_with_reduced_redundancy() -> None:
    world = in_phase("Cluster in healthy state", readyInstances=1)
    assert said(world) == ("True/ReducedRedundancy", "False/Provisioning")
    assert world.ask().conditions["Serving"][2] == "1 of 2 instances are ready"
    assert world.ask().ready


def test_volumes_being_resized_are_said() -> None:
    world = in_phase("Cluster in healthy state", resizingPVC=["orders-db-1-1"])
    assert said(world) == ("True/Serving", "False/Resizing")


def test_a_restore_under_way_is_said() -> None:
    world = half_ready(restore={"from": "Backup", "backupID": "orders-db-1-00000000"})
    assert said(world) == ("False/Provisioning", "False/Restoring")
    world.of("cnpg-1-cluster")["status"]["currentPrimary"] = "orders-db-1-1"
    assert said(world)[1] == "False/Provisioning"


@pytest.mark.parametrize("role", ["database", "owner", "login-a"])
@pytest.mark.parametrize("status", [None, {}, {"applied": False, "message": "no"}, {"applied": "True"}])
def test_an_object_of_the_database_is_ready_once_the_operator_says_it_is_applied(role: str, status: Any) -> None:
    world = ready()
    assert world.ask().resources_ready[f"cnpg-1-{role}"]
    world.of(f"cnpg-1-{role}")["status"] = status
    outcome = world.ask()
    assert not outcome.resources_ready[f"cnpg-1-{role}"]
    assert outcome.says("Serving") == "False/AwaitingCredentials"
    assert "binding" in outcome.resources, "once made it stays"


def test_the_resting_login_holds_nothing_up() -> None:
    world = ready()
    world.of("cnpg-1-login-b")["status"] = {}
    assert world.ask().says("Serving") == "True/Serving"


@pytest.mark.parametrize(
    ("tier", "instances"), [("Development", 1), ("Standard", 2), ("Critical", 3)], ids=["none", "node", "zone"]
)
def test_a_tier_runs_as_many_instances_as_its_failure_tolerance_needs(tier: str, instances: int) -> None:
    assert spec(tier=tier)["instances"] == instances


def test_the_version_that_runs_is_read_from_the_image_or_from_the_data() -> None:
    world = ready()
    assert world.ask().status["version"] == "17.6"
    world.of("cnpg-1-cluster")["status"] |= {"image": "r.example.com:5000/pg@sha256:0", "pgDataImageInfo": {}}
    world.of("cnpg-1-cluster")["status"]["pgDataImageInfo"] = {"majorVersion": 17}
    assert world.ask().status["version"] == "17"


def test_an_image_catalog_is_used_where_the_environment_names_one() -> None:
    assert spec(version="16")["imageName"] == "ghcr.io/cloudnative-pg/postgresql:16-standard-trixie"
    found = spec(world=fresh(version="16").environment(cnpg={"imageCatalog": "blessed"}))
    assert "imageName" not in found
    assert (found["imageCatalogRef"]["name"], found["imageCatalogRef"]["major"]) == ("blessed", 16)


def test_consumers_the_operator_and_prometheus_may_connect_and_nobody_else() -> None:
    world = fresh(consumers=[{"namespace": "team-b"}]).environment(cnpg={"operatorNamespace": "operators"})
    found = spec("network", world=world)
    reached = {}
    for rule in found["ingress"]:
        for peer in rule["from"]:
            selector = peer.get("namespaceSelector", peer.get("podSelector"))["matchLabels"]
            reached[next(iter(selector.values()))] = [port["port"] for port in rule["ports"]]
    assert reached == {
        "team-a": [5432],
        "team-b": [5432],
        "operators": [5432, 8000],
        "orders-db-1": [5432, 8000],
        "monitoring": [9187],
    }
    assert found["policyTypes"] == ["Ingress"]
    assert found["podSelector"] == {"matchLabels": {"cnpg.io/cluster": "orders-db-1"}}


def test_an_optional_kind_that_is_not_installed_is_left_out_and_may_go_again() -> None:
    world = ready()
    assert "cnpg-1-monitor" in world.composed
    world.installed = {crd for crd in world.installed if "monitoring" not in crd}
    for name in ("cnpg-1-monitor", "cnpg-1-alerts"):  # objects go with their kind
        del world.objects[world.composed.pop(name)]
    outcome = world.ask()
    assert not outcome.fatal
    assert not {"cnpg-1-monitor", "cnpg-1-alerts"} & set(outcome.resources)
    assert any("nothing is monitored" in notice for notice in outcome.notices)


def test_without_monitoring_in_the_environment_nothing_is_monitored_and_nothing_warned() -> None:
    outcome = fresh().environment(monitoring=None).ask()
    assert not {"cnpg-1-monitor", "cnpg-1-alerts"} & set(outcome.resources)
    assert outcome.notices == ()


def test_every_alert_has_a_runbook_and_names_this_database_only() -> None:
    rules = spec("alerts", tier="Standard")["groups"][0]["rules"]
    assert len(rules) == 5
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == f"https://runbooks.example.com/{rule['alert']}"
        assert 'namespace="team-a"' in rule["expr"]
        assert 'orders-db-1-[0-9]+"' in rule["expr"]
        promql_parser.parse(rule["expr"])  # raises where Prometheus would


def test_a_development_claim_without_backups_has_no_archive_and_no_schedule() -> None:
    world = fresh(tier="Development").environment(waivers=["Backup"], backup=None)
    outcome = world.ask()
    assert outcome.reason == ""
    assert not {"cnpg-1-store", "cnpg-1-backup"} & set(outcome.resources)
    assert "plugins" not in outcome.resources["cnpg-1-cluster"]["spec"]
    assert outcome.says("BackupCurrent") == "Unknown/NotPromised"
    (group,) = outcome.resources["cnpg-1-alerts"]["spec"]["groups"]
    assert [rule["alert"] for rule in group["rules"] if "Backup" in rule["alert"]] == []


def test_backups_of_every_namespace_go_to_a_folder_of_its_own() -> None:
    store = spec("store")
    assert store["configuration"]["destinationPath"] == "s3://acme-backups/team-a"
    assert store["configuration"]["s3Credentials"] == {"inheritFromIAMRole": True}
    assert store["retentionPolicy"] == "7d"


def test_backup_keys_are_named_and_never_copied() -> None:
    world = fresh().environment(backup={"bucket": "acme-{namespace}", "credentials": "keys"})
    data = {"access-key-id": "QUtJQQ==", "secret-access-key": "c2hoaA=="}
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": data})
    outcome = world.ask()
    credentials = outcome.resources["cnpg-1-store"]["spec"]["configuration"]["s3Credentials"]
    assert credentials["secretAccessKey"] == {"name": "keys", "key": "secret-access-key"}
    assert not any("shhh" in str(one) or "c2hoaA==" in str(one) for one in outcome.resources.values())


@pytest.mark.parametrize(
    "data", [{}, {"access-key-id": "QUtJQQ=="}, {"access-key-id": "QUtJQQ==", "secret-access-key": ""}]
)
def test_a_backup_secret_without_an_entry_is_refused_with_the_entrys_name(data: Manifest) -> None:
    world = fresh().environment(backup={"bucket": "acme-{namespace}", "credentials": "keys"})
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": data})
    outcome = world.ask()
    assert outcome.reason == "EnvironmentIncomplete"
    assert "Secret keys in namespace team-a has no entry" in outcome.message
    assert "secret-access-key" in outcome.message


def test_the_deprecated_pod_monitor_of_the_operator_is_not_asked_for() -> None:
    assert "monitoring" not in spec()


def test_what_the_operator_and_its_webhook_add_is_not_fought_over() -> None:
    world = half_ready()
    world.of("cnpg-1-cluster")["spec"]["bootstrap"]["initdb"]["localeCType"] = "C"
    operate(world)
    assert spec(world=world)["bootstrap"]["initdb"]["localeCType"] == "C"
