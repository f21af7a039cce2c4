"""Writes held against the admission policies that the plane itself keeps."""

from __future__ import annotations

from collections.abc import Callable

from groundplane.core.manifest import Manifest, at
from groundplane.local.admission.asked import Asked
from groundplane.local.admission.review import Admission, Source
from groundplane.local.admission.users import User
from groundplane.local.plane import verbs
from groundplane.local.plane.catalogue import Catalogue
from groundplane.local.plane.records import Key
from groundplane.local.plane.requests import Request
from groundplane.local.plane.store import Store


class Reviewer:
    """Asks the policies about each write of a user; what the server itself writes they are not asked about."""

    def __init__(self, store: Store, catalogue: Callable[[], Catalogue]) -> None:
        """Find policies and their parameters in *store*."""
        self._store = store
        self._catalogue = catalogue
        self._admission = Admission(Source(store.objects, self._of_kind, self._namespace))
        store.listen(lambda change: self._admission.changed(change.key.resource))

    def mutation(self, request: Request) -> verbs.Mutate:
        """Return what mutating policies do to what *request* writes."""
        user = request.user
        if user is None:
            return verbs.unchanged

        def mutate(old: Manifest | None, new: Manifest) -> Manifest:
            return self._admission.mutated(_asked(request, user, "UPDATE" if old else "CREATE", new, old)) or new

        return mutate

    def check(self, request: Request, operation: str, new: Manifest | None, old: Manifest | None) -> None:
        """Return if no policy refuses to make *new* of *old*.

        Raises:
            StatusError: one does.
        """
        if request.user is not None:
            self._admission.check(_asked(request, request.user, operation, new, old))

    def _of_kind(self, api_version: str, kind: str) -> list[Manifest]:
        resource = self._catalogue().of_kind(api_version, kind)
        return [] if resource is None else [*map(resource.presented, self._store.objects(resource.name))]

    def _namespace(self, name: str) -> Manifest | None:
        return self._store.get(Key("namespaces", "", name))


def _asked(request: Request, user: User, operation: str, new: Manifest | None, old: Manifest | None) -> Asked:
    resource = request.resource
    name = at(new or old, "metadata", "name") or request.name
    kind = (resource.group, resource.version, resource.kind, resource.plural, request.subresource)
    return Asked(operation, *kind, resource.namespaced, request.namespace, str(name), user, new, old)
