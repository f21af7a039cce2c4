"""The API without HTTP: what the network and the reconciler of the same process both call.

Every method reads, decides and writes without giving the event loop a chance, so each is atomic. What it returns
belongs to the caller.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.authentication import User
from groundplane.local.apiserver.kinds import definitions
from groundplane.local.apiserver.kinds.builtin import CRD_NAME, XRD_NAME
from groundplane.local.apiserver.kinds.catalogue import Catalogue
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry import deletion, field_manager, namespaces, paging, strategies, writes
from groundplane.local.apiserver.registry.admission import Reviewing
from groundplane.local.apiserver.registry.decoding import Body, typed
from groundplane.local.apiserver.registry.noop_applies import Settled
from groundplane.local.apiserver.registry.paging import Page
from groundplane.local.apiserver.registry.request import Outcome, Request
from groundplane.local.apiserver.storage.records import Change, Key
from groundplane.local.apiserver.storage.selectors import Selector
from groundplane.local.apiserver.storage.store import Store
from groundplane.local.apiserver.storage.surroundings import Surroundings

SERVER = "kube-apiserver"  # the manager of what the server itself writes
CROSSPLANE = "crossplane"
#: Kinds of which a PUT makes an object where there is none.
_MADE_BY_PUT = ("events", "leases.coordination.k8s.io")


class Api:
    """The objects of one plane, and the rules they follow."""

    def __init__(self, store: Store, surroundings: Surroundings) -> None:
        """Serve what is in *store*."""
        self.store = store
        self.now = surroundings.now
        self._surroundings = surroundings
        self._catalogue: Catalogue | None = None
        self._settled = Settled()
        self.ended = False
        self._at_end: list[Callable[[], None]] = []
        self._policies = Reviewing(store, lambda: self.catalogue)
        for name in strategies.FIRST_NAMESPACES:
            if store.get(Key("namespaces", "", name)) is None:
                self.create(self.request("v1", "Namespace"), {"metadata": {"name": name}})

    @property
    def catalogue(self) -> Catalogue:
        """All kinds that are served now."""
        if self._catalogue is None:
            self._catalogue = Catalogue(self.store.objects(CRD_NAME))
            self._settled.forget()
        return self._catalogue

    def subscribe(self, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Call *listener* with each change, once it is on the disk; return what ends that."""
        return self.store.listen(listener)

    def at_end(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call *listener* when the plane ends; return what ends that."""
        self._at_end.append(listener)
        return lambda: self._at_end.remove(listener)

    def end(self) -> None:
        """Let everybody who waits for a change go."""
        self.ended = True
        for listener in [*self._at_end]:
            listener()

    def request(  # noqa: PLR0913  # what a write says of itself
        self,
        api_version: str,
        kind: str,
        namespace: str = "",
        name: str = "",
        *,
        manager: str = SERVER,
        subresource: str = "",
        force: bool = False,
        user: User | None = None,
    ) -> Request:
        """Return a request of this very process.

        Raises:
            StatusError: The kind is not served.
        """
        resource = self.catalogue.of_kind(api_version, kind)
        if resource is None:
            raise status_errors.no_such_resource()
        space = namespace if resource.namespaced else ""
        return Request(resource, space, name, manager, self.now(), subresource=subresource, force=force, user=user)

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest:
        """Return the object.

        Raises:
            StatusError: There is none.
        """
        return resource.presented(self._stored(resource, resource.key(namespace, name)))

    def _stored(self, resource: Resource, key: Key) -> Manifest:
        stored = self.store.get(key)
        if stored is None:
            raise status_errors.not_found(resource.group, resource.plural, key.name)
        return stored

    def page(
        self,
        resource: Resource,
        namespace: str = "",
        selector: Selector | None = None,
        *,
        limit: int = 0,
        token: str = "",
    ) -> Page:
        """Return objects in order, as `paging.page` does.

        Raises:
            StatusError: The token cannot be read.
        """
        return paging.page(self.store, resource, namespace, selector or Selector(), limit=limit, token=token)

    def create(self, request: Request, sent: Manifest | Body, *, dry_run: bool = False) -> Outcome:
        """Make an object.

        Raises:
            StatusError: It is refused, or there already.
        """
        resource = request.resource
        body = sent if isinstance(sent, Body) else typed(resource, _complete(resource, sent))
        namespaces.check(self.store, request, body.manifest)
        mutate = self._policies.mutate(request, dry_run=dry_run)
        outcome = writes.create(request, body, self._surroundings.uid(), self._surroundings.suffix(), mutate)
        return self._made(request, outcome, dry_run=dry_run)

    def _made(self, request: Request, outcome: Outcome, *, dry_run: bool) -> Outcome:
        resource = request.resource
        made = strategies.finished(resource, outcome.manifest)
        key = resource.key_of(made)
        warned = self._policies.review(dataclasses.replace(request, name=key.name), made, None, dry_run=dry_run)
        if self.store.get(key) is not None:
            raise status_errors.already_exists(resource.group, resource.plural, key.name)
        manifest = self._written(resource, key, made, dry_run=dry_run)
        return dataclasses.replace(outcome, manifest=manifest, warnings=(*outcome.warnings, *warned))

    def replace(self, request: Request, body: Body, *, dry_run: bool = False) -> Outcome:
        """Replace an object, or its status.

        Raises:
            StatusError: It is refused, or not there.
        """
        missing = self.store.get(request.resource.key(request.namespace, request.name)) is None
        if missing and request.resource.name in _MADE_BY_PUT:
            return self.create(request, body, dry_run=dry_run)
        return self._changed(request, functools.partial(writes.replace, body=body), dry_run=dry_run)

    def patch(self, request: Request, change: Callable[[Manifest], JSON], *, dry_run: bool = False) -> Outcome:
        """Change an object, or its status: *change* is given it and returns what it shall be.

        Raises:
            StatusError: It is refused, or not there.
        """
        return self._changed(request, functools.partial(writes.patch, change=change), dry_run=dry_run)

    def apply(self, request: Request, config: Manifest, *, dry_run: bool = False) -> tuple[Outcome, bool]:
        """Apply *config* for the request's manager; the second value is whether the object was made.

        Raises:
            StatusError: It is refused, or another manager owns what it changes.
        """
        resource = request.resource
        if self.store.get(resource.key(request.namespace, request.name)) is not None:
            return self._changed(request, functools.partial(self._settled.apply, config=config), dry_run=dry_run), False
        if request.subresource:
            raise status_errors.not_found(resource.group, resource.plural, request.name)
        namespaces.check(self.store, request, config)
        mutate = self._policies.mutate(request, dry_run=dry_run)
        outcome = writes.apply_new(request, config, self._surroundings.uid(), mutate)
        return self._made(request, outcome, dry_run=dry_run), True

    def update_status(self, request: Request, status: Manifest) -> Manifest:
        """Apply *status* with force as the whole status of its manager, and return the object.

        Raises:
            StatusError: It is refused, or the object is not there.
        """
        resource = request.resource
        config = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": request.name}}
        as_status = dataclasses.replace(request, subresource="status", force=True)
        return self.apply(as_status, {**config, "status": status})[0].manifest

    def _changed(self, request: Request, change: Callable[..., Outcome], *, dry_run: bool) -> Outcome:
        resource = request.resource
        key = resource.key(request.namespace, request.name)
        stored = self._stored(resource, key)
        outcome = change(request, stored, mutate=self._policies.mutate(request, dry_run=dry_run))
        manifest = resource.presented(outcome.manifest)
        warned = self._policies.review(request, manifest, resource.presented(stored), dry_run=dry_run)
        if outcome.changed and deletion.finished(outcome.manifest):
            if not dry_run:
                self._removed(resource, key, outcome.manifest)
        elif outcome.changed:
            manifest = self._written(resource, key, outcome.manifest, dry_run=dry_run)
        return dataclasses.replace(outcome, manifest=manifest, warnings=(*outcome.warnings, *warned))

    def delete(  # noqa: PLR0913  # which object, how, for whom
        self,
        resource: Resource,
        namespace: str,
        name: str,
        options: deletion.Options,
        user: User | None = None,
        *,
        one_of_all: bool = False,
    ) -> Manifest | None:
        """Begin to delete an object for *user*, and return it as it waits; None when it is gone already.

        Policies do not learn the name of *one_of_all*, of an object that goes with its whole collection.

        Raises:
            StatusError: It is not there, another than meant, or cannot be deleted.
        """
        key = resource.key(namespace, name)
        stored = self._stored(resource, key)
        waiting = deletion.delete(resource, stored, options, self.now())
        request = Request(resource, namespace, "" if one_of_all else name, "", self.now(), user=user)
        self._policies.review(request, None, resource.presented(stored), dry_run=options.dry_run)
        if waiting is None:
            if not options.dry_run:
                self._removed(resource, key, stored)
            return None
        if options.dry_run or writes.same(stored, waiting):
            return resource.presented(waiting)
        return self._written(resource, key, waiting)

    def release(self, resource: Resource, key: Key, waiting: Manifest, user: User | None = None) -> None:
        """Write *waiting* for *user*, or remove it when it is being deleted and nothing keeps it any more.

        Raises:
            StatusError: A policy refuses it.
        """
        request = Request(resource, key.namespace, key.name, "", self.now(), user=user)
        self._policies.review(request, waiting, self._stored(resource, key))
        if deletion.finished(waiting):
            self._removed(resource, key, waiting)
        else:
            self._written(resource, key, waiting)

    def _removed(self, resource: Resource, key: Key, last: Manifest) -> None:
        if resource.name == CRD_NAME:
            self._catalogue = None
        self.store.remove(key, resource.kept(last))

    def _written(self, resource: Resource, key: Key, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        if dry_run:
            return resource.presented(manifest)
        with self.store.together():
            stored = self.store.put(key, self.catalogue.as_stored(resource, manifest))
            if resource.name == CRD_NAME:
                self._catalogue = None
                stored = self._follow(key, stored, definitions.established(stored, self.now()), SERVER)
            elif resource.name == XRD_NAME:
                stored = self._serve(key, stored)
        return resource.presented(stored)

    def _follow(self, key: Key, stored: Manifest, status: Manifest, manager: str) -> Manifest:
        wanted = {**stored, "status": {**(stored.get("status") or {}), **status}}
        return self._noted(key, stored, wanted, manager, "status")

    def _noted(self, key: Key, stored: Manifest, wanted: Manifest, manager: str, subresource: str = "") -> Manifest:
        """Store *wanted* in place of *stored*; what changed belongs to *manager*."""
        resource = self.catalogue.named(key.resource)
        if resource is None or wanted == stored:
            return stored
        request = Request(resource, key.namespace, key.name, manager, self.now(), subresource=subresource)
        return self.store.put(key, field_manager.updated(request, stored, wanted))

    def _serve(self, key: Key, definition: Manifest) -> Manifest:
        """Make the kind of a CompositeResourceDefinition, unless it goes, and say so in its status."""
        if at(definition, "metadata", "deletionTimestamp"):
            return self._follow(key, definition, definitions.composite_terminating(definition, self.now()), CROSSPLANE)
        finalizers = definition["metadata"].get("finalizers") or []
        if definitions.COMPOSITE_FINALIZER not in finalizers:
            metadata = {**definition["metadata"], "finalizers": [*finalizers, definitions.COMPOSITE_FINALIZER]}
            definition = self._noted(key, definition, {**definition, "metadata": metadata}, CROSSPLANE)
        made = definitions.composite_definition(definition)
        request = self.request(made["apiVersion"], made["kind"], "", key.name, manager=CROSSPLANE, force=True)
        self.apply(request, made)
        return self._follow(key, definition, definitions.composite_established(definition, self.now()), CROSSPLANE)


def _complete(resource: Resource, manifest: Manifest) -> Manifest:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}
