"""Settings of every test: how Hypothesis looks for counterexamples."""

import os

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
