"""What the plane must be handed from outside, so that it decides the same way every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the API must be handed, so that it stays predictable.

    Attributes:
        now: The time, as objects write it.
        uid: A new uid with each call.
        suffix: Five random letters with each call, for ``generateName``.
    """

    now: Callable[[], str]
    uid: Callable[[], str]
    suffix: Callable[[], str]
