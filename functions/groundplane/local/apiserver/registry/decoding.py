"""From the body of a request to an object of a kind: what it must be, before anybody looks at its content."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.field_errors import kind_of
from groundplane.kubernetes.status_errors import Cause, StatusError, bad_request, invalid
from groundplane.local.apiserver import moments
from groundplane.local.apiserver.kinds.resource import Resource

#: What an object's metadata may hold, and the Go type of each, which errors tell.
_METADATA: dict[str, tuple[type, str]] = {
    "annotations": (dict, "map[string]string"),
    "creationTimestamp": (str, "string"),
    "deletionGracePeriodSeconds": (int, "int64"),
    "deletionTimestamp": (str, "string"),
    "finalizers": (list, "[]string"),
    "generateName": (str, "string"),
    "generation": (int, "int64"),
    "labels": (dict, "map[string]string"),
    "managedFields": (list, "[]v1.ManagedFieldsEntry"),
    "name": (str, "string"),
    "namespace": (str, "string"),
    "ownerReferences": (list, "[]v1.OwnerReference"),
    "resourceVersion": (str, "string"),
    "selfLink": (str, "string"),
    "uid": (str, "string"),
}
_ITEMS = {"finalizers": str, "managedFields": dict, "ownerReferences": dict, "annotations": str, "labels": str}
_GO = {"integer": "number", "boolean": "bool"}


@dataclass(frozen=True, slots=True)
class Body:
    """An object as it was sent: without the fields its kind does not have, whose paths are *unknown*."""

    manifest: Manifest
    unknown: tuple[str, ...]


def read(resource: Resource, sent: JSON, text: str) -> Body:
    """Return the object that was *sent* to create or replace one of *resource*.

    Args:
        resource: The kind that the path names.
        sent: The body.
        text: The body as text, which an error quotes as the real server does.

    Raises:
        StatusError: It is no object of that kind.
    """
    if not isinstance(sent, dict):
        raise _unrecognized(resource, f"couldn't get version/kind; json parse error: {_not_a_struct(sent)}", text)
    if not resource.custom:
        sent = {"apiVersion": resource.api_version, "kind": resource.kind, **sent}
    if not sent.get("kind"):
        raise _unrecognized(resource, f"Object 'Kind' is missing in '{text}'", text)
    return typed(resource, sent)


def typed(resource: Resource, manifest: Manifest) -> Body:
    """Return *manifest*, which a client or a patch made, as an object of *resource*.

    Raises:
        StatusError: It is of another kind, or its fields have other types.
    """
    _check_kind(resource, manifest)
    found = {**manifest, "metadata": manifest.get("metadata") or {}}
    metadata, unknown = _metadata(resource, found["metadata"])
    pruned, dropped = resource.schema.prune({**found, "metadata": metadata})
    if not resource.custom:
        _check_types(resource, pruned)
        pruned = _timed(resource, without_null(pruned))
    places = [*manifest]
    # Told in the order in which they stand in the object.
    return Body(pruned, tuple(sorted((*unknown, *dropped), key=lambda path: places.index(_top(path)))))


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def refuse_unknown(body: Body, validation: str, what: str) -> tuple[str, ...]:
    """Return the warnings about unknown fields that *validation* (Strict, Warn or Ignore) asks for.

    Raises:
        StatusError: It is Strict, and there are some; the message begins with *what*.
    """
    told = [f'unknown field "{path}"' for path in body.unknown]
    if told and validation == "Strict":
        raise bad_request(f"{what}: strict decoding error: {', '.join(told)}")
    return tuple(told) if validation == "Warn" else ()


def cannot_be_handled(resource: Resource, kind: str = "") -> str:
    """Return how the real server begins to say that a body is wrong."""
    return f'{kind or resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'


def named(resource: Resource, manifest: Manifest, namespace: str, name: str = "") -> Manifest:
    """Return *manifest* with the namespace of the path, and check it against the path.

    Raises:
        StatusError: It names another object.
    """
    metadata = dict(manifest["metadata"])
    if name and metadata.setdefault("name", name) != name:
        raise bad_request(f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})")
    if not resource.namespaced:
        metadata.pop("namespace", None)
    elif (metadata.get("namespace") or namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata["namespace"] = namespace
    return {**manifest, "metadata": metadata}


def _unrecognized(resource: Resource, why: str, text: str) -> StatusError:
    return bad_request(f"the object provided is unrecognized (must be of type {resource.kind}): {why} ({_hex(text)})")


def _hex(text: str) -> str:
    # The real server shows what is no JSON object as hexadecimal digits.
    return text if text.startswith("{") else text.encode().hex() or "<empty>"


def _not_a_struct(sent: JSON) -> str:
    kind = "array" if isinstance(sent, list) else kind_of(sent)
    struct = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
    return f"json: cannot unmarshal {_GO.get(kind, kind)} into Go value of type {struct}"


def _check_kind(resource: Resource, manifest: Manifest) -> None:
    api_version, kind = manifest.get("apiVersion") or "", manifest.get("kind") or ""
    if resource.custom:
        if api_version != resource.api_version:
            raise bad_request(
                f"the API version in the data ({api_version}) does not match the expected API version"
                f" ({resource.api_version})"
            )
        if kind != resource.kind:
            message = f"Invalid value: {json.dumps(kind)}: must be {resource.kind}"
            name = at(manifest, "metadata", "name") or ""
            raise invalid(resource.group, kind, name, [Cause("FieldValueInvalid", message, "kind")])
    elif (api_version, kind) != (resource.api_version, resource.kind):
        version = api_version.rpartition("/")[2]
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {resource.kind}: converting ({version}.{kind}) to'
            f" (core.{resource.kind}): unknown conversion"
        )


def _metadata(resource: Resource, metadata: JSON) -> tuple[Manifest, list[str]]:
    if not isinstance(metadata, dict):
        raise _wrong(resource, kind_of(metadata), f"{resource.kind}.metadata of type v1.ObjectMeta")
    kept = {}
    for name, value in metadata.items():
        if name in _METADATA and value is not None:
            _check_metadata(resource, name, value)
            kept[name] = value
    return kept, [f"metadata.{name}" for name in metadata if name not in _METADATA]


def _check_metadata(resource: Resource, name: str, value: JSON) -> None:
    kind, go = _METADATA[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _wrong(resource, kind_of(value), f"ObjectMeta.{name} of type {go}")
    items = _ITEMS.get(name, object)
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if not isinstance(entry, items):
            inner = "string" if items is str else go.removeprefix("[]")
            raise _wrong(resource, kind_of(entry), f"ObjectMeta.{name} of type {inner}")


def _wrong(resource: Resource, kind: str, place: str) -> StatusError:
    found = _GO.get(kind, kind)
    return bad_request(f"{cannot_be_handled(resource)}: json: cannot unmarshal {found} into Go struct field {place}")


def _check_types(resource: Resource, manifest: Manifest) -> None:
    """Refuse what a typed server cannot even read."""
    for one in resource.schema.validate({**manifest, "metadata": {"name": "x"}}):
        if one.keyword == "type":
            top = one.field.partition(".")[0].partition("[")[0]
            raise _wrong(resource, kind_of(one.value), f"{resource.kind}.{top} of type {one.limit}")
    if resource.kind == "Secret":
        for value in (manifest.get("data") or {}).values():
            _check_base64(resource, value)


def _timed(resource: Resource, manifest: Manifest) -> Manifest:
    try:
        return moments.in_utc(manifest)
    except moments.MomentError as error:
        raise bad_request(f"{cannot_be_handled(resource)}: {error}") from None


def _check_base64(resource: Resource, value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        wrong = next((index for index, char in enumerate(value) if not (char.isalnum() or char in "+/=")), len(value))
        raise bad_request(f"{cannot_be_handled(resource)}: illegal base64 data at input byte {wrong}") from None


def without_null(value: JSON) -> JSON:
    """Return *value* without fields that are null: to a typed server they are absent."""
    if isinstance(value, dict):
        return {name: without_null(entry) for name, entry in value.items() if entry is not None}
    return value
