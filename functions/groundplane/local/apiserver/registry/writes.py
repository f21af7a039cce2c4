"""What a write does to an object. Pure: the stored object, the request, the time and a uid give the new object."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes import status_errors
from groundplane.kubernetes.field_errors import causes
from groundplane.kubernetes.object_meta import metadata_causes, update_causes
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry import field_manager, strategies
from groundplane.local.apiserver.registry.admission import Mutate
from groundplane.local.apiserver.registry.decoding import Body, cannot_be_handled, named, refuse_unknown, typed
from groundplane.local.apiserver.registry.request import Outcome, Request

#: Metadata that only the server writes.
_SERVERS = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "selfLink", "uid")
#: Groups whose kinds are typed on a real server and count no generations.
_UNCOUNTED = ("", "coordination.k8s.io", "events.k8s.io")


def unchanged(_old: Manifest | None, new: Manifest) -> Manifest:
    """Return *new*: no policy is asked."""
    return new


def create(request: Request, body: Body, uid: str, suffix: str, mutate: Mutate = unchanged) -> Outcome:
    """Return the object that *body* makes, as *mutate* leaves it; *suffix* completes a ``generateName``.

    Raises:
        StatusError: It is refused.
    """
    resource = request.resource
    warnings = refuse_unknown(body, request.validation, cannot_be_handled(resource))
    if at(body.manifest, "metadata", "resourceVersion"):
        raise status_errors.internal("resourceVersion should not be set on objects to be created")
    manifest = named(resource, body.manifest, request.namespace, request.name)
    born = field_manager.updated(request, None, _born(resource, manifest))
    made = _completed(resource, _mutated(resource, mutate, born), request.now, uid, suffix)
    _check(resource, made)
    return Outcome(made, warnings)


def apply_new(request: Request, config: Manifest, uid: str, mutate: Mutate = unchanged) -> Outcome:
    """Return the object that applying *config* makes where there is none, as *mutate* leaves it.

    Raises:
        StatusError: It is refused.
    """
    resource = request.resource
    config = field_manager.checked(request, config)
    owned = field_manager.applied(request, None, config)
    born = _born(resource, owned)
    born["metadata"]["managedFields"] = at(owned, "metadata", "managedFields") or []
    made = _completed(resource, _mutated(resource, mutate, born), request.now, uid, "")
    _check(resource, made)
    return Outcome(made)


def _born(resource: Resource, manifest: Manifest) -> Manifest:
    """Return *manifest* as it is sent to be made, with its defaults: so policies see it first."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in _SERVERS}
    made = {name: value for name, value in manifest.items() if name != "status" or not resource.status}
    return strategies.born(resource, resource.schema.default({**made, "metadata": metadata}))


def _completed(resource: Resource, manifest: Manifest, now: str, uid: str, suffix: str) -> Manifest:
    """Return *manifest* with what the server gives an object that is made."""
    metadata = dict(manifest["metadata"])
    generated = not metadata.get("name") and metadata.get("generateName")
    if generated:
        metadata["name"] = metadata["generateName"] + suffix
    metadata |= {"uid": uid, "creationTimestamp": now}
    if resource.group not in _UNCOUNTED:
        metadata["generation"] = 1
    made = {**manifest, "metadata": metadata}
    return strategies.born(resource, made) if generated else made


def _mutated(resource: Resource, mutate: Mutate, new: Manifest, old: Manifest | None = None) -> Manifest:
    """Return *new* as policies leave it; what they changed belongs to nobody."""
    changed = mutate(old, new)
    if changed is new:
        return new
    return strategies.born(resource, changed) if old is None else strategies.changed(resource, changed, old)


def replace(request: Request, stored: Manifest, body: Body, mutate: Mutate = unchanged) -> Outcome:
    """Return *stored* replaced by *body*, as *mutate* leaves it.

    Raises:
        StatusError: It is refused.
    """
    resource = request.resource
    warnings = refuse_unknown(body, request.validation, cannot_be_handled(resource))
    manifest = named(resource, body.manifest, request.namespace, request.name)
    sent = manifest["metadata"].get("resourceVersion")
    if not sent and resource.group != "" and resource.alias is None:
        why = "Invalid value: 0: must be specified for an update"
        cause = status_errors.Cause("FieldValueInvalid", why, "metadata.resourceVersion")
        raise status_errors.invalid(resource.group, resource.plural, request.name, [cause])
    if sent and not sent.isdigit():
        raise status_errors.internal(f'strconv.ParseUint: parsing "{sent}": invalid syntax')
    uid = manifest["metadata"].get("uid")
    if uid and uid != stored["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored['metadata']['uid']}"
        raise status_errors.conflict(resource.group, resource.plural, request.name, why)
    return _updated(request, stored, manifest, warnings, mutate)


def patch(
    request: Request, stored: Manifest, change: Callable[[Manifest], JSON], mutate: Mutate = unchanged
) -> Outcome:
    """Return *stored* as *change*, and then *mutate*, leaves it.

    Raises:
        StatusError: It is refused.
    """
    resource = request.resource
    patched = change(resource.presented(copy.deepcopy(stored)))
    if not isinstance(patched, dict):
        raise status_errors.bad_request("the patch leaves no object")
    body = typed(resource, patched)
    if body.unknown and request.validation == "Strict":
        told = ", ".join(f'unknown field "{path}"' for path in body.unknown)
        text = json.dumps(patched, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        message = f"Invalid value: {status_errors.quoted(text)}: strict decoding error: {told}"
        raise status_errors.invalid("", "", "", [status_errors.Cause("FieldValueInvalid", message, "patch")])
    warnings = refuse_unknown(body, request.validation, "")
    manifest = named(resource, body.manifest, request.namespace, request.name)
    return _updated(request, stored, manifest, warnings, mutate)


def apply(request: Request, stored: Manifest, config: Manifest, mutate: Mutate = unchanged) -> Outcome:
    """Return *stored* with *config* applied by the request's manager, as *mutate* leaves it.

    Raises:
        StatusError: It is refused, or another manager owns what it changes.
    """
    live = request.resource.presented(stored)
    config = field_manager.checked(request, config)
    uid = config["metadata"].get("uid")
    if uid and uid != stored["metadata"]["uid"]:
        why = f"uid mismatch: the provided object specified uid {uid}, and the existing object has uid"
        raise status_errors.conflict(
            request.resource.group, request.resource.plural, request.name, f"{why} {stored['metadata']['uid']}"
        )
    merged = field_manager.applied(request, live, config)
    return _updated(request, stored, merged, (), mutate, owned=True)


def _updated(  # noqa: PLR0913  # What an update is made of.
    request: Request,
    stored: Manifest,
    manifest: Manifest,
    warnings: tuple[str, ...],
    mutate: Mutate,
    *,
    owned: bool = False,
) -> Outcome:
    resource = request.resource
    old = resource.presented(stored)
    sent = manifest["metadata"].get("resourceVersion")
    if sent and sent != old["metadata"]["resourceVersion"]:
        raise status_errors.modified(resource.group, resource.plural, request.name)
    wanted = strategies.changed(resource, resource.schema.default(_placed(request, manifest, old)), old)
    if not owned:
        wanted = field_manager.updated(request, old, wanted)
    wanted = _mutated(resource, mutate, wanted, old)
    _check(resource, wanted, old, request.subresource)
    wanted["metadata"] = _counted(resource, wanted, old)
    if same(old, wanted):
        return Outcome(stored, warnings, changed=False)
    return Outcome(resource.kept(wanted), warnings)


def _placed(request: Request, manifest: Manifest, old: Manifest) -> Manifest:
    """Return *manifest* with what a write to this subresource leaves alone taken from *old*."""
    if request.subresource == "status":
        rest = {name: value for name, value in old.items() if name != "status"}
        managed = manifest["metadata"].get("managedFields")
        metadata = {name: value for name, value in old["metadata"].items() if name != "managedFields"}
        metadata |= {"managedFields": managed} if managed is not None else {}
        status = {"status": manifest["status"]} if "status" in manifest else {}
        return {**rest, "metadata": metadata, **status}
    metadata = dict(manifest["metadata"])
    for name in _SERVERS:
        if name in old["metadata"] and (name not in metadata or name not in {"uid", "creationTimestamp"}):
            metadata[name] = old["metadata"][name]
        elif name not in old["metadata"]:
            metadata.pop(name, None)
    metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
    placed = {**manifest, "metadata": metadata}
    if request.resource.status:
        placed.pop("status", None)
        placed |= {"status": old["status"]} if "status" in old else {}
    return placed


def _counted(resource: Resource, wanted: Manifest, old: Manifest) -> Manifest:
    metadata: Manifest = dict(wanted["metadata"])
    aside = {"metadata", "status"} if resource.status else {"metadata"}
    before = {name: value for name, value in old.items() if name not in aside}
    if "generation" in metadata and before != {name: value for name, value in wanted.items() if name not in aside}:
        metadata["generation"] += 1
    return metadata


def _check(resource: Resource, manifest: Manifest, old: Manifest | None = None, subresource: str = "") -> None:
    metadata = manifest["metadata"]
    found = metadata_causes(metadata, label_name=resource.name == "namespaces")
    if old is not None:
        found = [*update_causes(metadata, old["metadata"]), *found]
    found += causes(resource.schema, manifest, old, subresource)
    if not (found and resource.custom):  # what a definition's schema refuses, nobody looks at any further
        found += strategies.causes(resource, manifest, old)
    if found:
        raise status_errors.invalid(resource.group, resource.kind, metadata.get("name") or "", found)


def same(old: Manifest, new: Manifest) -> bool:
    """Return whether the two differ in nothing but the times at which fields were taken."""
    return _timeless(old) == _timeless(new)


def _timeless(manifest: Manifest) -> Manifest:
    metadata = {name: value for name, value in manifest["metadata"].items() if value not in ({}, [])}
    managed = metadata.pop("managedFields", None) or []
    metadata.pop("resourceVersion", None)
    entries = [{name: value for name, value in entry.items() if name != "time"} for entry in managed]
    return {**manifest, "apiVersion": "", "metadata": {**metadata, "managedFields": entries}}
