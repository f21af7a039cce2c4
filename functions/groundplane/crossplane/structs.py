"""Objects to and from the Structs of the function protocol."""

from __future__ import annotations

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from groundplane.core.manifest import JSON, Manifest

EXACT = 2.0**53  # a Struct's numbers are doubles: above this, not every whole number exists


def struct(manifest: Manifest) -> Struct:
    """Return *manifest* as a Struct of its own."""
    made = Struct()
    made.update(manifest)
    return made


def manifest(found: Struct) -> Manifest:
    """Return *found* as plain data; whole numbers are ints, as Crossplane writes them to JSON."""
    return {key: _plain(value) for key, value in found.fields.items()}


def _plain(value: Value) -> JSON:
    match value.WhichOneof("kind"):
        case "struct_value":
            return manifest(value.struct_value)
        case "list_value":
            return _items(value.list_value)
        case "number_value":
            return _number(value.number_value)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _items(found: ListValue) -> list[JSON]:
    return [_plain(value) for value in found.values]


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) <= EXACT else value
