"""What holds for single built-in kinds: what the server adds to them, and what it refuses."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.object_meta import data_causes, invalid
from groundplane.kubernetes.status_errors import Cause
from groundplane.local.apiserver.admission import validation
from groundplane.local.apiserver.kinds import builtin_events, definitions
from groundplane.local.apiserver.kinds.builtin import CRD_NAME, XRD_NAME
from groundplane.local.apiserver.kinds.resource import Resource

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
NAMESPACE_FINALIZER = "kubernetes"
#: Namespaces that are there from the start.
FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
#: Namespaces that nobody can delete.
KEPT_NAMESPACES = ("default", "kube-public", "kube-system")
_LARGEST_DATA = 1024 * 1024  # bytes
_REQUIRED_DATA = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def born(resource: Resource, manifest: Manifest) -> Manifest:
    """Return *manifest*, which is about to be created, with what the server adds."""
    if resource.name == "namespaces":
        return _labelled(manifest)
    if resource.name == "secrets":
        made = _encoded(manifest)
        return {**made, "type": made.get("type") or "Opaque"}
    if resource.name == CRD_NAME:
        return definitions.completed(manifest)
    return manifest


def finished(resource: Resource, manifest: Manifest) -> Manifest:
    """Return *manifest*, which was just created, with what nobody owns."""
    if resource.name != "namespaces":
        return manifest
    return {**manifest, "spec": {"finalizers": [NAMESPACE_FINALIZER]}, "status": {"phase": "Active"}}


def changed(resource: Resource, manifest: Manifest, old: Manifest) -> Manifest:
    """Return *manifest*, which is about to replace *old*, with what the server keeps or adds."""
    if resource.name == "namespaces":
        return {**_labelled(manifest), "spec": old.get("spec") or {}}
    if resource.name == "secrets":
        made = _encoded(manifest)
        return {**made, "type": made.get("type") or old.get("type", "Opaque")}
    if resource.name == CRD_NAME:
        return definitions.completed(manifest)
    return manifest


def causes(resource: Resource, manifest: Manifest, old: Manifest | None) -> list[Cause]:
    """Return why the server refuses *manifest*, new or instead of *old*."""
    rules = _RULES.get(resource.name)
    return [*rules(manifest, old)] if rules else []


def _labelled(manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    labels = {**(metadata.get("labels") or {}), NAMESPACE_LABEL: metadata.get("name", "")}
    return {**manifest, "metadata": {**metadata, "labels": labels}}


def _encoded(manifest: Manifest) -> Manifest:
    plain = manifest.get("stringData") or {}
    rest = {name: value for name, value in manifest.items() if name != "stringData"}
    if not plain:
        return rest
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()}
    return {**rest, "data": {**(rest.get("data") or {}), **encoded}}


def _frozen(manifest: Manifest, old: Manifest | None, *fields: str) -> Iterator[Cause]:
    if old is None or not old.get("immutable"):
        return
    message = "Forbidden: field is immutable when `immutable` is set"
    if not manifest.get("immutable"):
        yield Cause("FieldValueForbidden", message, "immutable")
    for name in fields:
        if (manifest.get(name) or {}) != (old.get(name) or {}):
            yield Cause("FieldValueForbidden", message, name)


def _secret(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    yield from data_causes(manifest, "data")
    yield from _size(sum(_decoded(manifest.get("data"))), "data")
    yield from _frozen(manifest, old, "data")
    kind = manifest.get("type", "")
    if old is not None and kind != old.get("type", ""):
        yield invalid(kind, "field is immutable", "type")
    for key in _REQUIRED_DATA.get(kind, ()):
        if key not in (manifest.get("data") or {}):
            yield Cause("FieldValueRequired", "Required value", f"data[{key}]")


def _settings(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    yield from data_causes(manifest, "data", "binaryData")
    texts = sum(len(value.encode()) for value in (manifest.get("data") or {}).values())
    yield from _size(texts + sum(_decoded(manifest.get("binaryData"))), "[]")
    yield from _frozen(manifest, old, "data", "binaryData")


def _decoded(entries: Manifest | None) -> Iterator[int]:
    """Yield how many bytes each of *entries*, in base64, is."""
    for value in (entries or {}).values():
        yield len(value) // 4 * 3 - value.count("=")


def _size(found: int, field: str) -> Iterator[Cause]:
    if found > _LARGEST_DATA:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_LARGEST_DATA} bytes", field)


def _lease(manifest: Manifest, _old: Manifest | None) -> Iterator[Cause]:
    seconds: JSON = at(manifest, "spec", "leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid(seconds, "must be greater than 0", "spec.leaseDurationSeconds")
    transitions: JSON = at(manifest, "spec", "leaseTransitions")
    if transitions is not None and transitions < 0:
        yield invalid(transitions, "must be greater than or equal to 0", "spec.leaseTransitions")


_RULES: dict[str, Callable[[Manifest, Manifest | None], Iterable[Cause]]] = {
    "configmaps": _settings,
    "secrets": _secret,
    "events": builtin_events.causes,
    "leases.coordination.k8s.io": _lease,
    CRD_NAME: definitions.causes,
    XRD_NAME: lambda manifest, _old: definitions.composite_causes(manifest),
    **{name: lambda manifest, _old: validation.causes(manifest) for name in validation.NAMES},
}
