"""Conditions: what a claim says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The three values of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Type(StrEnum):
    """The five conditions of every claim. All are sent on every call: one not sent keeps its last value for ever."""

    ACCEPTED = "Accepted"
    SERVING = "Serving"
    SETTLED = "Settled"
    BACKUP_CURRENT = "BackupCurrent"
    RECOVERY_PROVEN = "RecoveryProven"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer to one question: the condition without its type."""

    status: Status
    reason: str
    message: str = ""

    @classmethod
    def yes(cls, reason: str, message: str = "") -> Verdict:
        """Return a verdict that the question is answered with True."""
        return cls(Status.TRUE, reason, message)

    @classmethod
    def no(cls, reason: str, message: str = "") -> Verdict:
        """Return a verdict that the question is answered with False."""
        return cls(Status.FALSE, reason, message)

    @classmethod
    def unknown(cls, reason: str, message: str = "") -> Verdict:
        """Return a verdict that the question cannot be answered now."""
        return cls(Status.UNKNOWN, reason, message)

    @property
    def holds(self) -> bool:
        """Whether the answer is True."""
        return self.status is Status.TRUE
