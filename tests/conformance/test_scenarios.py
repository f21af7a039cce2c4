"""Every turn of every scenario goes offline as Crossplane's own reconciler has it go."""

from pathlib import Path

import pytest

import catalogue
import scenarios
from conformance import comparing
from conformance.command_line import CommandLine
from conformance.judge import Judge
from conformance.reconciler import FATAL


def _turns() -> list[object]:
    """Return every turn that reaches Crossplane: file, number from 1."""
    return [
        pytest.param(path, number, id=f"{scenarios.title(path)}-turn-{number}")
        for path in scenarios.scenarios()
        for number, turn in enumerate(catalogue.one(path)["turns"], start=1)
        if "rejected" not in turn.get("expect", {})
    ]


@pytest.mark.parametrize(("path", "number"), _turns())
def test_a_turn_goes_as_crossplane_has_it_go(path: Path, number: int, judge: Judge) -> None:
    turn = scenarios.play(path)[number - 1]
    assert turn.asked is not None, turn.rejected
    outcome, ran = judge.agreed(turn.asked)
    assert outcome == turn.outcome
    expect = turn.written.get("expect", {})
    assert sorted(comparing.deleted(ran)) == sorted(expect.get("deleted", []))
    assert (ran.code == FATAL) is (expect.get("refused") == "fatal")


@pytest.mark.parametrize("path", scenarios.scenarios(), ids=scenarios.title)
def test_the_command_line_shows_the_last_turn_as_the_offline_render_does(path: Path, command_line: CommandLine) -> None:
    turn = [one for one in scenarios.play(path) if one.asked][-1]
    assert turn.asked is not None
    command_line.agreed(turn.asked)
