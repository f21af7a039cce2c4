"""Objects and lists in the shape a client asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.http.negotiation import Form
from groundplane.local.apiserver.http.tables import table
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.paging import Page

SHAPES = ("Table", "PartialObjectMetadata")


@dataclass(frozen=True, slots=True)
class Answer:
    """How to show objects of *resource*: in *form*, at the time *now*, and with each row *include*."""

    resource: Resource
    form: Form
    now: datetime
    include: str = "Metadata"

    def one(self, manifest: Manifest) -> Manifest:
        """Return one object."""
        if self.form.shape == "Table":
            metadata = {"resourceVersion": manifest["metadata"].get("resourceVersion", "")}
            return table(self.resource, [manifest], metadata, self.now, self.include)
        return _partial(manifest) if self.form.shape else manifest

    def event(self, manifest: Manifest, *, first: bool, bookmark: bool) -> Manifest:
        """Return the object of a watch's event; only the *first* table has titles."""
        if self.form.shape != "Table":
            return self.one(manifest)
        shown = table(self.resource, [manifest], {}, self.now, self.include)
        shown["metadata"] = {"resourceVersion": manifest["metadata"].get("resourceVersion", "")}
        if bookmark:
            shown["rows"] = [{"cells": [], "object": _partial(manifest)}]
        return shown if first else {**shown, "columnDefinitions": None}

    def many(self, page: Page) -> Manifest:
        """Return a list."""
        metadata: Manifest = {"resourceVersion": str(page.version)}
        if page.token:
            metadata["continue"] = page.token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
        if self.form.shape == "Table":
            return table(self.resource, page.items, metadata, self.now, self.include)
        if self.form.shape:
            return _list("meta.k8s.io/v1", "PartialObjectMetadataList", metadata, [_partial(one) for one in page.items])
        return _list(self.resource.api_version, self.resource.list_kind, metadata, page.items)


def _list(api_version: str, kind: str, metadata: Manifest, items: Sequence[Manifest]) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "items": [*items]}


def _partial(manifest: Manifest) -> Manifest:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": manifest["metadata"]}
