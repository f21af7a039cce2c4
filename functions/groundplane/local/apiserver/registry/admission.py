"""Between the API and the policies: what a write asks of them, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.admission.attributes import Asked
from groundplane.local.apiserver.admission.context import Source
from groundplane.local.apiserver.admission.dispatcher import Admission
from groundplane.local.apiserver.kinds.catalogue import Catalogue
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.decoding import typed
from groundplane.local.apiserver.registry.request import Request
from groundplane.local.apiserver.storage.records import Key
from groundplane.local.apiserver.storage.store import Store

#: What policies change about a write: given the object before, if any, and the object as it would be.
Mutate = Callable[[Manifest | None, Manifest], Manifest]


class Reviewing:
    """Asks the policies that are stored on a plane. What the server itself writes, without a user, goes unasked."""

    def __init__(self, store: Store, catalogue: Callable[[], Catalogue]) -> None:
        """Read policies and parameters from *store*; *catalogue* returns the kinds that are served now."""
        self._store = store
        self._catalogue = catalogue
        self._admission = Admission(Source(store.objects, self._of_kind, self._namespace, self._versions))
        store.listen(lambda change: self._admission.changed(change.key.resource))

    def mutate(self, request: Request, *, dry_run: bool) -> Mutate:
        """Return what mutating policies do to what *request* writes; it raises StatusError where one cannot."""

        def mutate(old: Manifest | None, new: Manifest) -> Manifest:
            asked = _asked(request, new, old, dry_run=dry_run)
            changed = new if asked is None else self._admission.mutated(asked)
            return new if changed is None or changed == new else _read(request.resource, changed)

        return mutate

    def review(
        self, request: Request, new: Manifest | None, old: Manifest | None, *, dry_run: bool = False
    ) -> tuple[str, ...]:
        """Return what policies warn of about turning *old* into *new*.

        Raises:
            StatusError: one refuses that.
        """
        asked = _asked(request, new, old, dry_run=dry_run)
        return () if asked is None else self._admission.check(asked)

    def _of_kind(self, api_version: str, kind: str, namespace: str) -> list[Manifest] | None:
        resource = self._catalogue().of_kind(api_version, kind)
        if resource is None:
            return None
        found = self._store.objects(resource.name, namespace if resource.namespaced else "")
        return [*map(resource.presented, found)]

    def _namespace(self, name: str) -> Manifest | None:
        return self._store.get(Key("namespaces", "", name))

    def _versions(self, group: str, plural: str) -> list[str]:
        return [one.version for one in self._catalogue() if (one.group, one.plural) == (group, plural)]


def _asked(request: Request, new: Manifest | None, old: Manifest | None, *, dry_run: bool) -> Asked | None:
    if request.user is None:
        return None
    resource = request.resource
    name = request.name or ("" if new is None else at(new, "metadata", "name") or "")
    # A Namespace is in itself, unless the server makes its name.
    itself = resource.name == "namespaces" and (old is not None or not at(new, "metadata", "generateName"))
    space = name if itself else request.namespace
    return Asked(
        "DELETE" if new is None else "UPDATE" if old is not None else "CREATE",
        resource.group,
        resource.version,
        resource.kind,
        resource.plural,
        request.subresource,
        resource.namespaced,
        space,
        name,
        request.user,
        new,
        old,
        dry_run,
    )


def _read(resource: Resource, changed: Manifest) -> Manifest:
    """Return what policies made as an object of its kind.

    Raises:
        StatusError: It is none.
    """
    try:
        body = typed(resource, changed)
    except status_errors.StatusError as error:
        raise _broken(str(error).partition(": ")[2] or str(error)) from None
    if body.unknown and not resource.custom:
        raise _broken(f'strict decoding error: unknown field "{body.unknown[0]}"')
    return resource.schema.default(body.manifest)


def _broken(why: str) -> status_errors.StatusError:
    details = {"causes": [{"message": why}]}
    return status_errors.StatusError(500, "InternalError", f"Internal error occurred: {why}", details)
