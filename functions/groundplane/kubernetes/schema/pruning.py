"""Pruning: an API server drops the fields that a schema does not declare."""

from __future__ import annotations

from groundplane.core.manifest import JSON
from groundplane.kubernetes.schema.metadata import IMPLICIT
from groundplane.kubernetes.schema.node import Node
from groundplane.kubernetes.schema.violation import item


def pruned(value: JSON, node: Node | None, path: str = "") -> tuple[JSON, list[str]]:
    """Return *value* without the fields that *node* does not declare, and their paths.

    *path* is where *value* stands. Nothing is dropped below a place that preserves unknown fields,
    except where a field is declared again; the argument is not changed.
    """
    dropped: list[str] = []
    kept = _pruned(value, node, path, dropped)
    return kept, dropped


def _pruned(value: JSON, node: Node | None, path: str, dropped: list[str]) -> JSON:
    if node is None:
        return value
    if isinstance(value, list):
        return [_pruned(entry, node.items, item(path, index), dropped) for index, entry in enumerate(value)]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, entry in value.items():
        where = f"{path}.{name}" if path else name
        child = node.child(name)
        if child is not None:
            kept[name] = _pruned(entry, child, where, dropped)
        elif node.open or (node.embedded and name in IMPLICIT):
            kept[name] = entry
        else:
            dropped.append(where)
    return kept
