"""Leaving an engine for another, by Crossplane: without consent nothing goes, with it exactly what was given up."""

import pytest

import catalogue
import scenarios
import second_engine
from conformance import comparing, moving
from conformance.judge import Judge
from conformance.moving import Move
from conformance.reconciler import FATAL
from groundplane.core.manifest import RETIRE_CONSENT
from groundplane.core.slot import Slot
from scenarios import Asked, merged

every_move = pytest.mark.parametrize("move", moving.moves(), ids=str)


@pytest.fixture(autouse=True)
def _second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    second_engine.register(monkeypatch)


@every_move
@pytest.mark.parametrize("named", ["no slot", "another generation", "a slot of the new engine"])
def test_nothing_of_an_engine_goes_when_another_is_asked_for_without_consent(
    move: Move, named: str, judge: Judge
) -> None:
    world = moving.served(move, judge)
    before = dict(world.composed())
    own = Slot.parse(moving.slot(world))
    assert own is not None
    retired = {
        "no slot": [],
        "another generation": [str(Slot(own.engine, own.number + 1)), f"{own}1"],
        "a slot of the new engine": [str(Slot(move.target, own.number))],
    }
    moving.ask_for(world, move.target, *retired[named])
    for _ in range(2):
        outcome, ran = moving.reconcile(world, judge)
        assert ran.code == FATAL
        assert outcome.condition("Accepted")[1] == "SwapNotApproved"
        assert comparing.deleted(ran) == {}
        assert not ran.output.composed_resources
    assert world.composed() == before


@every_move
def test_with_consent_exactly_what_was_given_up_goes_and_not_before_the_consent_is_stored(
    move: Move, judge: Judge
) -> None:
    world = moving.served(move, judge)
    own = moving.slot(world)
    given_up = moving.composed_in(world, own) | {"binding"}
    assert given_up == world.composed().keys()
    moving.ask_for(world, move.target, own)
    outcome, ran = moving.reconcile(world, judge)
    assert (ran.code, comparing.deleted(ran)) == (0, {})
    assert outcome.resources.keys() == given_up
    assert _consents(world.composed()) == {own}
    moving.report_back(world)
    outcome, ran = moving.reconcile(world, judge)
    assert ran.code == 0
    assert comparing.deleted(ran).keys() == given_up
    assert {slot.engine for name in outcome.resources if (slot := Slot.of_resource(name))} == {move.target}
    outcome, ran = moving.reconcile(world, judge)
    assert (ran.code, comparing.deleted(ran)) == (0, {})


def _consents(objects: dict[str, catalogue.Manifest]) -> set[str]:
    worn = (one["metadata"].get("annotations", {}) for one in objects.values())
    return {annotations[RETIRE_CONSENT] for annotations in worn if RETIRE_CONSENT in annotations}


@pytest.mark.parametrize("move", moving.real_moves(), ids=str)
def test_whatever_a_scenario_made_of_a_claim_nothing_goes_when_another_engine_is_asked_for(
    move: Move, judge: Judge
) -> None:
    target = catalogue.Engine(move.contract, move.target)
    composition, knobs = catalogue.one(target.composition), catalogue.one(target.environment)["data"]
    switched = 0
    for path in catalogue.Engine(move.contract, move.source).cases:
        for number, turn in enumerate(scenarios.play(path), start=1):
            if turn.asked is None or _engines(turn.asked) != {move.source}:
                continue
            asked = _switched(turn.asked, composition, knobs)
            _, ran = judge.agreed(asked)
            where = f"{scenarios.title(path)}, turn {number}"
            assert (ran.code, comparing.deleted(ran)) == (FATAL, {}), where
            switched += 1
    assert switched


def _engines(asked: Asked) -> set[str]:
    names = (one["metadata"]["annotations"]["crossplane.io/composition-resource-name"] for one in asked.observed)
    return {slot.engine for name in names if (slot := Slot.of_resource(name))}


def _switched(asked: Asked, composition: catalogue.Manifest, knobs: catalogue.Manifest) -> Asked:
    """Return *asked* with another Composition, no consent, and an environment that the other engine can use too."""
    reference = {"compositionRef": {"name": composition["metadata"]["name"]}}
    claim = merged(asked.claim, {"spec": {"crossplane": reference, "migration": {"retiredSlots": None}}})
    required = [
        {**one, "data": {**knobs, **one["data"]}} if one["kind"] == "EnvironmentConfig" else one
        for one in asked.required
    ]
    return Asked(claim, composition, asked.observed, required, asked.absent, asked.now, asked.password)
