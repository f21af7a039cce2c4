"""Which part of the old object a part of the new one grew out of."""

from __future__ import annotations

from groundplane.core.manifest import JSON
from groundplane.kubernetes.schema.node import Node


def previous(node: Node, old: JSON, key: str | int, entry: JSON) -> JSON:
    """Return what stood in *old* where *entry* now stands under *key*; None when nothing did.

    Fields and map entries are found by name, items of a ``listType: map`` by their keys. Items of
    other lists have no past: an API server cannot tell them apart either.
    """
    if isinstance(key, str):
        return old.get(key) if isinstance(old, dict) else None
    if node.list_type != "map" or not isinstance(old, list) or not isinstance(entry, dict):
        return None
    wanted = _keys(node, entry)
    for candidate in old:
        if isinstance(candidate, dict) and _keys(node, candidate) == wanted:
            return candidate
    return None


def _keys(node: Node, entry: dict[str, JSON]) -> tuple[JSON, ...]:
    return tuple(entry.get(key) for key in node.map_keys)
