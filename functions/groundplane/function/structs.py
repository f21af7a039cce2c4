"""Protobuf on one side, plain data on the other. Nothing here decides anything.

Written by hand because it is where the time goes: an observed object is read where it lies, never converted whole, and
integers stay
integers although the wire knows only doubles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplane.core.observation import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import struct_pb2

    from groundplane.core.manifest import JSON


def observed(struct: struct_pb2.Struct) -> Observed:
    """Return *struct* as an observed object; what is read twice is converted once."""
    return Observed(_Reads(struct).__getitem__)


class _Reads(dict[tuple[str, ...], "JSON"]):
    """What was read of one object so far, by path; what is missing is read now."""

    def __init__(self, struct: struct_pb2.Struct) -> None:
        super().__init__()
        self.struct = struct

    def __missing__(self, path: tuple[str, ...]) -> JSON:
        value = self[path] = _read(self.struct, path)
        return value


def plain(value: struct_pb2.Value) -> JSON:
    """Return *value* as plain data, whole numbers as integers."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        return {key: plain(fields[key]) for key in fields}  # items() of such a map is twice as slow
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [plain(entry) for entry in value.list_value.values]
    return None


def fill(struct: struct_pb2.Struct, data: Mapping[str, JSON]) -> None:
    """Write *data* into the empty *struct*. None is left out: a null in server-side apply is an order to remove.

    Raises:
        TypeError: a value is not JSON; the message names its type, never the value.
    """
    fields = struct.fields
    for key, value in data.items():
        if value is not None:
            _set(fields[key], value)


def _set(field: struct_pb2.Value, value: JSON) -> None:
    if isinstance(value, str):
        field.string_value = value
    elif isinstance(value, dict):
        field.struct_value.SetInParent()
        fill(field.struct_value, value)
    elif isinstance(value, (list, tuple)):
        field.list_value.SetInParent()
        add = field.list_value.values.add
        for entry in value:
            _set(add(), entry)
    elif isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, (int, float)):
        field.number_value = value
    else:
        msg = f"{type(value).__name__} is not JSON"
        raise TypeError(msg)


def _read(struct: struct_pb2.Struct, path: tuple[str, ...]) -> JSON:
    fields, value = struct.fields, None
    for key in path:
        value = fields.get(key)  # fields[key] would create it
        if value is None:
            return None
        fields = value.struct_value.fields  # empty where something else than a struct stands
    return None if value is None else plain(value)
