"""Kubernetes' protobuf: what typed clients, such as client-go's, send and ask for instead of JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from groundplane.core.manifest import JSON, Manifest
from groundplane.local.apiserver import moments
from groundplane.local.apiserver.protobuf.fields import Field, Fields, Type
from groundplane.local.apiserver.protobuf.messages import WRITTEN, fields_read

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_BITS = 64
_DAY = 24 * 60 * 60


class FormatError(ValueError):
    """What was sent is no protobuf that is read here."""


_TYPE_META: Fields = {1: Field("apiVersion", "text"), 2: Field("kind", "text")}
_UNKNOWN: Fields = {1: Field("typeMeta", "object", _TYPE_META), 2: Field("raw", "bytes")}
_TIME: Fields = {1: Field("seconds", "number"), 2: Field("nanos", "number")}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decoded(data: bytes) -> Manifest:
    """Return the object that *data* holds.

    Raises:
        FormatError: It is damaged, or of a kind that is not read here.
    """
    if not data.startswith(_MAGIC):
        raise FormatError("does not begin as Kubernetes' protobuf does")
    envelope = _object(data[len(_MAGIC) :], _UNKNOWN)
    kind: Manifest = envelope.get("typeMeta") or {}
    fields = fields_read(kind.get("apiVersion", ""), kind.get("kind", ""))
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
            entry = _object(_bytes(value), _entry(field.type))
            made.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", "")
        case "object" if field.fields.get(1, field).type == "json":
            made[field.name] = _from_json(_bytes(value))
        case "object":
            made[field.name] = _object(_bytes(value), field.fields)
        case "inline":
            made |= _object(_bytes(value), field.fields)
        case "objects":
            made.setdefault(field.name, []).append(_object(_bytes(value), field.fields))
        case _:
            # Protobuf writes what is not set, too.
            if value or field.optional:
                made[field.name] = _scalar(field.type, value)


def _entry(kind: Type) -> Fields:
    return {1: Field("key", "text", optional=True), 2: Field("value", "text" if kind == "text map" else "bytes")}


def _scalar(kind: Type, value: int | bytes) -> JSON:
    if kind == "text":
        return _text(value)
    if kind == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    if kind in {"time", "fine time"}:
        return _moment(_object(_bytes(value), _TIME), fine=kind == "fine time")
    if isinstance(value, bytes):
        raise FormatError("bytes stand where a number is expected")
    return bool(value) if kind == "flag" else value - 2**_MOST_BITS if value >= 2 ** (_MOST_BITS - 1) else value


def _moment(sent: Manifest, *, fine: bool) -> str:
    try:
        found = _EPOCH + timedelta(seconds=sent.get("seconds", 0), microseconds=sent.get("nanos", 0) // 1000)
    except OverflowError:
        raise FormatError("a time is out of any calendar") from None
    return moments.written(found, fine=fine)


def _from_json(message: bytes) -> JSON:
    raw = next((value for number, value in _fields(message) if number == 1), b"{}")
    try:
        return json.loads(_bytes(raw))
    except ValueError:
        raise FormatError("fields are no JSON") from None


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


def is_written(api_version: str, kind: str) -> bool:
    """Return whether there is a message of that kind."""
    return (api_version, kind) in WRITTEN


def encoded(manifest: Manifest) -> bytes:
    """Return *manifest*, of a kind that `is_written`, as a client reads it."""
    kind = {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"]}
    fields = WRITTEN[kind["apiVersion"], kind["kind"]]
    raw = _message(manifest, fields)
    return _MAGIC + _part(1, _message(kind, _TYPE_META)) + _part(2, raw) + _part(3, b"") + _part(4, b"")


def event(kind: str, manifest: Manifest) -> bytes:
    """Return what a watch tells: that *manifest* was added, changed and so on."""
    return _part(1, kind.encode()) + _part(2, _part(1, encoded(manifest)))


def _message(manifest: Manifest, fields: Fields) -> bytes:
    return b"".join(
        part
        for number, field in fields.items()
        if (value := manifest if field.type == "inline" else manifest.get(field.name)) is not None
        for part in _parts(number, field, value)
    )


def _parts(number: int, field: Field, value: JSON) -> Iterator[bytes]:
    match field.type:
        case "texts":
            yield from (_part(number, one.encode()) for one in value)
        case "text map" | "bytes map":
            entry = _entry(field.type)
            yield from (_part(number, _message({"key": key, "value": value[key]}, entry)) for key in sorted(value))
        case "objects":
            yield from (_part(number, _message(one, field.fields)) for one in value)
        case "object" if field.fields.get(1, field).type == "json":
            yield _part(number, _part(1, json.dumps(value, separators=(",", ":")).encode()))
        case "object" | "inline":
            yield _part(number, _message(value, field.fields))
        case "number" | "flag":
            yield _varint_of(number << 3 | _VARINT) + _varint_of(int(value) % 2**_MOST_BITS)
        case "time" | "fine time":
            yield _part(number, _message(_seconds(value), _TIME))
        case "bytes":
            yield _part(number, base64.b64decode(value))
        case _:
            yield _part(number, str(value).encode())


def _seconds(moment: str) -> Manifest:
    since = datetime.fromisoformat(moment).astimezone(UTC) - _EPOCH
    return {"seconds": since.days * _DAY + since.seconds, "nanos": since.microseconds * 1000}


def _part(number: int, content: bytes) -> bytes:
    return _varint_of(number << 3 | _BYTES) + _varint_of(len(content)) + content


def _varint_of(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:  # noqa: PLR2004  # seven bits a byte
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
