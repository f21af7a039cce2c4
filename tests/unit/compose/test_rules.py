"""What holds of every answer: what it asks for, that it says all conditions, and that nothing is left to chance."""

from typing import Any

import pytest

from made_up import CONDITIONS, CRDS, environment_config
from worlds import World, fresh, half_ready, operate, ready


@pytest.fixture(params=["compose", "edge"])
def through(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unsaved(through: str) -> World:
    """Return a claim that is served and has no backups."""
    world = fresh(through, tier="Development").environment(waivers=["Backup"], backup=None)
    world.reconcile()
    operate(world)
    world.reconcile(times=2)
    return world


def wrong(world: World) -> World:
    world.claim["spec"]["version"] = "14"
    return world


def test_data_are_required_by_name_only_once_their_kind_is_known_to_be_installed(through: str) -> None:
    world = fresh(through)
    first = world._call(None)
    assert "cnpg-1-cluster" not in first.asked.objects
    others = {"instances.rds.aws.m.upbound.io", "processes.local.groundplane.dev"}  # has another engine its data?
    assert first.asked.schemas == {*CRDS, *others}
    assert "cnpg-1-cluster" in world._call(first.asked).asked.objects


def test_data_whose_kind_is_not_installed_are_never_required(through: str) -> None:
    world = fresh(through)
    world.installed.discard("clusters.postgresql.cnpg.io")
    outcome = world.ask()
    assert outcome.reason == "EngineNotInstalled"
    assert {kind for (kind, _), _ in outcome.asked.objects.values()} == {
        "EnvironmentConfig.apiextensions.crossplane.io"
    }


def test_data_are_required_by_name_only_while_they_are_not_observed(through: str) -> None:
    world = ready(through)
    assert "cnpg-1-cluster" not in world.ask().asked.objects
    world.lose_references()
    assert "cnpg-1-cluster" in world.ask().asked.objects


@pytest.mark.parametrize("make", [fresh, half_ready, ready])
@pytest.mark.parametrize("spoil", [lambda world: world, wrong], ids=["right", "wrong"])
def test_every_answer_and_every_refusal_says_all_five_conditions(through: str, make: Any, spoil: Any) -> None:
    world = spoil(make(through))
    asked = None
    for _ in range(4):  # each call of the reconcile, not only the last
        outcome = world._call(asked)
        asked = outcome.asked
        assert set(outcome.conditions) == {*CONDITIONS}


def test_a_fatal_refusal_repeats_what_the_claim_said_last(through: str) -> None:
    world = wrong(ready(through))
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.says("Accepted") == "False/NotOffered"
    assert outcome.says("Serving") == "True/Serving"
    assert outcome.says("Settled") == "True/AsDeclared"
    assert outcome.says("BackupCurrent") == "True/WithinObjective"


def test_what_crossplane_wrote_over_a_condition_is_not_repeated(through: str) -> None:
    world = wrong(ready(through))
    for entry in world.claim["status"]["conditions"]:
        entry.update(status="Unknown", reason="FatalError", message="whatever")
    outcome = world.ask()
    assert outcome.says("Serving") == "Unknown/NotObserved"
    assert outcome.conditions["Serving"][2] == ""


def test_the_claim_is_ready_exactly_when_accepted_and_serving_with_a_binding(through: str) -> None:
    world = half_ready(through)
    assert not world.ask().ready
    world = ready(through)
    assert world.ask().ready
    world.of("cnpg-1-cluster")["status"]["readyInstances"] = 0
    assert not world.ask().ready


def test_nothing_is_ready_that_is_not_observed(through: str) -> None:
    assert not any(fresh(through).ask().resources_ready.values())


def test_a_refusal_before_anything_exists_says_not_ready(through: str) -> None:
    outcome = wrong(fresh(through)).ask()
    assert not outcome.fatal
    assert not outcome.ready


@pytest.mark.parametrize("make", [fresh, half_ready, ready])
def test_the_same_question_asks_for_the_same_whatever_it_was_told(through: str, make: Any) -> None:
    world = make(through)
    settled = world.ask().asked
    for _ in range(3):
        again = world._call(settled)
        assert again.asked == settled


def test_from_nothing_four_calls_are_enough(through: str) -> None:
    assert fresh(through).ask().calls <= 4


def test_a_copy_of_another_claim_takes_no_more_calls_than_crossplane_allows(through: str) -> None:
    world = fresh(through, restore={"from": "Claim", "claimRef": {"name": "shop"}})
    world.put(
        {
            "apiVersion": "groundplane.dev/v1alpha1",
            "kind": "XDatabase",
            "metadata": {
                "name": "shop",
                "namespace": "team-a",
                "uid": "other",
                "labels": {"groundplane.dev/environment": "kubernetes"},
            },
            "spec": {"database": {"name": "app"}},
            "status": {"slot": "cnpg-1"},
        }
    )
    outcome = world.ask()
    assert "cnpg-1-cluster" in outcome.resources
    assert outcome.calls <= 5


def test_a_settled_claim_asks_for_no_schema_and_takes_one_call(through: str) -> None:
    world = ready(through)
    settled = world.ask().asked
    assert not settled.schemas
    assert not settled.told
    world.seeded = settled
    assert world.ask().calls == 1


@pytest.mark.parametrize("absent", [(), ("clusters.postgresql.cnpg.io",), ("podmonitors.monitoring.coreos.com",)])
def test_a_schema_is_asked_for_once_in_a_reconcile(through: str, absent: tuple[str, ...]) -> None:
    world = fresh(through)
    world.installed -= {*absent}
    first = world._call(None).asked
    second = world._call(first).asked
    assert first.schemas
    assert dict(second.told) == {crd: crd in world.installed for crd in first.schemas}
    assert not second.schemas
    assert world._call(second).asked.told == second.told


def test_a_living_claim_asks_for_what_it_composes_for_the_first_time(through: str) -> None:
    world = unsaved(through)
    assert "cnpg-1-store" not in world.composed
    before = world.ask().asked
    world.environment()
    assert world._call(before).asked.schemas == {
        "objectstores.barmancloud.cnpg.io",
        "scheduledbackups.postgresql.cnpg.io",
    }
    assert "cnpg-1-store" in world.reconcile().resources
    assert world.ask().asked.schemas == set()


@pytest.mark.parametrize("missing", ["objectstores.barmancloud.cnpg.io", "scheduledbackups.postgresql.cnpg.io"])
def test_a_living_claim_composes_nothing_of_a_kind_that_is_not_installed(through: str, missing: str) -> None:
    world = unsaved(through)
    world.installed.discard(missing)
    outcome = world.environment().ask()
    assert (outcome.fatal, outcome.reason) == (True, "EngineNotInstalled")
    assert missing in outcome.message


@pytest.mark.parametrize("make", [fresh, half_ready, ready])
def test_no_usage_is_ever_composed(through: str, make: Any) -> None:
    assert not {one["kind"] for one in make(through).ask().resources.values()} & {"Usage", "ClusterUsage"}


def test_a_settled_claim_is_looked_at_again_later_than_a_waiting_one(through: str) -> None:
    assert half_ready(through).ask().ttl == 30
    assert ready(through).ask().ttl == 300
    assert wrong(ready(through)).ask().ttl == 0


def test_the_deletion_policy_stands_on_every_guarded_object_and_on_no_other(through: str) -> None:
    for policy in ("Protect", "Delete"):
        resources = fresh(through, deletionPolicy=policy).ask().resources
        said = {
            name: one["metadata"]["annotations"].get("groundplane.dev/deletion-policy")
            for name, one in resources.items()
        }
        guarded = {"cnpg-1-cluster", "cnpg-1-secret-a"}
        assert {name for name, value in said.items() if value == policy} == guarded
        assert {value for name, value in said.items() if name not in guarded} == {None}


def test_the_deletion_policy_is_told_only_as_it_is_observed(through: str) -> None:
    world = fresh(through, deletionPolicy="Delete")
    assert "deletion" not in world.reconcile().status, "nothing is observed yet"
    world = ready(through)
    world.claim["spec"]["deletionPolicy"] = "Delete"
    assert world.reconcile().status["deletion"]["inForce"] == "Protect", "the objects still say Protect"
    assert world.reconcile().status["deletion"]["inForce"] == "Delete"


def test_delete_is_in_force_only_when_every_guarded_object_says_so(through: str) -> None:
    world = ready(through, deletionPolicy="Delete")
    assert world.ask().status["deletion"] == {
        "inForce": "Delete",
        "stateful": ["Cluster/orders-db-1", "Secret/orders-db-1-login-a"],
    }
    world.of("cnpg-1-secret-a")["metadata"]["annotations"]["groundplane.dev/deletion-policy"] = "Protect"
    assert world.ask().status["deletion"]["inForce"] == "Protect"


def test_without_the_companion_set_nothing_is_promised(through: str) -> None:
    world = fresh(through)
    world.objects.pop(("EnvironmentConfig.apiextensions.crossplane.io", "groundplane-grants"))
    outcome = world.ask()
    assert outcome.reason == "EnvironmentIncomplete"
    assert "kubectl apply -k package/companion" in outcome.message
    assert not outcome.resources


@pytest.mark.parametrize("kinds", [None, [], "clusters.postgresql.cnpg.io", {"*": True}, [None]])
def test_grants_of_any_other_shape_grant_nothing(through: str, kinds: Any) -> None:
    world = fresh(through)
    world.put(environment_config("groundplane-grants", {"kinds": kinds}))
    assert world.ask().reason == "NotPermitted"


def test_a_kind_that_is_not_granted_is_named(through: str) -> None:
    kinds = [*CRDS, "secrets", "networkpolicies.networking.k8s.io"]
    for missing in ("clusters.postgresql.cnpg.io", "secrets", "networkpolicies.networking.k8s.io"):
        world = fresh(through).granted(*(kind for kind in kinds if kind != missing))
        outcome = world.ask()
        assert outcome.reason == "NotPermitted"
        assert missing in outcome.message
        assert "kubectl apply" in outcome.message
        assert not outcome.resources


def test_an_optional_kind_that_is_not_granted_is_left_out_and_said(through: str) -> None:
    needed = [kind for kind in CRDS if "monitoring" not in kind]
    outcome = fresh(through).granted(*needed, "secrets", "networkpolicies.networking.k8s.io").ask()
    assert outcome.reason == ""
    assert outcome.conditions["Accepted"][0] == "True"
    assert "cnpg-1-monitor" not in outcome.resources
    assert outcome.notices


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({"tier": "Development"}, "deletionPolicy"),
        ({"tier": "Development", "deletionPolicy": "Delete"}, "backup.retentionDays"),
        ({"tier": "Development", "deletionPolicy": "Protect", "backup": {"retentionDays": 7}}, ""),
        ({"tier": "Development", "deletionPolicy": "Delete", "backup": {"retentionDays": 1}}, ""),
        ({"deletionPolicy": "Delete"}, ""),
        ({"backup": {"retentionDays": 1}}, ""),
        ({"tier": "Critical"}, ""),
    ],
)
def test_what_protects_data_falls_only_when_it_is_written(through: str, spec: Any, refused: str) -> None:
    world = ready(through)
    world.claim["spec"] |= spec
    outcome = world.ask()
    assert outcome.reason == ("UnsafeChange" if refused else "")
    assert refused in outcome.message
    assert outcome.fatal == bool(refused)


def test_a_lower_tier_is_nothing_special_while_there_are_no_data(through: str) -> None:
    world = fresh(through)
    world.claim["spec"]["tier"] = "Development"
    assert world.ask().reason == ""


@pytest.mark.parametrize("written", ["", "x", "-1", "٣", None, 7])
def test_a_retention_that_cannot_be_read_from_the_object_never_breaks_the_function(through: str, written: Any) -> None:
    world = ready(through)
    world.of("cnpg-1-cluster")["metadata"]["annotations"]["groundplane.dev/retention-days"] = written
    assert world.ask().reason == ""
