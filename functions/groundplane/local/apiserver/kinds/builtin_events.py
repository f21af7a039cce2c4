"""Events, which two groups serve: the same objects, whose fields have other names in ``events.k8s.io``."""

from __future__ import annotations

from collections.abc import Iterator

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.managedfields.builtin_schemas import completed
from groundplane.kubernetes.object_meta import invalid, key_faults
from groundplane.kubernetes.status_errors import Cause
from groundplane.local.apiserver.kinds.resource import Alias

GROUP = "events.k8s.io"
_API_VERSION = f"{GROUP}/v1"
#: The names in the core group, and those in the other.
_NAMES = {
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "involvedObject": "regarding",
    "lastTimestamp": "deprecatedLastTimestamp",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
}
_CORE_NAMES = {other: name for name, other in _NAMES.items()}
#: What the core group shows also when it is empty, and the other does not.
_OMITTED = ("reportingController", "reportingInstance")
_LONGEST = {"reportingInstance": 128, "action": 128, "reason": 128}
_LONGEST_MESSAGE = 1024
_TYPES = ("Normal", "Warning")
_NAMESPACES = ("default", "kube-system")  # where events of what is in no namespace are told
_FROZEN = {
    **dict.fromkeys(("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count")),
    **dict.fromkeys(("type", "eventTime", "action", "related", "reportingController", "reportingInstance")),
}


def _shown(core: Manifest) -> Manifest:
    made = {_NAMES.get(name, name): value for name, value in core.items()}
    return {name: value for name, value in made.items() if value or name not in _OMITTED}


def _kept(manifest: Manifest) -> Manifest:
    made = {_CORE_NAMES.get(name, name): value for name, value in manifest.items()}
    return completed({**made, "apiVersion": "v1"})


def _selecting(fields: str) -> str:
    return fields.replace("regarding.", "involvedObject.").replace("reportingController", "reportingComponent")


ALIAS = Alias("events", "v1", shown=_shown, kept=_kept, selecting=_selecting)


def causes(manifest: Manifest, old: Manifest | None) -> Iterator[Cause]:
    """Yield why an Event is refused: what is written through the newer group must be complete, and changes little."""
    core = _kept(manifest) if manifest["apiVersion"] == _API_VERSION else manifest
    yield from _sensible(core)
    if core is manifest:
        return
    before = _kept(old) if old is not None and old["apiVersion"] == _API_VERSION else old
    if before is None:
        yield from _series(core)
        yield from _complete(core)
        return
    if core.get("series") != before.get("series"):
        yield from _series(core)
    for name in _FROZEN:
        key = "reportingComponent" if name == "reportingController" else name
        if (core.get(key) or None) != (before.get(key) or None):
            yield invalid(core.get(key), "field is immutable", name)


def _sensible(event: Manifest) -> Iterator[Cause]:
    involved = at(event, "involvedObject", "namespace") or ""
    namespace = event["metadata"].get("namespace")
    wrong = invalid(involved, "does not match event.namespace", "involvedObject.namespace")
    if not event.get("eventTime"):
        # What has no namespace is told of in the default one.
        if (involved or "default") != namespace:
            yield wrong
        return
    if not involved and namespace not in _NAMESPACES:
        yield wrong
    controller = event.get("reportingComponent") or ""
    if not controller:
        yield Cause("FieldValueRequired", "Required value", "reportingController")
    for fault in key_faults(controller):
        yield invalid(controller, fault, "reportingController")
    for name, longest in _LONGEST.items():
        if not event.get(name):
            yield Cause("FieldValueRequired", "Required value", name)
        elif len(event[name].encode()) > longest:
            yield invalid("", f"can have at most {longest} characters", name)
    if len((event.get("message") or "").encode()) > _LONGEST_MESSAGE:
        yield invalid("", f"can have at most {_LONGEST_MESSAGE} characters", "message")


def _series(event: Manifest) -> Iterator[Cause]:
    series = event.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:  # noqa: PLR2004  # one is no series
        yield invalid("", "should be at least 2", "series.count")
    if not series.get("lastObservedTime"):
        yield Cause("FieldValueRequired", "Required value", "series.lastObservedTime")


def _complete(event: Manifest) -> Iterator[Cause]:
    if not event.get("eventTime"):
        yield Cause("FieldValueRequired", "Required value", "eventTime")
    kind = event.get("type") or ""
    if kind not in _TYPES:
        yield invalid("", f"has invalid value: {kind}", "type")
    for name in ("firstTimestamp", "lastTimestamp", "count"):
        if event.get(name):
            yield invalid("", "needs to be unset", name)
    if any((event.get("source") or {}).values()):
        yield invalid("", "needs to be unset", "source")
