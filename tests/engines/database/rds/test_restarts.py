"""Engine rds and a provider that forgets: whenever it is restarted, nothing is made twice, nothing goes on unseen."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from groundplane.core.condition import Type
from rds_account import Cluster
from standins.aws import EXTERNAL_NAME

LONGEST = 5.0  # turns that an instance is being made
RESIZED = {"size": "Large", "storage": {"size": "200Gi"}, "parameters": {"work_mem": "8192"}}


def born(restart_at: int = -1) -> Cluster:
    cluster = Cluster(restart_at, LONGEST)
    cluster.rest()
    return cluster


def after_birth(then: Callable[[Cluster], None], restart_at: int = -1) -> Cluster:
    """Return a cluster in which all was made and *then* done, the provider restarted after so many steps of that."""
    cluster = born()
    begun = cluster.restarts.steps
    cluster.restarts.at = begun + restart_at if restart_at >= 0 else -1
    then(cluster)
    cluster.rest()
    cluster.restarts.steps -= begun
    return cluster


def resize(cluster: Cluster) -> None:
    cluster.edit(**RESIZED)


STEPS = born().restarts.steps
STEPS_OF_DELETION = after_birth(Cluster.delete).restarts.steps
STEPS_OF_A_CHANGE = after_birth(resize).restarts.steps


def check_whole(cluster: Cluster) -> None:
    assert cluster.holds(Type.SERVING), cluster.message()
    assert cluster.holds(Type.SETTLED), cluster.message()
    assert len(cluster.account.made) == len(set(cluster.account.made)), cluster.account.made
    assert [len(found) for found in cluster.account.there.values()] == [1, 1, 1, 1]


def check_gone(cluster: Cluster) -> None:
    assert cluster.objects == {}
    assert cluster.account.names() == []
    assert len(cluster.account.snapshots) == 1


def test_a_claim_becomes_a_database() -> None:
    cluster = born()
    check_whole(cluster)
    assert cluster.helped == []


@pytest.mark.parametrize("step", range(STEPS))
def test_a_provider_that_is_restarted_while_all_is_made_makes_nothing_twice(step: int) -> None:
    cluster = born(step)
    assert cluster.restarts.steps > step
    check_whole(cluster)
    cluster.restart()
    cluster.delete()
    cluster.rest()
    check_gone(cluster)


def test_a_provider_that_was_restarted_changes_what_it_made_before() -> None:
    cluster = born()
    made = [*cluster.account.made]
    for change in (RESIZED, {"version": "18"}):
        cluster.restart()
        cluster.edit(**change)
        cluster.rest()
        check_whole_after(cluster, made)
    (instance,) = cluster.account.there["Instance"].values()
    assert (instance["instanceClass"], instance["allocatedStorage"]) == ("db.m7g.xlarge", 200)
    assert instance["engineVersionActual"].startswith("18")
    assert {"name": "work_mem", "value": "8192", "applyMethod": "immediate"} in next(
        iter(cluster.account.there["ParameterGroup"].values())
    )["parameter"]


def check_whole_after(cluster: Cluster, made: list[str]) -> None:
    assert cluster.holds(Type.SERVING), cluster.message()
    assert cluster.holds(Type.SETTLED), cluster.message()
    again = [one for one in cluster.account.made if not one.startswith("ParameterGroup")]
    assert again == [one for one in made if not one.startswith("ParameterGroup")]


def test_a_provider_that_was_restarted_deletes_what_it_made_before_and_leaves_the_snapshot() -> None:
    cluster = born()
    snapshot = cluster.claim["status"]["backup"]["id"]
    cluster.restart()
    cluster.delete()
    cluster.restart()
    cluster.rest()
    check_gone(cluster)
    assert cluster.account.snapshots == [snapshot]


@pytest.mark.parametrize("step", range(STEPS_OF_DELETION))
def test_a_provider_that_is_restarted_while_all_goes_leaves_nothing_but_the_snapshot(step: int) -> None:
    cluster = after_birth(Cluster.delete, step)
    assert cluster.restarts.steps > step
    check_gone(cluster)


@pytest.mark.parametrize("step", range(STEPS_OF_A_CHANGE))
def test_a_provider_that_is_restarted_while_it_changes_something_makes_nothing_twice(step: int) -> None:
    made = [*born().account.made]
    cluster = after_birth(resize, step)
    assert cluster.restarts.steps > step
    check_whole_after(cluster, made)


def test_an_instance_that_is_being_made_is_not_let_go_while_nobody_knows_it() -> None:
    cluster = Cluster(birth_seconds=LONGEST)
    for _ in range(3):
        cluster.turn()
    assert cluster.account.is_busy()
    cluster.reconcile()
    assert cluster.claim["status"]["deletion"]["inForce"] == "Protect"
    cluster.restart()
    cluster.turn()
    assert "DBInstanceAlreadyExists" in str(cluster.object("Instance")["status"])
    cluster.reconcile()
    assert cluster.claim["status"]["deletion"]["inForce"] == "Protect"
    cluster.rest()
    check_whole(cluster)


def left_by_an_earlier_claim() -> Cluster:
    """Return a cluster without its objects, whose account still has what a claim of the same name and place made."""
    before = born()
    cluster = Cluster(birth_seconds=LONGEST, account=before.account, deletionPolicy="Delete")
    cluster.claim["metadata"]["uid"] = "00000000-0000-4000-8000-0000000000bb"
    for kind in ("SecurityGroup", "SecurityGroupIngressRule"):  # the instance alone is asked about here
        cluster.account.there[kind].clear()
    return cluster


def test_what_an_earlier_claim_left_is_looked_at_and_never_taken_over() -> None:
    cluster = left_by_an_earlier_claim()
    before = deepcopy(cluster.account.there["Instance"])
    cluster.rest()
    assert cluster.account.there["Instance"] == before
    instance = cluster.object("Instance")
    assert instance["spec"]["managementPolicies"] == ["Observe"]
    assert instance["metadata"]["annotations"][EXTERNAL_NAME] == instance["spec"]["forProvider"]["identifier"]
    assert "that was not made for this claim" in cluster.message()
    assert "Give the claim another name" in cluster.message()
    assert "binding" not in cluster.claim["status"]
    assert "endpoints" not in cluster.claim["status"]


def test_what_an_earlier_claim_left_stays_when_this_one_goes() -> None:
    cluster = left_by_an_earlier_claim()
    before = deepcopy(cluster.account.there["Instance"])
    cluster.rest()
    cluster.delete()
    cluster.rest()
    assert cluster.account.there["Instance"] == before
    assert cluster.account.snapshots == []
    assert "Instance" not in {kind for kind, _ in cluster.objects}


def test_once_what_an_earlier_claim_left_is_gone_the_claim_gets_its_own() -> None:
    cluster = left_by_an_earlier_claim()
    cluster.rest()
    cluster.account.there["Instance"].clear()
    cluster.rest()
    assert cluster.holds(Type.SERVING), cluster.message()
    (instance,) = cluster.account.there["Instance"].values()
    assert instance["tags"]["groundplane.dev/claim-uid"] == cluster.claim["metadata"]["uid"]
    cluster.restart()
    cluster.delete()
    cluster.rest()
    assert cluster.objects == {}
    assert cluster.account.there["Instance"] == {}
    assert len(cluster.account.snapshots) == 1


def test_a_name_that_stands_in_an_object_never_changes_nor_goes() -> None:
    cluster = born()
    kinds = ("Instance", "SecurityGroup", "SecurityGroupIngressRule")
    names = {kind: cluster.object(kind)["metadata"]["annotations"][EXTERNAL_NAME] for kind in kinds}
    for kind in kinds:
        cluster.object(kind)["status"].get("atProvider", {}).pop("id")
        cluster.reconcile()
        assert cluster.object(kind)["metadata"]["annotations"][EXTERNAL_NAME] == names[kind]
        cluster.object(kind)["status"]["atProvider"]["id"] = "another-name-of-the-same"
        cluster.reconcile()
        assert cluster.object(kind)["metadata"]["annotations"][EXTERNAL_NAME] == names[kind]
