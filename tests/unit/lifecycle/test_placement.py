"""Which slot serves, and which number the next one gets."""

from dataclasses import replace

import pytest

from groundplane.core.observation import Observation, Observed
from groundplane.core.slot import Slot
from groundplane.lifecycle.placement import Placement, consent_stands, place, released


def seen(*names: str, slot: str = "", consent: str = "") -> Observation:
    manifest = {"metadata": {"annotations": {"groundplane.dev/retire-consent": consent} if consent else {}}}
    return Observation(composed={name: Observed.of(manifest) for name in names}, status={"slot": slot} if slot else {})


def test_the_first_slot_is_number_one() -> None:
    placed = place("cnpg", (), seen())
    assert placed == Placement(Slot("cnpg", 1), Slot("cnpg", 1))
    assert not placed.moving


def test_the_recorded_slot_serves_whatever_else_is_observed() -> None:
    assert place("cnpg", (), seen("cnpg-3-cluster", slot="cnpg-2")).live == Slot("cnpg", 2)


@pytest.mark.parametrize("recorded", ["", "nonsense", "cnpg-0", "cnpg-01", "-1", "CNPG-1", "cnpg-1-x", "cnpg-999999"])
def test_without_a_recorded_slot_the_newest_that_is_observed_serves(recorded: str) -> None:
    placed = place("cnpg", (), seen("cnpg-9-cluster", "cnpg-10-cluster", "binding", "notes", slot=recorded))
    assert placed.live == placed.target == Slot("cnpg", 10)


@pytest.mark.parametrize(("named", "live"), [("cnpg-1", "cnpg-1"), ("", "cnpg-7"), ("nonsense", "cnpg-7")])
def test_a_lost_status_is_told_by_the_binding_whatever_newer_slots_there_are(named: str, live: str) -> None:
    binding = Observed.of({"metadata": {"annotations": {"groundplane.dev/slot": named}}})
    lost = seen("cnpg-1-cluster", "cnpg-7-cluster")
    lost = replace(lost, composed={**lost.composed, "binding": binding})
    assert str(place("cnpg", (), lost).live) == live
    assert place("cnpg", (), replace(lost, status={"slot": "cnpg-2"})).live == Slot("cnpg", 2)


def test_data_that_were_found_serve_where_nothing_is_recorded_or_observed() -> None:
    assert place("cnpg", (), seen(), Slot("cnpg", 4)).live == Slot("cnpg", 4)
    assert place("cnpg", (), seen(slot="cnpg-2"), Slot("cnpg", 4)).live == Slot("cnpg", 2)


@pytest.mark.parametrize(
    ("retired", "observed", "recorded", "number"),
    [
        ((), ("cnpg-1-cluster",), "", 2),
        ((), (), "cnpg-3", 4),
        ((), ("cnpg-9-cluster", "cnpg-10-cluster"), "cnpg-9", 11),
        (("rds-7", "cnpg-1", "nonsense"), (), "cnpg-1", 8),
    ],
)
def test_the_next_number_is_the_highest_ever_used_plus_one(
    retired: tuple[str, ...], observed: tuple[str, ...], recorded: str, number: int
) -> None:
    assert place("rds", retired, seen(*observed, slot=recorded)).target == Slot("rds", number)


def test_a_slot_that_was_begun_is_gone_on_with_and_an_older_one_is_not() -> None:
    assert place("rds", ("cnpg-1",), seen("rds-2-instance", slot="cnpg-1")).target == Slot("rds", 2)
    assert place("rds", ("cnpg-3",), seen("rds-2-instance", slot="cnpg-3")).target == Slot("rds", 4)


def test_a_new_claim_starts_above_every_slot_that_its_text_gives_up() -> None:
    assert place("cnpg", ("cnpg-1", "rds-4"), seen()).target == Slot("cnpg", 5)


@pytest.mark.parametrize(
    ("retired", "consented"),
    [((), False), (("cnpg-1",), True), (("rds-1",), False), (("cnpg-2",), False), (("cnpg-10",), False)],
)
def test_only_the_live_slot_itself_can_be_given_up(retired: tuple[str, ...], consented: object) -> None:
    placed = place("rds", retired, seen("cnpg-1-cluster"))
    assert placed.moving
    assert placed.consented == consented


def test_consent_stands_when_every_guarded_object_of_the_slot_carries_it() -> None:
    slot = Slot("cnpg", 1)
    names = ("cnpg-1-cluster", "cnpg-1-secret-a")
    assert consent_stands(slot, names, seen(*names, consent="cnpg-1"))
    assert not consent_stands(slot, names, seen(*names))
    assert not consent_stands(slot, names, seen(*names, consent="cnpg-2"))
    half = Observation(
        composed={**seen(names[0], consent="cnpg-1").composed, **seen(names[1]).composed},
    )
    assert not consent_stands(slot, names, half)


def test_objects_of_another_slot_have_no_say_in_a_slots_consent() -> None:
    both = Observation(
        composed={**seen("cnpg-1-cluster", consent="cnpg-1").composed, **seen("rds-2-instance").composed},
    )
    assert consent_stands(Slot("cnpg", 1), both.composed, both)


def test_only_slots_given_up_by_name_with_consent_and_not_serving_are_released() -> None:
    serving, old = Slot("rds", 2), Slot("cnpg", 1)
    names = ("cnpg-1-cluster", "rds-2-instance")
    agreed = seen(*names, consent="cnpg-1")
    assert released(serving, ["cnpg-1"], names, agreed) == {old}
    assert released(serving, [], names, agreed) == frozenset()
    assert released(serving, ["cnpg-1"], names, seen(*names)) == frozenset()
    assert released(old, ["cnpg-1"], names, agreed) == frozenset(), "what serves is never released"


def test_a_resource_name_tells_its_slot_and_other_names_tell_none() -> None:
    assert Slot.of_resource("cnpg-12-login-a") == Slot("cnpg", 12)
    assert Slot.parse(str(Slot("cnpg", 12))) == Slot("cnpg", 12)
    for name in ("binding", "cnpg-1", "cnpg-0-cluster", "cnpg-1-", "Cnpg-1-cluster", "cnpg-x-cluster"):
        assert Slot.of_resource(name) is None
