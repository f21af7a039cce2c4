"""What a claim is answered, row by row: whether its data are observed, found by name, or recorded in its status."""

from collections.abc import Callable
from typing import Any

import pytest

from made_up import CONDITIONS, UID, Manifest
from outcomes import Outcome
from worlds import World, fresh, ready

DATA = "cnpg-1-cluster"
SERVED: Manifest = {"engine": "cnpg", "slot": "cnpg-1"}


@pytest.fixture(params=["compose", "edge"])
def through(request: pytest.FixtureRequest) -> str:
    """The pure core, and the same through the gRPC edge."""
    return str(request.param)


def cluster(**metadata: Any) -> Manifest:
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": "orders-db-1", "namespace": "team-a", **metadata},
        "spec": {},
    }


def left_by_an_earlier_life() -> Manifest:
    return cluster(labels={"groundplane.dev/claim": "db.orders"}, annotations={"groundplane.dev/claim-uid": "earlier"})


def changes_nothing(outcome: Outcome) -> bool:
    """Whether a FATAL answer desires nothing, and carries every condition."""
    return outcome.fatal and not outcome.resources and not outcome.status and set(outcome.conditions) == {*CONDITIONS}


def makes_nothing(outcome: Outcome) -> bool:
    """Whether an answer that is no FATAL one desires nothing, is not ready, and carries every condition."""
    return not (outcome.fatal or outcome.resources or outcome.ready) and set(outcome.conditions) == {*CONDITIONS}


def wrong_version(world: World) -> None:
    world.claim["spec"]["version"] = "14"


def no_operator(world: World) -> None:
    world.installed.clear()


def no_environment(world: World) -> None:
    world.objects.pop(("EnvironmentConfig.apiextensions.crossplane.io", "kubernetes"))


def no_grants(world: World) -> None:
    world.granted("secrets")


@pytest.mark.parametrize("spoil", [wrong_version, no_operator, no_environment, no_grants])
def test_with_no_data_anywhere_whatever_is_wrong_is_an_answer_without_resources(
    through: str, spoil: Callable[[World], None]
) -> None:
    world = fresh(through)
    spoil(world)
    outcome = world.ask()
    assert makes_nothing(outcome)
    assert outcome.says("Accepted").startswith("False/")
    assert outcome.ttl == 30
    assert outcome.status == {"observedGeneration": 1}


def test_with_no_data_anywhere_a_right_claim_gets_everything(through: str) -> None:
    outcome = fresh(through).ask()
    assert not outcome.fatal
    assert DATA in outcome.resources
    assert not outcome.ready
    assert "engine" not in outcome.status, "nothing can be lost yet, so the claim may be deleted freely"


@pytest.mark.parametrize("status", [{}, SERVED], ids=["status wiped", "status kept"])
def test_data_of_this_life_found_by_name_are_taken_back_in_full(through: str, status: Manifest) -> None:
    world = ready(through)
    before = world.ask()
    world.claim["status"] = dict(status)
    world.lose_references()
    outcome = world.ask()
    assert not outcome.fatal
    assert outcome.resources == before.resources
    assert outcome.conditions["Accepted"][0] == "True"


def test_data_of_this_life_keep_their_slot_when_status_and_references_are_lost_together(through: str) -> None:
    world = fresh(through, migration={"retiredSlots": ["rds-1"]})
    world.reconcile()
    assert "cnpg-2-cluster" in world.composed
    world.claim["status"] = {}
    world.claim["spec"].pop("migration")
    world.lose_references()
    outcome = world.ask()
    assert outcome.resources["cnpg-2-cluster"]["metadata"]["name"] == "orders-db-2"
    assert DATA not in outcome.resources


@pytest.mark.parametrize("status", [{}, SERVED], ids=["no engine recorded", "engine recorded"])
def test_data_of_an_earlier_life_are_never_taken_over(through: str, status: Manifest) -> None:
    world = fresh(through)
    world.claim["status"] = dict(status)
    world.put(left_by_an_earlier_life())
    outcome = world.ask()
    assert outcome.reason == "RetainedDataExists"
    assert outcome.says("Accepted") == "False/RetainedDataExists"
    assert "Cluster orders-db-1" in outcome.message
    assert not outcome.resources
    assert outcome.fatal == bool(status)


def test_somebody_elses_object_of_the_name_is_name_taken_as_an_answer(through: str) -> None:
    world = fresh(through)
    world.put(cluster())
    outcome = world.ask()
    assert makes_nothing(outcome)
    assert outcome.reason == "NameTaken"


def test_somebody_elses_object_in_place_of_recorded_data_is_name_taken_and_fatal(through: str) -> None:
    world = fresh(through)
    world.claim["status"] = dict(SERVED)
    world.put(cluster(labels={"groundplane.dev/claim": "db.other"}))
    outcome = world.ask()
    assert changes_nothing(outcome)
    assert outcome.reason == "NameTaken"


def test_recorded_data_that_are_nowhere_are_would_lose_data_and_fatal(through: str) -> None:
    world = fresh(through)
    world.claim["status"] = dict(SERVED)
    outcome = world.ask()
    assert changes_nothing(outcome)
    assert outcome.reason == "WouldLoseData"
    assert "orders-db-1" in outcome.message
    assert outcome.ttl == 0


def test_recorded_data_whose_kind_is_gone_are_would_lose_data_and_fatal(through: str) -> None:
    world = fresh(through)
    world.claim["status"] = dict(SERVED)
    world.installed.discard("clusters.postgresql.cnpg.io")
    outcome = world.ask()
    assert changes_nothing(outcome)
    assert outcome.reason == "WouldLoseData"


@pytest.mark.parametrize("status", [{}, SERVED], ids=["status wiped", "status kept"])
def test_observed_data_are_answered_in_full(through: str, status: Manifest) -> None:
    world = ready(through)
    before = world.ask()
    world.claim["status"] = dict(status)
    outcome = world.ask()
    assert not outcome.fatal
    assert outcome.resources == before.resources


@pytest.mark.parametrize("status", [{}, SERVED], ids=["status wiped", "status kept"])
@pytest.mark.parametrize(
    ("field", "value"),
    [("version", "14"), ("version", "no"), ("parameters", {"ssl": "off"}), ("credentials", {"rotationDays": 5})],
)
def test_observed_data_and_a_wrong_claim_are_fatal_with_ttl_0(
    through: str, status: Manifest, field: str, value: Any
) -> None:
    world = ready(through)
    world.claim["status"] = dict(status)
    world.claim["spec"][field] = value
    outcome = world.ask()
    assert changes_nothing(outcome)
    assert outcome.ttl == 0
    assert outcome.reason == "NotOffered"


def test_data_whose_guard_label_was_taken_off_are_still_never_left_out(through: str) -> None:
    world = ready(through)
    world.claim["status"] = {}
    for name in world.composed:
        world.of(name)["metadata"].get("labels", {}).pop("groundplane.dev/guarded", None)
    world.claim["spec"]["version"] = "no"
    assert changes_nothing(world.ask())


def test_an_empty_observation_is_not_fatal_by_itself(through: str) -> None:
    world = ready(through)
    world.lose_references()
    world.reconcile()
    assert DATA in world.composed, "Crossplane writes the references again only after an answer"


def test_the_life_is_the_claims_uid_alone(through: str) -> None:
    world = fresh(through)
    found = left_by_an_earlier_life()
    found["metadata"]["annotations"]["groundplane.dev/claim-uid"] = UID
    world.put(found)
    world.put({**secret_a(), "data": {"password": "aGVsbG8="}})
    outcome = world.ask()
    assert not outcome.fatal
    assert DATA in outcome.resources


def secret_a() -> Manifest:
    metadata = {
        "name": "orders-db-1-login-a",
        "labels": {"groundplane.dev/claim": "db.orders"},
        "annotations": {"groundplane.dev/claim-uid": UID},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
