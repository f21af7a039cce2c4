"""Server-side apply and field ownership, by the algorithm of the API server: pure functions over whole objects.

An apply merges the configuration into the live object, takes away what its manager applied before and no longer says,
unless somebody else owns it, and refuses to change what others own. Every other write takes what it changes. Objects
that are returned share parts with the arguments: change neither.

After an apply the caller fills in defaults, keeps what the endpoint does not write (status, or all but status),
validates, and asks `settled` whether anything happened at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from groundplane.core.manifest import JSON, Manifest
from groundplane.core.manifest import at as value_at
from groundplane.kubernetes.managedfields import builtin_schemas, element, lastapplied
from groundplane.kubernetes.managedfields.compare import same
from groundplane.kubernetes.managedfields.conflict import Conflict, ConflictError
from groundplane.kubernetes.managedfields.fieldset import FieldSet, at
from groundplane.kubernetes.managedfields.managers import Managed, ManagedFieldsError, decoded, encoded, is_reset
from groundplane.kubernetes.managedfields.schema import Shape, root
from groundplane.kubernetes.managedfields.typed import TypedError, check
from groundplane.kubernetes.managedfields.updater import Write

__all__ = ["ApplyError", "Conflict", "ConflictError", "apply", "settled", "update"]

_BAD_REQUEST, _INTERNAL = 400, 500
_BEFORE_FIRST = "before-first-apply"
_STATUS_RESETS = ("metadata", "spec")


class ApplyError(Exception):
    """The configuration cannot be applied; the message is the API server's.

    Attributes:
        code: The HTTP status: 400, or 500 where the API server answers so, though the client is wrong.
    """

    def __init__(self, code: int, message: str) -> None:
        """Say *message*, and answer with *code*."""
        super().__init__(message)
        self.code = code


def apply(  # noqa: PLR0913  # all that an apply depends on; each has its name at the call
    live: Manifest | None,
    config: Manifest,
    *,
    manager: str,
    schema: Manifest | None,
    now: str,
    force: bool = False,
    subresource: str = "",
    resets: Collection[str] | None = None,
    served: Collection[str] = (),
) -> Manifest:
    """Return the object after a server-side apply of *config* over *live*, with its managedFields.

    *live* is None when the object is created. *schema* is the structural schema of the kind, or None for the kinds
    that every API server has. *now* is RFC 3339, whole seconds. *resets* are the top-level fields that the endpoint
    does not write, so that nobody owns them by this write: ("status",) for the object itself when its kind has the
    status subresource. Left out, they are what the status subresource does not write, or none. *served* are the
    versions of the kind, as objects write them, when there are several. Defaults are not filled in.

    Raises:
        ConflictError: it would change what another manager owns, and *force* is not set.
        ApplyError: *config* does not fit the schema, is of another kind, or has managedFields.
    """
    _refuse_strange(live, config)
    write = _write(
        config, manager=manager, schema=schema, now=now, subresource=subresource, resets=resets, served=served
    )
    base = _held(live or _identity(config), schema)
    _check(config, write.shape, config, "patch", duplicates=False)
    _check(base, write.shape, base, "live", duplicates=True)
    try:
        managed = decoded(value_at(live, "metadata", "managedFields"))
    except ManagedFieldsError as error:
        raise ApplyError(_INTERNAL, f"failed to decode managed fields: {error}") from None
    if not managed.claims and live is not None:
        first = replace(write, manager=_BEFORE_FIRST)
        managed = first.updated(_held(_identity(live), schema), base, managed)
    try:
        result, managed = _applied(write, base, config, managed, force=force)
    except TypedError as error:
        raise ApplyError(_INTERNAL, f"failed to compare objects: {error}") from None
    result = result if schema is not None else builtin_schemas.shown(result)
    return _dressed(lastapplied.refreshed(result, config) if manager == lastapplied.MANAGER else result, managed)


def update(  # noqa: PLR0913  # all that an update depends on; each has its name at the call
    live: Manifest | None,
    new: Manifest,
    *,
    manager: str,
    schema: Manifest | None,
    now: str,
    subresource: str = "",
    resets: Collection[str] | None = None,
    served: Collection[str] = (),
) -> Manifest:
    """Return *new*, the whole object a create, PUT or patch led to, with managedFields as the API server keeps them.

    *new* has its defaults. The managedFields in it are taken over when they can be read, except through a subresource;
    `[{}]` forgets all owners, of a built-in kind `[]`, too. An object that has none stays without. The other arguments
    are those of `apply`.
    """
    managed = _of_request(live, new, subresource, custom=schema is not None)
    bare = _bare(new if schema is not None else builtin_schemas.shown(new))
    if live is not None and not managed.claims:
        return bare
    write = _write(new, manager=manager, schema=schema, now=now, subresource=subresource, resets=resets, served=served)
    base = _held(live or _identity(new), schema)
    known = {write.api_version, *served}
    if schema is not None and any(claim.api_version not in known for claim in managed.claims.values()):
        return bare  # what is served no more cannot be converted, so nothing is known of any owner
    try:
        return _dressed(bare, write.updated(base, _held(bare, schema), managed))
    except TypedError:
        return bare  # the API server, too, stores it, without managedFields


def settled(live: Manifest, new: Manifest) -> Manifest:
    """Return *live* itself when *new* differs from it at most in the times of managedFields, else *new*.

    Such a write must not be stored: it would make a new version of an object that did not change.
    """
    times_apart = [[_timeless(entry) for entry in _entries(manifest)] for manifest in (live, new)]
    return live if times_apart[0] == times_apart[1] and same(_bare(live), _bare(new)) else new


def _applied(
    write: Write, live: Manifest, config: Manifest, managed: Managed, *, force: bool
) -> tuple[Manifest, Managed]:
    try:
        return write.applied(live, config, managed, force=force)
    except ConflictError as error:
        if write.manager != lastapplied.MANAGER:
            raise
        left = error.without(lastapplied.unchanged(live, write.shape))
        if left is not None:
            raise left from None
    return write.applied(live, config, managed, force=True)


def _write(  # noqa: PLR0913  # hands on what its callers were asked
    manifest: Manifest,
    *,
    manager: str,
    schema: Manifest | None,
    now: str,
    subresource: str,
    resets: Collection[str] | None,
    served: Collection[str],
) -> Write:
    if resets is None:
        resets = _STATUS_RESETS if subresource == "status" else ()
    shape = builtin_schemas.shape_of(manifest) if schema is None else root(schema)
    return Write(manager, str(manifest.get("apiVersion", "")), subresource, shape, _trees(resets), now, served)


def _trees(names: Collection[str]) -> FieldSet:
    return at(*((element.field(name),) for name in names))


def _refuse_strange(live: Manifest | None, config: Manifest) -> None:
    if live is not None and _identity(live) != _identity(config):
        raise ApplyError(_BAD_REQUEST, f"invalid object type: {_kind(config)}")
    if isinstance(value_at(config, "metadata", "managedFields"), list):
        raise ApplyError(_BAD_REQUEST, "metadata.managedFields must be nil")


def _check(value: Manifest, shape: Shape, named: Manifest, role: str, *, duplicates: bool) -> None:
    try:
        check(value, shape, duplicates=duplicates)
    except TypedError as error:
        namespace, name = (value_at(named, "metadata", part) or "" for part in ("namespace", "name"))
        name = f"{namespace}/{name}; {_kind(named)}"
        raise ApplyError(_INTERNAL, f"failed to create typed {role} object ({name}): {error}") from None


def _kind(manifest: Manifest) -> str:
    group, _, version = str(manifest.get("apiVersion", "")).rpartition("/")
    return f"{group}/{version}, Kind={manifest.get('kind', '')}"


def _of_request(live: Manifest | None, new: Manifest, subresource: str, *, custom: bool) -> Managed:
    """Return who owns what before the write: as the request says, where it may and can be read, else as is stored."""
    asked = value_at(new, "metadata", "managedFields")
    if not subresource:
        if is_reset(asked, custom=custom):
            return Managed()
        if (said := _readable(asked)).claims:
            return said
    return _readable(value_at(live, "metadata", "managedFields"))


def _readable(entries: JSON) -> Managed:
    try:
        return decoded(entries)
    except ManagedFieldsError:
        return Managed()


def _identity(manifest: Manifest) -> Manifest:
    return {name: manifest.get(name) for name in ("apiVersion", "kind")}


def _entries(manifest: Manifest) -> list[Manifest]:
    return value_at(manifest, "metadata", "managedFields") or []


def _timeless(entry: Manifest) -> Manifest:
    return {name: part for name, part in entry.items() if name != "time"}


def _held(manifest: Manifest, schema: Manifest | None) -> Manifest:
    """Return *manifest* as the API server compares it."""
    return _bare(manifest if schema is not None else builtin_schemas.completed(manifest))


def _bare(manifest: Manifest) -> Manifest:
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return manifest
    return {**manifest, "metadata": {name: part for name, part in metadata.items() if name != "managedFields"}}


def _dressed(manifest: Manifest, managed: Managed) -> Manifest:
    if not managed.claims:
        return manifest
    return {**manifest, "metadata": {**(manifest.get("metadata") or {}), "managedFields": encoded(managed)}}
