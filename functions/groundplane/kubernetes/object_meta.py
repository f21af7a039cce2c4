"""What Kubernetes asks of the metadata of every object, in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes import formats
from groundplane.kubernetes.status_errors import Cause, quoted

_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    " an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or"
    " 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_LONGEST_LABEL = 63
_LONGEST_NAME = 253
_LARGEST_ANNOTATIONS = 256 * 1024
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_IMMUTABLE = "field is immutable"
_FIXED = ("name", "namespace", "uid", "creationTimestamp")


def invalid(value: object, why: str, field: str) -> Cause:
    """Return the cause that *value* is not allowed at *field*."""
    shown = quoted(value) if isinstance(value, str) else value
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)


def metadata_causes(metadata: Manifest, *, label_name: bool = False) -> list[Cause]:
    """Return what is wrong with *metadata*; *label_name* where names may not contain dots."""
    return [
        *_name(metadata, label_name=label_name),
        *_labels(metadata.get("labels") or {}),
        *_annotations(metadata.get("annotations") or {}),
        *_owners(metadata.get("ownerReferences") or []),
        *_finalizers(metadata.get("finalizers") or []),
    ]


def update_causes(metadata: Manifest, old: Manifest) -> list[Cause]:
    """Return which changes from *old* are not allowed in any metadata."""
    found = [
        invalid(metadata.get(name) or "", _IMMUTABLE, f"metadata.{name}")
        for name in _FIXED
        if metadata.get(name) != old.get(name)
    ]
    if old.get("deletionTimestamp"):
        added = [one for one in metadata.get("finalizers") or [] if one not in (old.get("finalizers") or [])]
        if added:
            listed = ", ".join(map(quoted, added))
            why = "no new finalizers can be added if the object is being deleted, found new finalizers"
            message = f"Forbidden: {why} []string{{{listed}}}"
            found.append(Cause("FieldValueForbidden", message, "metadata.finalizers"))
    return found


def _name(metadata: Manifest, *, label_name: bool) -> Iterator[Cause]:
    name = metadata.get("name")
    if not name:
        yield Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
        return
    if label_name and "." in name and formats.is_subdomain(name):
        yield invalid(name, "must not contain dots", "metadata.name")
    elif label_name and not formats.is_label_name(name):
        long = len(name) > _LONGEST_LABEL
        yield invalid(name, f"must be no more than {_LONGEST_LABEL} characters" if long else _LABEL, "metadata.name")
    elif len(name) > _LONGEST_NAME:
        yield invalid(name, f"must be no more than {_LONGEST_NAME} characters", "metadata.name")
    elif not formats.is_subdomain(name):
        yield invalid(name, _SUBDOMAIN, "metadata.name")


def key_faults(key: str) -> Iterator[str]:
    """Yield what is wrong with *key*, a name that may have a prefix such as ``groundplane.dev/``."""
    prefix, slash, name = key.rpartition("/")
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash and not formats.is_subdomain(prefix):
        yield f"prefix part {_SUBDOMAIN}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > _LONGEST_LABEL:
        yield f"name part must be no more than {_LONGEST_LABEL} characters"
    if not formats.is_qualified_name(name):
        yield _NAME_PART


def _labels(labels: dict[str, str]) -> Iterator[Cause]:
    for key, value in sorted(labels.items()):
        yield from (invalid(key, fault, "metadata.labels") for fault in key_faults(key))
        if len(value) > _LONGEST_LABEL:
            yield invalid(value, f"must be no more than {_LONGEST_LABEL} bytes", "metadata.labels")
        elif not formats.is_label_value(value):
            yield invalid(value, _VALUE, "metadata.labels")


def _annotations(annotations: dict[str, str]) -> Iterator[Cause]:
    for key in sorted(annotations):
        yield from (invalid(key, fault, "metadata.annotations") for fault in key_faults(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _LARGEST_ANNOTATIONS:
        message = f"Too long: may not be more than {_LARGEST_ANNOTATIONS} bytes"
        yield Cause("FieldValueTooLong", message, "metadata.annotations")


def _owners(owners: list[Manifest]) -> Iterator[Cause]:
    place = "metadata.ownerReferences"
    for owner in owners:
        if not owner.get("apiVersion"):
            yield invalid("", "version must not be empty", f"{place}.apiVersion")
        for name in ("kind", "name", "uid"):
            if not owner.get(name):
                yield invalid("", "must not be empty", f"{place}.{name}")
    controllers = [owner.get("name") for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        why = f"Only one reference can have Controller set to true. Found {quoted('true')} in references for"
        message = f"{why} {controllers[0]} and {controllers[1]}"
        yield Cause("FieldValueInvalid", f"Invalid value: null: {message}", place)


def _finalizers(finalizers: list[str]) -> Iterator[Cause]:
    for name in finalizers:
        yield from (invalid(name, fault, "metadata.finalizers") for fault in key_faults(name))


def data_causes(manifest: Manifest, *fields: str) -> Iterator[Cause]:
    """Yield what is wrong with the keys of the entries in *fields* of a ConfigMap or a Secret."""
    for field in fields:
        for key in sorted(at(manifest, field) or {}):
            if not _KEY.fullmatch(key):
                yield invalid(key, _CONFIG_KEY, f"{field}[{key}]")
