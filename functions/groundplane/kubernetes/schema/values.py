"""How an object looks to a CEL rule: declared fields only, under the names CEL can say."""

from __future__ import annotations

import base64
import binascii
import re

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema.node import Node
from groundplane.kubernetes.schema.violation import unstorable

_NAME = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*")
_SYMBOLS = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_RESERVED = re.compile(
    "true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while"
)
_IDENTITY = ("apiVersion", "kind")
#: All that a rule at the root can read of the metadata.
NAMES = ("name", "generateName")


def escaped(name: str) -> str | None:
    """Return how a rule spells the field *name*, or None when no rule can."""
    if _RESERVED.fullmatch(name):
        return f"__{name}__"
    if not _NAME.fullmatch(name):
        return None
    for symbol, spelling in _SYMBOLS:
        name = name.replace(symbol, spelling)
    return name


def cel_kind(node: Node) -> str:
    """Return the kind of value *node* is to the type checker; empty means any."""
    if node.int_or_string:
        return ""
    return "byte" if node.type == "string" and node.format == "byte" else node.type


def to_cel(value: JSON, node: Node) -> JSON:
    """Return *value* as a rule sees it.

    Fields the schema does not declare are left out: an API server hides them from rules too.
    """
    if isinstance(value, dict):
        return _object(value, node)
    if isinstance(value, list):
        return [entry if node.items is None else to_cel(entry, node.items) for entry in value]
    if cel_kind(node) == "byte" and isinstance(value, str):
        return _decoded(value)
    if node.type == "number" and isinstance(value, int) and not unstorable(value):
        return float(value)
    if node.type == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _decoded(value: str) -> JSON:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return value


def _object(value: Manifest, node: Node) -> Manifest:
    if node.values is not None:
        return {name: to_cel(entry, node.values) for name, entry in value.items()}
    seen: Manifest = _identity(value) if node.embedded else {}
    for name, entry in value.items():
        child, spelling = node.field(name), escaped(name)
        if child is None or spelling is None or not child.typed:
            continue
        if not (node.embedded and name == "metadata"):
            seen[spelling] = to_cel(entry, child)
    return seen


def _identity(value: Manifest) -> Manifest:
    metadata = value.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return {
        **{key: value[key] for key in _IDENTITY if key in value},
        "metadata": {key: named[key] for key in NAMES if key in named},
    }
