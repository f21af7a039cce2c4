"""CloudNativePG: a claim serves while its primary takes writes, whatever else runs."""

import json
from typing import Any

import pytest

from made_up import Manifest, decoded
from worlds import World, half_ready, operate, ready

PRIMARY, STANDBY = "orders-db-1-1", "orders-db-1-2"
# What every phase of release 1.30 means while the primary is there, and while it is not; "" is not told. The operator
# looks at no instance in those of which both are EngineFailed.
PHASES = {
    "Switchover in progress": ("True/Serving", "False/Unreachable"),
    "Failing over": ("True/Serving", "False/Unreachable"),  # it goes on after the new primary is there
    "Setting up primary": ("True/Serving", "False/Unreachable"),
    "Creating a new replica": ("True/Serving", "False/Unreachable"),
    "Upgrading cluster": ("True/Serving", "False/Unreachable"),
    "Upgrading Postgres major version": ("True/Serving", "False/Unreachable"),  # its pods go first
    "Cluster upgrade delayed": ("True/Serving", "False/Unreachable"),
    "Waiting for user action": ("True/Serving", "False/Unreachable"),
    "Primary instance is being restarted in-place": ("False/Unreachable", "False/Unreachable"),
    "Primary instance is being restarted without a switchover": ("True/Serving", "False/Unreachable"),
    "Cluster in healthy state": ("True/Serving", "False/Unreachable"),
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required": ("False/EngineFailed",) * 2,
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins": (
        ("False/EngineFailed",) * 2
    ),
    "Cluster has incomplete or invalid image catalog": ("False/EngineFailed",) * 2,
    # Also said when a standby could not be made, while the primary goes on.
    "Cluster is unrecoverable and needs manual intervention": ("True/ReducedRedundancy", "False/EngineFailed"),
    "Cluster cannot execute instance online upgrade due to missing architecture binary": (
        *("True/Serving", "False/Unreachable"),
    ),
    "Waiting for the instances to become active": ("True/Serving", "False/Unreachable"),
    "Online upgrade in progress": ("True/Serving", "False/Unreachable"),
    "Applying configuration": ("True/Serving", "False/Unreachable"),
    "Promoting to primary cluster": ("False/Unreachable", "False/Unreachable"),
    "Unable to create required cluster objects": ("False/EngineFailed",) * 2,
    "Invalid cluster definition": ("False/EngineFailed",) * 2,
    "Not enough disk space": ("True/StorageLow", "False/Unreachable"),
    "Instance Status Extraction Error: HTTP communication issue": ("True/Serving", "False/Unreachable"),
}


def state(world: World, **status: Any) -> World:
    world.of("cnpg-1-cluster")["status"] |= status
    return world


def annotated(world: World, **annotations: str) -> World:
    world.of("cnpg-1-cluster")["metadata"].setdefault("annotations", {}).update(
        {f"cnpg.io/{key}": value for key, value in annotations.items()}
    )
    return world


def without_primary(**status: Any) -> World:
    """Return a claim whose standby is all that runs."""
    there = {"readyInstances": 1, "instancesStatus": {"healthy": [STANDBY], "failed": [PRIMARY]}}
    return state(ready(), **{**there, **status})


def serving(world: World) -> str:
    return world.ask().says("Serving")


def message(world: World) -> str:
    return world.ask().conditions["Serving"][2]


@pytest.mark.parametrize("phase", PHASES)
def test_in_every_phase_the_claim_serves_only_if_its_primary_is_there(phase: str) -> None:
    there, gone = PHASES[phase]
    assert serving(state(ready(), phase=phase)) == there
    assert serving(without_primary(phase=phase)) == gone


@pytest.mark.parametrize("phase", PHASES)
def test_in_every_phase_an_outage_keeps_the_binding_and_says_which_phase_it_is(phase: str) -> None:
    world = ready()
    before = decoded(world.ask().resources["binding"])
    outcome = without_primary(phase=phase).ask()
    assert decoded(outcome.resources["binding"]) == before
    assert outcome.conditions["Serving"][2].startswith(phase)
    assert not outcome.ready
    assert not outcome.resources_ready["cnpg-1-cluster"]
    assert outcome.says("Settled").startswith("False/")


def test_while_a_failover_is_pending_nothing_takes_writes_though_every_pod_is_ready() -> None:
    for target, phase in (
        ("pending", "Failing over"),
        (STANDBY, "Failing over"),
        ("pending", "Switchover in progress"),
    ):
        world = state(ready(), phase=phase, targetPrimary=target)
        assert serving(world) == "False/Unreachable"
        assert message(world) == f"{phase}: instance {PRIMARY} is the primary no more, and no other is yet"


def test_a_planned_switchover_goes_on_serving_until_the_primary_goes() -> None:
    world = state(ready(), phase="Switchover in progress", targetPrimary=STANDBY)
    assert serving(world) == "True/Serving"
    state(world, instancesStatus={"healthy": [STANDBY], "replicating": [PRIMARY]}, readyInstances=1)
    assert serving(world) == "False/Unreachable"


def test_once_the_new_primary_is_there_the_claim_serves_with_one_instance_less() -> None:
    world = without_primary(phase="Failing over", currentPrimary=STANDBY, targetPrimary=STANDBY)
    assert serving(world) == "True/ReducedRedundancy"


@pytest.mark.parametrize("names", [[PRIMARY], ["*"], [STANDBY, PRIMARY]])
def test_a_fenced_primary_takes_no_writes_though_the_operator_calls_it_healthy(names: list[str]) -> None:
    world = annotated(ready(), fencedInstances=json.dumps(names))
    outcome = world.ask()
    assert (outcome.says("Serving"), outcome.says("Settled")) == ("False/Unreachable", "False/Provisioning")
    assert "annotation cnpg.io/fencedInstances of the Cluster" in outcome.conditions["Serving"][2]
    assert outcome.conditions["Settled"][2] == outcome.conditions["Serving"][2]


def test_a_fenced_standby_is_one_instance_less() -> None:
    outcome = annotated(ready(), fencedInstances=json.dumps([STANDBY])).ask()
    assert (outcome.says("Serving"), outcome.says("Settled")) == ("True/ReducedRedundancy", "False/Provisioning")
    assert outcome.conditions["Serving"][2] == "1 of 2 instances are ready"


@pytest.mark.parametrize("text", ["", "[]", PRIMARY, "{", '{"orders-db-1-1": 1}', "null", "5", "[5]"])
def test_a_list_of_fenced_instances_that_names_none_fences_none(text: str) -> None:
    assert serving(annotated(ready(), fencedInstances=text)) == "True/Serving"


def hibernation(status: str, reason: str) -> Manifest:
    return {"type": "cnpg.io/hibernation", "status": status, "reason": reason, "message": ""}


def test_a_database_that_hibernates_or_is_about_to_does_not_serve() -> None:
    for conditions in ([], [hibernation("False", "DeletingPods")], [hibernation("True", "Hibernated")]):
        world = annotated(ready(), hibernation="on")
        world.of("cnpg-1-cluster")["status"]["conditions"] += conditions
        assert serving(world) == "False/Unreachable"
        assert "annotation cnpg.io/hibernation" in message(world)


def test_a_hibernation_that_waits_or_is_off_keeps_nobody_out() -> None:
    world = annotated(ready(), hibernation="on")
    world.of("cnpg-1-cluster")["status"]["conditions"].append(hibernation("False", "WaitingForHealthy"))
    assert serving(world) == "True/Serving"
    assert serving(annotated(ready(), hibernation="off")) == "True/Serving"


@pytest.mark.parametrize(
    ("replica", "reads_only"),
    [
        ({"enabled": True, "source": "elsewhere"}, True),
        ({"enabled": False, "source": "elsewhere"}, False),
        ({"primary": "another", "source": "elsewhere"}, True),
        ({"primary": "orders-db-1", "source": "elsewhere"}, False),
        ({"primary": "one", "self": "one", "source": "elsewhere"}, False),
        ({"primary": "orders-db-1", "self": "two", "source": "elsewhere"}, True),
        ({"primary": "orders-db-1", "source": "elsewhere", "promotionToken": "new"}, True),
    ],
)
def test_a_cluster_that_follows_another_one_takes_no_writes(replica: Manifest, *, reads_only: bool) -> None:
    world = ready()
    world.of("cnpg-1-cluster")["spec"]["replica"] = replica
    assert serving(world) == ("False/Unreachable" if reads_only else "True/Serving")
    assert ("it only reads" in message(world) or "and only reads" in message(world)) is reads_only


def test_a_promotion_that_is_done_takes_writes() -> None:
    world = state(ready(), lastPromotionToken="new")
    world.of("cnpg-1-cluster")["spec"]["replica"] = {"primary": "orders-db-1", "promotionToken": "new"}
    assert serving(world) == "True/Serving"


def test_where_every_write_waits_for_a_standby_and_none_is_there_nothing_is_written() -> None:
    world = ready(tier="Critical")
    alone = {"readyInstances": 1, "instancesStatus": {"healthy": [PRIMARY], "failed": [STANDBY, "orders-db-1-3"]}}
    state(world, **alone)
    assert serving(world) == "False/Unreachable"
    assert "every write waits" in message(world)
    state(world, readyInstances=2, instancesStatus={"healthy": [PRIMARY, STANDBY]})
    assert serving(world) == "True/ReducedRedundancy"
    annotated(world, fencedInstances=json.dumps([STANDBY]))
    assert serving(world) == "False/Unreachable"


def test_two_instances_go_on_serving_without_the_standby() -> None:
    world = state(ready(), readyInstances=1, instancesStatus={"healthy": [PRIMARY]})
    assert serving(world) == "True/ReducedRedundancy"


def test_a_full_volume_is_said_with_what_to_raise_and_only_the_primarys_stops_writes() -> None:
    outcome = state(ready(), phase="Not enough disk space").ask()
    assert (outcome.says("Serving"), outcome.ready) == ("True/StorageLow", True)
    assert "raise storage.size" in outcome.conditions["Serving"][2]
    gone = without_primary(phase="Not enough disk space")
    assert serving(gone) == "False/Unreachable"
    assert "raise storage.size" in message(gone)


def test_a_status_that_does_not_tell_instances_apart_is_read_by_its_primary_and_count() -> None:
    world = ready()
    for untold in ("instancesStatus", "targetPrimary"):
        world.of("cnpg-1-cluster")["status"].pop(untold)
    assert serving(world) == "True/Serving"
    assert serving(state(world, readyInstances=1)) == "True/ReducedRedundancy"
    assert serving(state(world, readyInstances=0)) == "False/Unreachable"


def test_before_a_first_primary_is_there_the_claim_is_provisioning_or_restoring() -> None:
    for restore, settled in ((None, "False/Provisioning"), ({"from": "Backup", "backupID": "a-0"}, "False/Restoring")):
        world = half_ready(**({"restore": restore} if restore else {}))
        # The operator says so two seconds after it began, long before anything answers.
        state(world, instances=1, conditions=[{"type": "Initialized", "status": "True", "reason": "Initialized"}])
        outcome = world.ask()
        assert (outcome.says("Serving"), outcome.says("Settled")) == ("False/Provisioning", settled)


def test_a_binding_is_made_only_while_a_primary_takes_writes() -> None:
    world = half_ready()
    operate(world)
    annotated(world, fencedInstances='["*"]')
    assert "binding" not in world.ask().resources
    world.of("cnpg-1-cluster")["metadata"]["annotations"].pop("cnpg.io/fencedInstances")
    assert "binding" in world.ask().resources


def test_a_cluster_that_is_being_deleted_serves_no_more_though_its_status_stays() -> None:
    world = ready()
    world.of("cnpg-1-cluster")["metadata"]["deletionTimestamp"] = "2026-11-24T11:59:00Z"
    assert (serving(world), message(world)) == ("False/Unreachable", "the Cluster is being deleted")


def test_of_a_cluster_that_the_operator_was_told_to_leave_alone_nothing_good_is_known() -> None:
    outcome = annotated(ready(), reconciliationLoop="disabled").ask()
    assert (outcome.says("Serving"), outcome.says("Settled")) == ("Unknown/NotObserved", "Unknown/NotObserved")
    assert "annotation cnpg.io/reconciliationLoop" in outcome.conditions["Serving"][2]
    assert "binding" in outcome.resources
    assert serving(annotated(ready(), reconciliationLoop="disabled", fencedInstances='["*"]')) == "False/Unreachable"
    assert serving(annotated(ready(), reconciliationLoop="enabled")) == "True/Serving"
