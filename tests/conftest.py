"""Settings of every test: how Hypothesis looks for counterexamples."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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

# Suites that need more than Python: collected only when they are asked for (make conformance, make faults).
SUITES = {"conformance", "controlplane", "faults", "page", "planes"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a suite out unless a word of the command line leads into it."""
    if collection_path.parent != Path(__file__).parent or collection_path.name not in SUITES:
        return None
    asked = [Path(word.partition("::")[0]).resolve() for word in config.args]
    return None if any(collection_path in (path, *path.parents) for path in asked) else True
