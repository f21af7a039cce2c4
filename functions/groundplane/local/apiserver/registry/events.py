"""Events: what a controller of this process did, told where ``kubectl describe`` looks for it."""

from __future__ import annotations

from groundplane.core.manifest import Manifest, digest
from groundplane.kubernetes.patch.patches import merge_patched
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.registry.api import Api

_EVENT = ("v1", "Event")
_DEFAULT_NAMESPACE = "default"  # events of what is in no namespace are told here


def record(api: Api, about: Manifest, component: str, kind: str, reason: str, message: str) -> Manifest:  # noqa: PLR0913, PLR0917  # what an event says
    """Tell that something happened to the object *about*, and return the event.

    The same thing happening again is counted on the same event.

    Args:
        api: Where to tell it.
        about: The object, as it is stored.
        component: Who tells.
        kind: ``Normal`` or ``Warning``.
        reason: Why, in one word.
        message: What happened; it holds no secret.

    Raises:
        StatusError: It is refused, such as in a namespace that is being deleted.
    """
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or _DEFAULT_NAMESPACE
    name = f"{metadata['name']}.{digest(metadata['uid'], component, kind, reason, message, length=16)}"
    request = api.request(*_EVENT, namespace, name, manager=component)
    try:
        seen = api.get(request.resource, namespace, name)
    except StatusError:
        return api.create(
            api.request(*_EVENT, namespace, manager=component),
            _event(api.now(), about, component, {"name": name, "kind": kind, "reason": reason, "message": message}),
        ).manifest
    again = {"count": seen.get("count", 1) + 1, "lastTimestamp": api.now()}
    return api.patch(request, lambda live: merge_patched(live, again)).manifest


def _event(now: str, about: Manifest, component: str, told: dict[str, str]) -> Manifest:
    metadata = about["metadata"]
    involved = {"apiVersion": about["apiVersion"], "kind": about["kind"], "name": metadata["name"]}
    involved |= {key: metadata[key] for key in ("namespace", "uid", "resourceVersion") if key in metadata}
    return {
        "metadata": {"name": told["name"]},
        "involvedObject": involved,
        "type": told["kind"],
        "reason": told["reason"],
        "message": told["message"],
        "source": {"component": component},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
