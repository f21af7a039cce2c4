"""What this engine reads from an environment."""

from __future__ import annotations

from groundplane.contracts.environment import Knobs


class LocalKnobs(Knobs):
    """Nothing: the machine is the environment."""
