"""Structural defaulting: what an API server fills in before anybody sees the object."""

from __future__ import annotations

import copy

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema.node import Node


def defaulted(value: JSON, node: Node | None) -> JSON:
    """Return *value* with the defaults of *node* filled in, also inside lists and maps.

    A null where null is not allowed counts as absent: it is replaced by the default or left out.
    The argument is not changed; parts the schema says nothing about are shared, not copied.
    """
    if node is None:
        return value
    if isinstance(value, dict):
        return _object(value, node)
    if isinstance(value, list):
        return [_item(entry, node.items) for entry in value]
    return value


def _object(value: Manifest, node: Node) -> Manifest:
    filled = {}
    for name, entry in value.items():
        child = node.child(name)
        if not _is_stray_null(entry, child):
            filled[name] = defaulted(entry, child)
    for name, raw in node.names.items():
        if name not in filled and "default" in raw:
            filled[name] = defaulted(copy.deepcopy(raw["default"]), node.field(name))
    return filled


def _item(entry: JSON, node: Node | None) -> JSON:
    if node is not None and "default" in node.raw and _is_stray_null(entry, node):
        return copy.deepcopy(node.raw["default"])
    return defaulted(entry, node)


def _is_stray_null(entry: JSON, node: Node | None) -> bool:
    return entry is None and node is not None and not node.nullable
