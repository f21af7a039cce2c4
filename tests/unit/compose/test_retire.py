"""Leaving an engine: only what is given up by name goes, and only after the consent stands on the stored objects."""

import pytest

import second_engine
from outcomes import Outcome
from worlds import World, fresh, ready

CONSENT = "groundplane.dev/retire-consent"
POLICY = "groundplane.dev/deletion-policy"


@pytest.fixture(params=["compose", "edge"])
def through(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    second_engine.register(monkeypatch)


def moving(through: str, *retired: str) -> World:
    """A claim that is served by cnpg and asks for paper."""
    world = ready(through)
    world.installed.add("sheets.paper.example.org")
    world.engine = "paper"
    if retired:
        world.claim["spec"]["migration"] = {"retiredSlots": list(retired)}
    return world


def consents(world: World) -> dict[str, str]:
    worn = {name: world.of(name)["metadata"].get("annotations", {}) for name in world.composed}
    return {name: annotations[CONSENT] for name, annotations in worn.items() if CONSENT in annotations}


def slots(outcome: Outcome) -> set[str]:
    return {name.rpartition("-")[0].removesuffix("-secret").removesuffix("-login") for name in outcome.resources} - {""}


@pytest.mark.parametrize("retired", [(), ("cnpg-2",), ("paper-1",), ("cnpg-11", "paper-2")])
def test_another_engine_without_consent_for_this_very_slot_is_refused(through: str, retired: tuple[str, ...]) -> None:
    world = moving(through, *retired)
    outcome = world.reconcile()
    assert outcome.fatal
    assert outcome.reason == "SwapNotApproved"
    assert not outcome.resources
    assert not consents(world)
    for part in ("cnpg-1", "Cluster orders-db-1", "spec.migration.retiredSlots", "xdatabase-cnpg", "paper-"):
        assert part in outcome.message


def test_the_refused_swap_names_the_slot_that_would_be_made(through: str) -> None:
    assert "paper-2" in moving(through).ask().message


def test_going_back_to_the_engine_before_is_as_if_nothing_had_happened(through: str) -> None:
    world = moving(through)
    before = ready(through).ask().resources
    world.reconcile()
    world.engine = "cnpg"
    outcome = world.reconcile()
    assert not outcome.fatal
    assert outcome.resources == before


def test_consent_and_retirement_are_two_reconciles(through: str) -> None:
    world = moving(through, "cnpg-1")
    first = world.reconcile()
    assert not first.fatal
    assert slots(first) == {"cnpg-1"}, "nothing goes and nothing new is made yet"
    assert consents(world) == {"cnpg-1-cluster": "cnpg-1", "cnpg-1-secret-a": "cnpg-1"}
    assert world.of("cnpg-1-cluster")["metadata"]["annotations"][POLICY] == "Delete"
    assert first.says("Settled") == "False/Retiring"
    assert first.status["migration"]["sourceSlot"] == "cnpg-1"
    assert first.status["migration"]["targetSlot"] == "paper-2"
    assert first.status["slot"] == "cnpg-1"

    second = world.reconcile()
    assert not second.fatal
    assert slots(second) == {"paper-2"}
    assert set(world.composed) == {"paper-2-sheet"}
    assert "migration" not in second.status
    assert "slot" not in second.status, "nothing of the new slot can be lost yet"


def test_the_new_slot_serves_and_the_consent_that_stays_in_git_never_fires_twice(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile(times=2)
    world.of("paper-2-sheet")["status"] = {"written": True}
    outcome = world.reconcile(times=2)
    assert outcome.ready
    assert outcome.status["slot"] == "paper-2"
    assert outcome.resources["binding"]["metadata"]["annotations"]["groundplane.dev/slot"] == "paper-2"

    world.engine = "cnpg"
    outcome = world.reconcile()
    assert outcome.reason == "SwapNotApproved"
    assert "cnpg-3" in outcome.message
    world.claim["spec"]["migration"]["retiredSlots"] += ["cnpg-3"]
    assert world.ask().reason == "SwapNotApproved", "a slot of later cannot be given up beforehand"


def test_a_slot_stays_while_the_consent_is_missing_on_one_of_its_objects(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    world.of("cnpg-1-secret-a")["metadata"]["annotations"].pop(CONSENT)
    assert slots(world.reconcile()) == {"cnpg-1"}
    assert slots(world.reconcile()) == {"paper-2"}


def test_a_slot_stays_while_the_consent_names_another_one(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    for name in consents(world):
        world.of(name)["metadata"]["annotations"][CONSENT] = "cnpg-7"
    assert slots(world.ask()) == {"cnpg-1"}


def test_a_slot_whose_guard_labels_were_taken_off_still_takes_two_reconciles(through: str) -> None:
    world = moving(through, "cnpg-1")
    for name in world.composed:
        world.of(name)["metadata"]["labels"].pop("groundplane.dev/guarded", None)
    assert slots(world.reconcile()) == {"cnpg-1"}


def test_consent_on_the_objects_alone_releases_nothing(through: str) -> None:
    world = moving(through)
    for name in ("cnpg-1-cluster", "cnpg-1-secret-a"):
        world.of(name)["metadata"]["annotations"][CONSENT] = "cnpg-1"
    assert world.ask().reason == "SwapNotApproved"


def test_consent_for_the_slot_that_serves_does_nothing_while_it_serves(through: str) -> None:
    world = ready(through)
    world.claim["spec"]["migration"] = {"retiredSlots": ["cnpg-1"]}
    outcome = world.reconcile(times=2)
    assert slots(outcome) == {"cnpg-1"}
    assert not consents(world)
    assert outcome.status["deletion"]["inForce"] == "Protect"


def test_an_object_that_the_engine_says_cannot_go_yet_is_kept_until_it_can(through: str) -> None:
    world = fresh(through, migration={"retiredSlots": ["paper-1"]}, tier="Development")
    world.claim["spec"].pop("migration")
    world.installed.add("sheets.paper.example.org")
    world.engine = "paper"
    world.reconcile()
    world.of("paper-1-sheet")["status"] = {"written": True, "locked": True}
    world.reconcile(times=2)
    world.engine = "cnpg"
    world.claim["spec"]["migration"] = {"retiredSlots": ["paper-1"]}
    for _ in range(3):
        assert "paper-1-sheet" in world.reconcile().resources
    world.of("paper-1-sheet")["status"]["locked"] = False
    outcome = world.reconcile()
    assert "paper-1-sheet" not in outcome.resources
    assert "cnpg-2-cluster" in outcome.resources


def test_an_old_slot_that_is_still_going_does_not_hold_up_the_new_one(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    lingering = dict(world.composed), dict(world.objects)
    world.reconcile()
    world.composed = lingering[0] | world.composed  # a finalizer holds what was deleted
    world.objects = lingering[1] | world.objects
    outcome = world.ask()
    assert not outcome.fatal
    assert slots(outcome) == {"paper-2"}


@pytest.mark.parametrize("lingers", [True, False], ids=["old objects still going", "old objects gone"])
def test_a_status_that_was_not_written_after_the_move_does_not_begin_another_slot(
    through: str, lingers: object
) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    status, composed, objects = world.claim["status"], dict(world.composed), dict(world.objects)
    world.reconcile()
    world.claim["status"] = status
    if lingers:
        world.composed, world.objects = composed | world.composed, objects | world.objects
    outcome = world.ask()
    assert not outcome.fatal
    assert slots(outcome) == {"paper-2"}


def test_going_back_after_the_consent_was_stored_takes_it_off_again(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    assert consents(world)
    world.engine = "cnpg"
    outcome = world.reconcile()
    assert not outcome.fatal
    assert not consents(world)
    assert world.of("cnpg-1-cluster")["metadata"]["annotations"][POLICY] == "Protect"
    world.engine = "paper"
    assert slots(world.reconcile()) == {"cnpg-1"}, "again two reconciles"


def test_the_data_of_the_old_slot_lost_before_the_consent_is_stored_are_not_replaced(through: str) -> None:
    world = moving(through)
    world.objects.pop(world.composed.pop("cnpg-1-cluster"))
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "WouldLoseData"


def test_data_given_up_by_name_and_lost_already_make_room(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    world.objects.pop(world.composed.pop("cnpg-1-cluster"))
    assert slots(world.reconcile()) == {"paper-2"}


def test_data_that_nothing_records_any_more_are_still_given_up_in_two_reconciles(through: str) -> None:
    """Status and references are lost: only the claim's label tells of the data, and only their name of the slot."""
    world = moving(through, "cnpg-1")
    world.claim.pop("status")
    world.lose_references()
    first = world.reconcile()
    assert not first.fatal
    assert slots(first) == {"cnpg-1"}
    assert consents(world) == {"cnpg-1-cluster": "cnpg-1", "cnpg-1-secret-a": "cnpg-1"}
    assert slots(world.reconcile()) == {"paper-2"}


def test_an_engine_that_this_release_does_not_have_is_refused_by_name(through: str) -> None:
    world = fresh(through)
    world.engine = "abacus"
    outcome = world.ask()
    assert outcome.reason == "NotOffered"
    assert "abacus" in outcome.message
    assert "cnpg" in outcome.message


def test_data_on_an_engine_that_this_release_does_not_have_are_kept(through: str) -> None:
    world = fresh(through)
    world.claim["status"] = {"engine": "abacus", "slot": "abacus-1"}
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "WouldLoseData"
    assert "abacus-1" in outcome.message


def test_an_old_slot_whose_data_lost_their_labels_and_consent_is_not_dropped(through: str) -> None:
    world = moving(through, "cnpg-1")
    world.reconcile()
    lingering = dict(world.composed), dict(world.objects)
    world.reconcile()
    world.composed = lingering[0] | world.composed
    world.objects = lingering[1] | world.objects
    world.of("cnpg-1-cluster")["metadata"].update(labels={}, annotations={})
    world.claim["status"] = {"engine": "paper", "slot": "paper-2"}
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "WouldLoseData"
    assert "nobody consented" in outcome.message
