"""What an API server checks in the metadata of every object."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.formats import is_label_value, is_qualified_name, is_subdomain
from groundplane.kubernetes.schema.violation import Violation, kind_of, member, shown, suggestion

#: The fields every object has, whatever its schema declares.
IMPLICIT = frozenset({"apiVersion", "kind", "metadata"})

_TYPES: dict[str, type] = {
    "annotations": dict,
    "creationTimestamp": str,
    "deletionGracePeriodSeconds": int,
    "deletionTimestamp": str,
    "finalizers": list,
    "generateName": str,
    "generation": int,
    "labels": dict,
    "managedFields": list,
    "name": str,
    "namespace": str,
    "ownerReferences": list,
    "resourceVersion": str,
    "selfLink": str,
    "uid": str,
}
_LONGEST_ANNOTATIONS = 256 * 1024


def metadata_violations(metadata: JSON, path: str = "metadata") -> list[Violation]:
    """Return what is wrong with *metadata*, which stands at *path*; a missing name is not."""
    if not isinstance(metadata, dict):
        return [Violation(path, f"must be an object, not {kind_of(metadata)}", "metadata")]
    found = (*_fields(metadata, path), *_name(metadata, path), *_maps(metadata, path))
    return [Violation(one.field, one.message, "metadata") for one in found]


def _fields(metadata: Manifest, path: str) -> Iterator[Violation]:
    for name, value in metadata.items():
        expected = _TYPES.get(name)
        where = member(path, name)
        if expected is None:
            yield Violation(where, "unknown field" + suggestion(str(name), _TYPES))
        elif value is not None and type(value) is not expected:
            wanted = kind_of(expected())
            yield Violation(where, f"must be {wanted}, not {kind_of(value)}")


def _name(metadata: Manifest, path: str) -> Iterator[Violation]:
    for field in ("name", "namespace"):
        value = metadata.get(field)
        if isinstance(value, str) and not is_subdomain(value):
            yield Violation(
                member(path, field),
                f"{shown(value)} must consist of lower-case letters, digits, '-' and '.', start and end with a letter"
                " or digit, and have at most 253 characters",
            )


def _maps(metadata: Manifest, path: str) -> Iterator[Violation]:
    yield from _map(metadata, path, "labels", is_label_value)
    yield from _map(metadata, path, "annotations", lambda _: True)
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        size = sum(len(str(key)) + len(str(value)) for key, value in annotations.items())
        if size > _LONGEST_ANNOTATIONS:
            yield Violation(member(path, "annotations"), "must be at most 256 KiB in all")


def _map(metadata: Manifest, path: str, field: str, accepts: Callable[[str], bool]) -> Iterator[Violation]:
    entries = metadata.get(field)
    if not isinstance(entries, dict):
        return
    for key, value in entries.items():
        where = member(member(path, field), key)
        if not isinstance(key, str) or not is_qualified_name(key):
            yield Violation(where, "the key must be a name with an optional prefix/ before it")
        if not isinstance(value, str):
            yield Violation(where, f"must be a string, not {kind_of(value)}; quote it")
        elif not accepts(value):
            yield Violation(
                where,
                f"{shown(value)} must have at most 63 letters, digits, '-', '_' and '.', and start and end with a"
                " letter or digit",
            )
