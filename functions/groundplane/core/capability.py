"""Capabilities: what an engine can be held to, field by field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.manifest import JSON


class Capability(ABC):
    """How far one engine honours one field. A field without a capability is honoured whatever its value."""

    @abstractmethod
    def honours(self, value: JSON) -> bool:
        """Whether a demand of *value* can be kept."""

    @abstractmethod
    def limit(self) -> str:
        """The limit in words, for a message and for the table of engines."""


@dataclass(frozen=True, slots=True)
class AtLeast(Capability):
    """The engine keeps any value that is not smaller than *least*."""

    least: int

    def honours(self, value: JSON) -> bool:
        """Whether *value* is large enough."""
        return isinstance(value, int) and value >= self.least

    def limit(self) -> str:
        """Return ``at least N``."""
        return f"at least {self.least}"


@dataclass(frozen=True, slots=True)
class AtMost(Capability):
    """The engine keeps any value that is not larger than *most*."""

    most: int

    def honours(self, value: JSON) -> bool:
        """Whether *value* is small enough."""
        return isinstance(value, int) and value <= self.most

    def limit(self) -> str:
        """Return ``at most N``."""
        return f"at most {self.most}"


@dataclass(frozen=True, slots=True)
class OneOf(Capability):
    """The engine keeps these values; a value may be served as a stronger one (Node as Zone)."""

    given: Mapping[str, str]

    @classmethod
    def of(cls, *values: str) -> OneOf:
        """Return a capability that serves each of *values* as itself."""
        return cls({value: value for value in values})

    def honours(self, value: JSON) -> bool:
        """Whether *value* is among those served."""
        return value in self.given

    def limit(self) -> str:
        """Return the values, with what serves them where that differs."""
        return ", ".join(
            asked if asked == given else f"{asked} (served as {given})" for asked, given in self.given.items()
        )


@dataclass(frozen=True, slots=True)
class Never(Capability):
    """The engine does not honour this field at all, for a reason worth telling."""

    reason: str

    def honours(self, value: JSON) -> bool:  # noqa: ARG002  # No value helps.
        """Return False: whatever is asked is refused."""
        return False

    def limit(self) -> str:
        """Return the reason."""
        return self.reason
