"""Settings of every test: how Hypothesis looks for counterexamples; and what several files of tests begin with."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from admission_world import World

# The same examples in every run, and no deadline: a busy machine must not fail a right program.
settings.register_profile("default", derandomize=True, deadline=None)

# HYPOTHESIS_PROFILE=nightly make test: new and many more examples each time.
settings.register_profile(
    "nightly",
    derandomize=False,
    deadline=None,
    max_examples=2_000,
    suppress_health_check=[HealthCheck.too_slow],
)

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A shell lets what it runs in the background ignore ^C, and so would every program that a test starts and ends by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Suites that need more than Python: collected only when they are asked for (make conformance, make faults).
SUITES = {"conformance", "controlplane", "faults", "page", "planes"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a suite out unless a word of the command line leads into it."""
    if collection_path.parent != Path(__file__).parent or collection_path.name not in SUITES:
        return None
    asked = [Path(word.partition("::")[0]).resolve() for word in config.args]
    return None if any(collection_path in (path, *path.parents) for path in asked) else True


@pytest.fixture
def plane(tmp_path: Path) -> Iterator["World"]:
    """Return a plane in this process, without any policy."""
    from admission_policies import bare  # noqa: PLC0415  # Only who asks for a plane loads one.

    with bare(tmp_path / "data") as made:
        yield made
