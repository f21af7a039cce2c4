"""The binding: what a consumer connects with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Composed name of the binding Secret: the same for every engine, because its kind never changes.
RESOURCE: Final = "binding"


@dataclass(frozen=True, slots=True)
class Binding:
    """All entries of the binding Secret, or there is no binding: it is complete or absent, never half its keys."""

    type: str  # Service Binding type, such as postgresql
    provider: str  # the engine's product, such as cloudnative-pg
    entries: Mapping[str, str]

    def __repr__(self) -> str:
        """Return the keys only: a binding holds a password."""
        return f"Binding({self.type}, {self.provider}, {sorted(self.entries)})"
