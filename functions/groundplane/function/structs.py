"""Protobuf on one side, plain data on the other. Nothing here decides anything.

Written by hand because it is where the time goes: an observed object is read where it lies, never converted whole, and
integers stay integers although the wire knows only doubles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from groundplane.core.observation import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import struct_pb2

    from groundplane.core.manifest import JSON


_TOLD: Final = ("type", "status", "reason", "message")
_NOTHING: Final[dict[str, Any]] = {}


def observed(struct: struct_pb2.Struct) -> Observed:
    """Return *struct* as an observed object; what is read twice is converted once."""
    reads = _Reads(struct)
    return Observed(reads.__getitem__, reads.conditions)


class _Reads(dict[tuple[str, ...], "JSON"]):
    """What was read of one object so far, by path; what is missing is read now."""

    def __init__(self, struct: struct_pb2.Struct) -> None:
        super().__init__()
        # Labels and annotations are read one by one: the way to them is gone once.
        self.fields: dict[tuple[str, ...], Any] = {(): struct.fields}
        self._conditions: dict[str, dict[str, JSON]] | None = None

    def __missing__(self, path: tuple[str, ...]) -> JSON:
        if not path:
            return None
        way = path[:-1]
        fields = self.fields[way] if way in self.fields else self._fields(way)
        found = fields.get(path[-1])  # fields[key] would create it
        value = self[path] = None if found is None else plain(found)
        return value

    def conditions(self) -> Mapping[str, Mapping[str, JSON]]:
        """Return the conditions by type, without their times: they are most of what objects say, and read often."""
        if self._conditions is None:
            found = self._fields(("status",)).get("conditions")
            entries = found.list_value.values if found is not None else ()
            self._conditions = {}
            for entry in entries:
                fields = entry.struct_value.fields
                told = {key: plain(one) for key in _TOLD if (one := fields.get(key)) is not None}
                self._conditions.setdefault(str(told.get("type")), told)
        return self._conditions

    def _fields(self, path: tuple[str, ...]) -> Any:
        """Return the fields of the struct at *path*; none where something else stands, or nothing."""
        fields = self.fields.get(path)
        if fields is None:
            found = self._fields(path[:-1]).get(path[-1])
            fields = self.fields[path] = _NOTHING if found is None else found.struct_value.fields
        return fields


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


def fill(struct: struct_pb2.Struct, data: Mapping[str, JSON]) -> bool:
    """Write *data* into the empty *struct*, and return whether there was something to write.

    None is left out: a null in server-side apply is an order to remove.

    Raises:
        TypeError: a value is not JSON; the message names its type, never the value.
    """
    fields, wrote = struct.fields, False
    for key, value in data.items():
        if value is None:
            continue
        wrote = True
        kind = type(value)
        if kind is str:  # most are; types are compared, because that is the quickest
            fields[key].string_value = value
        elif kind is dict:
            inner = fields[key].struct_value
            if not fill(inner, value):  # what is written into says so by itself
                inner.SetInParent()
        else:
            _set(fields[key], value)
    return wrote


def _set(field: struct_pb2.Value, value: JSON) -> None:
    kind = type(value)
    if kind is bool:
        field.bool_value = value
    elif kind is int or kind is float:
        field.number_value = value
    elif isinstance(value, str):
        field.string_value = value
    elif isinstance(value, dict):
        field.struct_value.SetInParent()
        fill(field.struct_value, value)
    elif isinstance(value, (list, tuple)):
        field.list_value.SetInParent()
        add = field.list_value.values.add
        for entry in value:
            _set(add(), entry)
    else:
        msg = f"{kind.__name__} is not JSON"
        raise TypeError(msg)
