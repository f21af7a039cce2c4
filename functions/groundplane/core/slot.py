"""Slots: the names that outlive releases, restores and engine swaps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_SLOT = re.compile(r"^([a-z][a-z0-9]*)-([1-9][0-9]{0,4})$")
_RESOURCE = re.compile(r"^([a-z][a-z0-9]*)-([1-9][0-9]{0,4})-([a-z0-9-]+)$")


@dataclass(frozen=True, slots=True)
class Slot:
    """One life of a service on one engine. ``cnpg-1`` is never reused, not even after it was retired."""

    engine: str
    number: int

    def __str__(self) -> str:
        """Return ``<engine>-<number>``, the form claims and messages use."""
        return f"{self.engine}-{self.number}"

    def resource(self, role: str) -> str:
        """Return the composed resource's name for *role*. Crossplane knows a resource by this name alone."""
        return f"{self.engine}-{self.number}-{role}"

    @classmethod
    def parse(cls, text: str) -> Slot | None:
        """Return the slot that *text* names, or None when it names none."""
        match = _SLOT.match(text)
        return cls(match[1], int(match[2])) if match else None

    @staticmethod
    @lru_cache(maxsize=4096)
    def of_resource(name: str) -> Slot | None:
        """Return the slot that the composed resource *name* belongs to, or None when it is not ours."""
        match = _RESOURCE.match(name)
        return Slot(match[1], int(match[2])) if match else None
