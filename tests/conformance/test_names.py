"""A composed name never changes its kind: Crossplane would keep the old object, and forget it.

`Judge` holds to it whatever Crossplane is asked; here is all of it at once.
"""

import pytest

import catalogue
import scenarios
from conformance.examples import examples
from conformance.names import Names, role
from conformance.reconciler import Reconciler


def test_no_name_has_two_kinds_in_any_engine_example_scenario_or_turn(reconciler: Reconciler) -> None:
    names = Names()
    for path in scenarios.scenarios():
        for turn in scenarios.play(path):
            for composed in (turn.before, turn.outcome.resources if turn.outcome else {}, turn.after):
                names.learn(composed)
    for example in examples():
        outcome, _ = reconciler.offline(example.asked()[0])
        names.learn(outcome.resources)
    first = {role(name) for engine in catalogue.engines() for name in _first(engine)}
    assert first <= names.known.keys()


def _first(engine: catalogue.Engine) -> list[str]:
    found: list[str] = catalogue.one(engine.cases[0].parent / scenarios.STATES)["resources"] if engine.cases else []
    return found


def test_a_name_that_changes_its_kind_from_one_generation_to_the_next_is_found() -> None:
    names = Names()
    names.learn({"cnpg-1-login": {"apiVersion": "v1", "kind": "Secret"}, "binding": {"apiVersion": "v1", "kind": "A"}})
    names.learn({"cnpg-2-login": {"apiVersion": "v1", "kind": "Secret"}})
    with pytest.raises(AssertionError, match=r"cnpg-3-login is a \('v1', 'ConfigMap'\), and was a \('v1', 'Secret'\)"):
        names.learn({"cnpg-3-login": {"apiVersion": "v1", "kind": "ConfigMap"}})
