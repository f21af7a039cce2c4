"""Where new objects may be made."""

from __future__ import annotations

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.registry.request import Request
from groundplane.local.apiserver.storage.records import Key
from groundplane.local.apiserver.storage.store import Store


def check(store: Store, request: Request, manifest: Manifest) -> None:
    """Return if *manifest* may be made where *request* wants it.

    Raises:
        StatusError: Its kind or its namespace goes away, or is not there.
    """
    resource = request.resource
    if resource.terminating:
        message = "create not allowed while custom resource definition is terminating"
        raise status_errors.StatusError(405, "MethodNotAllowed", message)
    if not resource.namespaced:
        return
    space = store.get(Key("namespaces", "", request.namespace))
    if space is None:
        raise status_errors.not_found("", "namespaces", request.namespace)
    if space["metadata"].get("deletionTimestamp"):
        name = at(manifest, "metadata", "name") or ""
        why = f"unable to create new content in namespace {request.namespace} because it is being terminated"
        about = f"namespace {request.namespace} is being terminated"
        cause = status_errors.Cause("NamespaceTerminating", about, "metadata.namespace")
        raise status_errors.forbidden(resource.group, resource.plural, name, why, [cause])
