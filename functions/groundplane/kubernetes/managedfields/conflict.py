"""What one manager cannot change without force, because another owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.managedfields.fieldset import FieldSet, shown
from groundplane.kubernetes.managedfields.managers import Owner


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field that somebody else owns.

    Attributes:
        manager: The owner's name.
        operation: "Apply" or "Update": how the owner got it.
        api_version: The version that an update was written in; empty for an apply.
        subresource: The subresource that the owner wrote through; empty for the object itself.
        field: The path, as messages write it: `.spec.size`.
    """

    manager: str
    operation: str
    api_version: str
    subresource: str
    field: str


class ConflictError(Exception):
    """An apply without force would change what others own; the message is that of the API server's 409.

    Attributes:
        conflicts: Every such field, by owner; an owner's shorter paths come first.
        causes: The causes of the Status, in the same order.
    """

    def __init__(self, taken: Mapping[Owner, FieldSet]) -> None:
        """Say what of whom would be *taken*."""
        self._taken = dict(sorted(taken.items(), key=lambda entry: entry[0].identity))
        paths = [(owner, shown(path)) for owner, fields in self._taken.items() for path in fields.paths()]
        self.conflicts = tuple(
            Conflict(owner.manager, owner.operation, owner.api_version, owner.subresource, path)
            for owner, path in paths
        )
        self.causes: tuple[Manifest, ...] = tuple(
            {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": path}
            for owner, path in paths
        )
        super().__init__(_message(paths))

    def without(self, allowed: FieldSet) -> ConflictError | None:
        """Return the conflicts outside *allowed*, or None when there are none."""
        left = {owner: kept for owner, fields in self._taken.items() if (kept := fields - allowed)}
        return ConflictError(left) if left else None


def _message(paths: list[tuple[Owner, str]]) -> str:
    if len(paths) == 1:
        owner, path = paths[0]
        return f"Apply failed with 1 conflict: conflict with {owner}: {path}"
    lines = []
    said: Owner | None = None
    for owner, path in paths:
        if owner != said:
            lines.append(f"conflicts with {owner}:")
            said = owner
        lines.append(f"- {path}")
    return f"Apply failed with {len(paths)} conflicts: " + "\n".join(lines)
