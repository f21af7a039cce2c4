"""What is allowed to differ does differ, and any other difference is found and named."""

from collections.abc import Callable
from copy import deepcopy

import pytest

import scenarios
from catalogue import Manifest
from conformance import comparing
from conformance.command_line import CommandLine
from conformance.examples import examples
from conformance.reconciler import Reconciler
from scenarios import Asked


def _first_turn() -> Asked:
    turn, *_ = scenarios.play(scenarios.scenarios()[0])
    assert turn.asked is not None
    return turn.asked


def test_every_difference_that_is_allowed_is_seen(reconciler: Reconciler) -> None:
    outcome, calls = reconciler.offline(_first_turn())
    theirs = comparing.theirs(reconciler.run(_first_turn()))
    assert comparing.seen(comparing.ours(outcome, calls), theirs, comparing.INHERENT) == {*comparing.INHERENT}


def test_every_difference_that_the_command_line_is_allowed_is_seen(command_line: CommandLine) -> None:
    found = set()
    of_a_file = next(
        asked for asked, _ in (one.asked() for one in examples()) if not asked.claim["metadata"].get("uid")
    )
    for asked in (of_a_file, _first_turn()):
        outcome, _ = command_line.reconciler.offline(asked)
        theirs = comparing.printed(command_line.run(asked, asked.claim).stdout)
        found |= comparing.seen(comparing.ours(outcome, []), theirs, comparing.BY_COMMAND)
    assert found == {*comparing.BY_COMMAND}


def _drop_a_label(said: Manifest) -> None:
    del next(iter(said["resources"].values()))["metadata"]["labels"]["crossplane.io/composite"]


def _drop_a_resource(said: Manifest) -> None:
    said["resources"].popitem()


def _delete_a_resource(said: Manifest) -> None:
    said["deleted"]["binding"] = "Secret.v1/orders"


def _turn_a_number_into_a_word(said: Manifest) -> None:
    said["claim"]["status"]["observedGeneration"] = "1"


def _drop_a_condition(said: Manifest) -> None:
    del said["conditions"]["Ready"]


def _drop_an_event(said: Manifest) -> None:
    said["events"].popitem()


def _ask_for_less(said: Manifest) -> None:
    said["calls"].pop()


def _refuse(said: Manifest) -> None:
    said["code"] = 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_drop_a_label, r"resources\..+\.metadata\.labels\.crossplane\.io/composite: ours 'orders', Crossplane's '\("),
        (_drop_a_resource, r"resources\..+\.kind: ours '.+', Crossplane's '\(nothing\)'"),
        (_delete_a_resource, r"deleted\.binding: ours '\(nothing\)', Crossplane's 'Secret\.v1/orders'"),
        (_turn_a_number_into_a_word, r"claim\.status\.observedGeneration: ours 1, Crossplane's '1'"),
        (_drop_a_condition, r"conditions\.Ready\.reason: ours 'Creating', Crossplane's '\(nothing\)'"),
        (_drop_an_event, r"events\.Normal .+ is not yet ready: ours 1, Crossplane's '\(nothing\)'"),
        (_ask_for_less, r"calls\[\d\]\.input\.engine: ours 'cnpg', Crossplane's '\(nothing\)'"),
        (_refuse, r"code: ours 0, Crossplane's 3"),
    ],
)
def test_any_other_difference_is_named(change: Callable[[Manifest], None], words: str, reconciler: Reconciler) -> None:
    outcome, calls = reconciler.offline(_first_turn())
    said = comparing.ours(outcome, calls)
    comparing.agree(said, deepcopy(said), comparing.INHERENT)
    change(other := deepcopy(said))
    with pytest.raises(AssertionError, match=words):
        comparing.agree(said, other, comparing.INHERENT)
