"""Everything that the reconciler reads and writes, under the names that Crossplane has for an API server."""

from __future__ import annotations

import hashlib
from typing import Final

from groundplane.core.manifest import JSON, Kind, Manifest, at
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.authentication import CROSSPLANE as CROSSPLANE_USER
from groundplane.local.apiserver.registry import deletion, events
from groundplane.local.apiserver.registry.api import CROSSPLANE, Api
from groundplane.local.apiserver.registry.request import Request

XR_MANAGER: Final = "apiextensions.crossplane.io/composite"  # owns references and status
COMPOSED_MANAGER: Final = "apiextensions.crossplane.io/composed"  # with a digest, owns what is composed
FINALIZER: Final = "composite.apiextensions.crossplane.io"
COMPOSITE_LABEL: Final = "crossplane.io/composite"
NOT_FOUND: Final = 404
INVALID: Final = 422
_COMPONENT: Final = "defined/compositeresourcedefinition.apiextensions.crossplane.io"  # who tells Crossplane's events


class Writer:
    """Writes of one controller for composites of any kind."""

    def __init__(self, api: Api) -> None:
        """Write to *api*."""
        self.api = api

    def find(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return an object, or None.

        Raises:
            StatusError: its kind is not served.
        """
        request = self.api.request(api_version, kind, namespace, name)
        try:
            return self.api.get(request.resource, request.namespace, name)
        except StatusError as error:
            if error.code != NOT_FOUND:
                raise
            return None

    def change(self, found: Manifest, wanted: Manifest) -> Manifest:
        """Write *wanted* instead of *found*, and return it as it is stored.

        Raises:
            StatusError: it is refused.
        """
        request = self._request(found, CROSSPLANE)
        kept = {key: value for key, value in wanted.items() if key not in {"apiVersion", "kind"}}

        def changed(live: Manifest) -> JSON:
            metadata = {**live["metadata"], **_settable(kept["metadata"])}
            for name in ("labels", "finalizers"):
                if name not in kept["metadata"]:
                    metadata.pop(name, None)
            return {**live, **kept, "metadata": metadata}

        return self.api.patch(request, changed).manifest

    def references(self, xr: Manifest, references: list[Manifest]) -> Manifest:
        """Write which objects *xr* is composed of, all of them at once.

        Raises:
            StatusError: it is refused.
        """
        if (at(xr, "spec", "crossplane", "resourceRefs") or []) == references:
            return xr
        request = self._request(xr, XR_MANAGER, force=True)
        config = {**_identity(xr), "spec": {"crossplane": {"resourceRefs": references}}}
        return self.api.apply(request, config)[0].manifest

    def status(self, xr: Manifest, status: Manifest) -> Manifest:
        """Write the whole status of *xr*; a field that is left out goes.

        Raises:
            StatusError: it is refused, as with a field that is not declared.
        """
        request = self._request(xr, XR_MANAGER, "status", force=True)
        wanted = _ordered(status.get("conditions") or [])
        stored = self.api.apply(request, {**_identity(xr), "status": {**status, "conditions": wanted}})[0].manifest
        # A failure wrote conditions as a whole; what only that write owns, such as a message, no apply takes off.
        if _by_type(at(stored, "status", "conditions") or []) != _by_type(wanted):
            self.conditions(stored, wanted)
        return stored

    def conditions(self, xr: Manifest, conditions: list[Manifest]) -> None:
        """Write the conditions of *xr* and leave the rest of its status; one that is gone is left alone."""
        conditions = _ordered(conditions)
        wanted = {**xr, "status": {**(xr.get("status") or {}), "conditions": conditions}}
        try:
            self.api.patch(
                self._request(xr, CROSSPLANE, "status"),
                lambda live: {**live, "status": {**(live.get("status") or {}), "conditions": conditions}},
            )
        except StatusError as error:
            if error.code != NOT_FOUND:
                raise
        xr["status"] = wanted["status"]

    def compose(self, xr: Manifest, composed: Manifest) -> None:
        """Apply an object that *xr* is composed of; whoever else owns a field of it loses that.

        Raises:
            StatusError: it is refused.
        """
        self.api.apply(self._request(composed, composed_manager(xr), force=True), composed)

    def collect(self, composed: Manifest) -> None:
        """Delete an object that is composed no longer, after all that it owns; one that is gone is left alone.

        Raises:
            StatusError: it is refused.
        """
        metadata = composed["metadata"]
        request = self._request(composed, CROSSPLANE)
        options = deletion.Options(policy="Foreground", uid=metadata["uid"])
        try:
            self.api.patch(request, _unlabelled)
            self.api.delete(request.resource, request.namespace, request.name, options, CROSSPLANE_USER)
        except StatusError as error:
            if error.code != NOT_FOUND:
                raise

    def tell(self, xr: Manifest, kind: str, reason: str, message: str) -> None:
        """Record an event about *xr*; where none can be, as in a namespace that goes, none is."""
        try:
            events.record(self.api, xr, _COMPONENT, kind, reason, message)
        except StatusError:
            return

    def _request(self, found: Manifest, manager: str, subresource: str = "", *, force: bool = False) -> Request:
        metadata = found["metadata"]
        namespace = metadata.get("namespace") or ""
        return self.api.request(
            found["apiVersion"],
            found["kind"],
            namespace,
            metadata["name"],
            manager=manager,
            subresource=subresource,
            force=force,
            user=CROSSPLANE_USER,
        )


def composed_manager(xr: Manifest) -> str:
    """Return who owns the fields of what *xr* is composed of: another for each name and kind of composite."""
    group = Kind(xr["apiVersion"], xr["kind"], "").group
    word = f"{xr['metadata']['name']}{xr['kind']}.{group}"
    return f"{COMPOSED_MANAGER}/{hashlib.sha256(word.encode()).hexdigest()}"


def _unlabelled(live: Manifest) -> Manifest:
    labels = {key: value for key, value in (live["metadata"].get("labels") or {}).items() if key != COMPOSITE_LABEL}
    return {**live, "metadata": {**live["metadata"], "labels": labels}}


def _ordered(conditions: list[Manifest]) -> list[Manifest]:
    """Return *conditions* in the order in which Crossplane comes to have them."""
    return sorted(conditions, key=lambda one: bool(one["type"] == "Responsive"))


def _by_type(conditions: list[Manifest]) -> Manifest:
    return {one["type"]: one for one in conditions}


def _identity(found: Manifest) -> Manifest:
    metadata = {key: found["metadata"][key] for key in ("name", "namespace") if key in found["metadata"]}
    return {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata}


def _settable(metadata: Manifest) -> Manifest:
    return {key: metadata[key] for key in ("labels", "annotations", "finalizers", "ownerReferences") if key in metadata}
