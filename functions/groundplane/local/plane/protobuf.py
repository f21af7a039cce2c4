"""Reads the few objects that kubectl sends as protobuf. Nothing is ever answered in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from groundplane.core.manifest import JSON, Manifest

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_BITS = 64

Type = Literal["text", "texts", "bytes", "number", "flag", "text map", "bytes map", "object"]


class FormatError(ValueError):
    """What was sent is no protobuf that is read here."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name in JSON, what it holds, and of an object the fields."""

    name: str
    type: Type
    fields: Fields | None = None


Fields = dict[int, Field]

_META: Fields = {
    1: Field("name", "text"),
    2: Field("generateName", "text"),
    3: Field("namespace", "text"),
    5: Field("uid", "text"),
    6: Field("resourceVersion", "text"),
    11: Field("labels", "text map"),
    12: Field("annotations", "text map"),
    14: Field("finalizers", "texts"),
}
_METADATA = Field("metadata", "object", _META)
_ATTRIBUTES: Fields = {
    number: Field(name, "text")
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_ACCESS: Fields = {
    1: Field("resourceAttributes", "object", _ATTRIBUTES),
    2: Field("nonResourceAttributes", "object", {1: Field("path", "text"), 2: Field("verb", "text")}),
}
_KINDS: dict[str, Fields] = {
    "Namespace": {1: _METADATA},
    "Secret": {
        1: _METADATA,
        2: Field("data", "bytes map"),
        3: Field("type", "text"),
        4: Field("stringData", "text map"),
        5: Field("immutable", "flag"),
    },
    "ConfigMap": {
        1: _METADATA,
        2: Field("data", "text map"),
        3: Field("binaryData", "bytes map"),
        4: Field("immutable", "flag"),
    },
    "DeleteOptions": {
        1: Field("gracePeriodSeconds", "number"),
        2: Field("preconditions", "object", {1: Field("uid", "text"), 2: Field("resourceVersion", "text")}),
        3: Field("orphanDependents", "flag"),
        4: Field("propagationPolicy", "text"),
        5: Field("dryRun", "texts"),
    },
    "SelfSubjectReview": {1: _METADATA},
    "SelfSubjectAccessReview": {1: _METADATA, 2: Field("spec", "object", _ACCESS)},
    "SelfSubjectRulesReview": {1: _METADATA, 2: Field("spec", "object", {1: Field("namespace", "text")})},
}
_TYPE_META: Fields = {1: Field("apiVersion", "text"), 2: Field("kind", "text")}
_UNKNOWN: Fields = {1: Field("typeMeta", "object", _TYPE_META), 2: Field("raw", "bytes")}


def decoded(data: bytes) -> Manifest:
    """Return the object that *data* holds.

    Raises:
        FormatError: It is damaged, or of a kind that is not read here.
    """
    if not data.startswith(_MAGIC):
        raise FormatError("does not begin as Kubernetes' protobuf does")
    envelope = _object(data[len(_MAGIC) :], _UNKNOWN)
    kind: Manifest = envelope.get("typeMeta") or {}
    fields = _KINDS.get(kind.get("kind", ""))
    if fields is None:
        raise FormatError(f"{kind.get('kind') or 'no kind'} is not read as protobuf")
    return {**kind, **_object(base64.b64decode(envelope.get("raw", "")), fields)}


def _object(data: bytes, fields: Fields) -> Manifest:
    made: Manifest = {}
    for number, value in _fields(data):
        field = fields.get(number)
        if field is not None:
            _set(made, field, value)
    return made


def _set(made: Manifest, field: Field, value: int | bytes) -> None:
    match field.type:
        case "texts":
            made.setdefault(field.name, []).append(_text(value))
        case "text map" | "bytes map":
            inner: Fields = {
                1: Field("key", "text"),
                2: Field("value", "text" if field.type == "text map" else "bytes"),
            }
            entry = _object(_bytes(value), inner)
            made.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", "")
        case "object":
            made[field.name] = _object(_bytes(value), field.fields or {})
        case _:
            # Protobuf writes what is not set, too.
            if value:
                made[field.name] = _scalar(field.type, value)


def _scalar(kind: Type, value: int | bytes) -> JSON:
    if kind == "text":
        return _text(value)
    if kind == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    return bool(value) if kind == "flag" else value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise FormatError("a text is no UTF-8") from None


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise FormatError("a number stands where bytes are expected")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise FormatError("a field has an unknown wire type")
        if position + length > len(data):
            raise FormatError("ends too early")
        yield tag >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _MOST_BITS, 7):
        if position >= len(data):
            raise FormatError("ends too early")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
    raise FormatError("a number is too long")
