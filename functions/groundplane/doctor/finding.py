"""What the doctor finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

APPLY_COMPANION: Final = "kubectl apply -k package/companion"


class State(StrEnum):
    """How bad it is. Only a problem makes the command fail: something that is in use does not work or is not safe."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, what is seen of it, and what to do."""

    check: str
    subject: str
    state: State
    message: str
    remedy: str = ""


def counts(findings: Iterable[Finding]) -> Mapping[State, int]:
    """Return how many findings have each state, the worst first."""
    found = Counter(finding.state for finding in findings)
    return {state: found[state] for state in (State.PROBLEM, State.WARNING, State.UNKNOWN, State.OK)}
