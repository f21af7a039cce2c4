"""What `groundplane exec` does with a signal, whenever it comes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from groundplane.cli import execute


@pytest.fixture
def handlers() -> Iterator[None]:
    """Leave this process' handlers of signals as they were."""
    before = {number: signal.getsignal(number) for number in execute._PASSED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_a_signal_that_comes_while_the_program_starts_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # As the one that it stands for.
            super().__init__(*args, **kwargs)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    assert execute._run(("sleep", "10"), dict(os.environ)) == 128 + signal.SIGTERM
