"""Who owns which field. TO BE REPLACED: a stand-in that merges whole and keeps one entry for each manager.

The real module has the same names and implements the algorithm of an API server.
"""

from __future__ import annotations

import copy

from groundplane.core.manifest import JSON, Manifest


class ConflictError(Exception):
    """Another manager owns what is applied. Its text is the message of the Status.

    Attributes:
        causes: One for each field, as a Status tells them.
    """

    def __init__(self, message: str, causes: list[Manifest]) -> None:
        """Make one."""
        super().__init__(message)
        self.causes = causes


def apply(  # noqa: PLR0913  # what an apply depends on
    live: Manifest | None,
    config: Manifest,
    *,
    manager: str,
    schema: Manifest | None,
    now: str,
    force: bool = False,
    subresource: str = "",
) -> Manifest:
    """Return *live* with *config* applied over it by *manager*."""
    del schema, force
    merged = _merged(copy.deepcopy(live or {}), config)
    return _entered(merged, live, manager, "Apply", now, subresource)


def update(  # noqa: PLR0913  # what an update depends on
    live: Manifest | None,
    new: Manifest,
    *,
    manager: str,
    schema: Manifest | None,
    now: str,
    subresource: str = "",
) -> Manifest:
    """Return *new* with *manager* as the owner of what changed since *live*."""
    del schema
    return _entered(copy.deepcopy(new), live, manager, "Update", now, subresource)


def _merged(live: JSON, config: JSON) -> JSON:
    if not (isinstance(live, dict) and isinstance(config, dict)):
        return copy.deepcopy(config)
    return {**live, **{name: _merged(live.get(name), value) for name, value in config.items()}}


def _entered(  # noqa: PLR0913, PLR0917  # the parts of an entry
    new: Manifest, live: Manifest | None, manager: str, operation: str, now: str, subresource: str
) -> Manifest:
    before = ((live or {}).get("metadata") or {}).get("managedFields") or []
    entry: Manifest = {
        "manager": manager,
        "operation": operation,
        "apiVersion": new.get("apiVersion", ""),
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    if subresource:
        entry["subresource"] = subresource
    kept = [one for one in before if any(one.get(name) != entry.get(name) for name in ("manager", "operation"))]
    new["metadata"] = {**new.get("metadata", {}), "managedFields": [*kept, entry]}
    return new
