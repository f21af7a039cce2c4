"""`groundplane up` beside another one that starts the same plane: how long it is waited for."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from groundplane.cli import up
from groundplane.local.host.client import UnreachableError


class Other:
    """Another's plane, of which a look takes no time: whether it runs and answers follows from the seconds gone."""

    kubeconfig = Path("kubeconfig")

    def __init__(self, runs: Callable[[float], bool], answers: Callable[[float], bool]) -> None:
        self.now = 0.0
        self._runs = runs
        self._answers = answers

    def process(self) -> object | None:
        return self if self._runs(self.now) else None

    def get(self, _path: str) -> object:
        if not self._answers(self.now):
            raise UnreachableError("made up")
        return "ok"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Other], bool]:
    """Whether a plane answers, in no time."""

    def asked(other: Other) -> bool:
        def sleep(seconds: float) -> None:
            other.now += seconds

        given: Any = other
        monkeypatch.setattr(up, "time", SimpleNamespace(monotonic=lambda: other.now, sleep=sleep))
        monkeypatch.setattr(up, "Client", SimpleNamespace(of=lambda _: other))
        return up._answers(given)

    return asked


def test_a_plane_that_starts_slowly_is_waited_for_as_long_as_it_runs(answers: Callable[[Other], bool]) -> None:
    slow = Other(runs=lambda now: now > 1, answers=lambda now: now > 10 * up.PATIENCE_SECONDS)
    assert answers(slow)
    assert slow.now > 10 * up.PATIENCE_SECONDS


def test_a_plane_that_ends_before_it_answers_is_given_up(answers: Callable[[Other], bool]) -> None:
    broken = Other(runs=lambda now: now < 2 * up.PATIENCE_SECONDS, answers=lambda _: False)
    assert not answers(broken)
    assert broken.now == pytest.approx(2 * up.PATIENCE_SECONDS, abs=1)


def test_where_no_plane_runs_none_is_waited_for_long(answers: Callable[[Other], bool]) -> None:
    apart = Other(runs=lambda _: False, answers=lambda _: True)
    assert not answers(apart)
    assert apart.now == pytest.approx(up.PATIENCE_SECONDS, abs=1)
