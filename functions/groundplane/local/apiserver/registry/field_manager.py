"""Who owns what after a write: server-side apply, and the writes of whole objects."""

from __future__ import annotations

import json
from collections.abc import Iterator

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes import status_errors
from groundplane.kubernetes.managedfields import apply, builtin_schemas
from groundplane.kubernetes.managedfields.typed import TypedError, check
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.decoding import Body, named, typed
from groundplane.local.apiserver.registry.request import Request, raw_schema


def checked(request: Request, config: Manifest) -> Manifest:
    """Return *config* as it can be applied.

    Raises:
        StatusError: It is no such object, or says what its kind does not have.
    """
    resource = request.resource
    api_version, kind = config.get("apiVersion") or "", config.get("kind") or ""
    if (api_version, kind) != (resource.api_version, resource.kind):
        group, _, version = api_version.rpartition("/")
        raise status_errors.bad_request(f"invalid object type: {group}/{version}, Kind={kind}")
    if at(config, "metadata", "managedFields"):
        raise status_errors.bad_request("metadata.managedFields must be nil")
    if not resource.custom:
        _fits(request, config)
    body = typed(resource, config)
    faults = [*_untyped(body)] or [*_repeated(resource, body.manifest)]
    if faults:
        raise _no_patch(request, config, faults[0] if len(faults) == 1 else "\n  ".join(("errors:", *faults)))
    return named(resource, body.manifest, request.namespace, request.name)


def _fits(request: Request, config: Manifest) -> None:
    """Refuse *config*, of a built-in kind, when its fields have other types."""
    try:
        check(config, builtin_schemas.shape_of(config), duplicates=False)
    except TypedError as error:
        raise _no_patch(request, config, str(error)) from None


def _no_patch(request: Request, config: Manifest, told: str) -> status_errors.StatusError:
    name = f"{at(config, 'metadata', 'namespace') or ''}/{request.name}"
    version = request.resource.api_version if request.resource.group else f"/{request.resource.version}"
    what = f"{name}; {version}, Kind={request.resource.kind}"
    return status_errors.internal(f"failed to create typed patch object ({what}): {told}")


def _untyped(body: Body) -> Iterator[str]:
    # The real server stops at the first one that it meets.
    for path in body.unknown[:1]:
        yield f".{path}: field not declared in schema"


def _repeated(resource: Resource, config: Manifest) -> Iterator[str]:
    for one in resource.schema.validate(config):
        if one.keyword == "duplicate":
            keys = one.limit or [""]
            values = [one.value.get(key) for key in keys] if one.limit else [one.value]
            told = ",".join(f"{key}={json.dumps(value)}" for key, value in zip(keys, values, strict=True))
            yield f".{one.field.rpartition('[')[0]}: duplicate entries for key [{told}]"


def applied(request: Request, live: Manifest | None, config: Manifest) -> Manifest:
    """Return *live*, or nothing, with *config* applied over it.

    Raises:
        StatusError: Another manager owns what it changes.
    """
    try:
        return apply.apply(
            live,
            config,
            manager=request.manager,
            schema=raw_schema(request.resource),
            now=request.now,
            force=request.force,
            subresource=request.subresource,
            resets=_resets(request),
            served=request.resource.api_versions,
        )
    except apply.ApplyError as error:
        raise status_errors.StatusError(error.code, "", str(error), {}) from None
    except apply.ConflictError as error:
        details = {"causes": error.causes}
        raise status_errors.StatusError(409, "Conflict", str(error), details) from None


def updated(request: Request, live: Manifest | None, new: Manifest) -> Manifest:
    """Return *new*, the whole object that a write led to, with its owners."""
    return apply.update(
        live,
        new,
        manager=request.manager,
        schema=raw_schema(request.resource),
        now=request.now,
        subresource=request.subresource,
        resets=_resets(request),
        served=request.resource.api_versions,
    )


def _resets(request: Request) -> tuple[str, ...] | None:
    """Return the fields that a write of *request* leaves alone; None where that follows from the subresource."""
    return ("status",) if request.resource.status and not request.subresource else None
