"""Answers that our own function never gives: the offline render and Crossplane agree on what becomes of them too.

Not compared are claims that are paused or being deleted: Crossplane asks no function about them, and whoever renders
one wants to know what it would be otherwise. Nor are objects without a kind, or of one that is not installed: the
client of internal render takes whatever it is given.
"""

from pathlib import Path

import pytest

from conformance import comparing
from conformance.judge import Judge
from conformance.odd_answers import CASES, FAILURES
from conformance.reconciler import FATAL, Moment, made
from groundplane.render import ReconcileError
from rendering import Double


@pytest.mark.parametrize("name", CASES)
def test_an_answer_of_another_function_goes_as_crossplane_has_it_go(name: str, core: Path, judge: Judge) -> None:
    answer, given = CASES[name]
    with made(core, Double(answer), Moment()) as reconciler:
        Judge(reconciler, None).agreed(given, *comparing.OF_OTHERS)
    judge.compared += 1


def test_every_difference_that_other_functions_are_allowed_is_seen(core: Path) -> None:
    found = set()
    for name in ("another namespace", "results of every kind"):
        answer, given = CASES[name]
        with made(core, Double(answer), Moment()) as reconciler:
            outcome, calls = reconciler.offline(given)
            theirs = comparing.theirs(reconciler.run(given))
        found |= comparing.seen(comparing.ours(outcome, calls), theirs, comparing.OF_OTHERS)
    assert found == {*comparing.OF_OTHERS}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_offline_fails_in_crossplane_and_neither_is_a_refusal(name: str, core: Path, judge: Judge) -> None:
    answer, given = FAILURES[name]
    with made(core, Double(answer), Moment()) as reconciler:
        with pytest.raises(ReconcileError):
            reconciler.offline(given)
        ran = reconciler.run(given)
    judge.compared += 1
    assert ran.code not in (0, FATAL)
    assert not ran.output.composed_resources
    assert not ran.output.deleted_resources
