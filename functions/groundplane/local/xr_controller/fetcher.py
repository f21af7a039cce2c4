"""What a function may ask about the plane: objects by name or label, and the schemas of kinds."""

from __future__ import annotations

import base64

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest
from groundplane.crossplane.errors import ReconcileError
from groundplane.crossplane.structs import struct
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.selectors import Requirement, Selector
from groundplane.local.xr_controller.watches import asked_namespace


class PlaneLookup:
    """Answers for functions out of what the plane holds at the moment of the question."""

    def __init__(self, api: Api) -> None:
        """Look into *api*."""
        self._api = api

    def installed(self, api_version: str, kind: str) -> bool:
        """Whether the plane serves objects of this kind."""
        return self._api.catalogue.of_kind(api_version, kind) is not None

    def fetch(self, selector: fnv1.ResourceSelector) -> fnv1.Resources:
        """Return what *selector* selects; empty when an object of that name does not exist.

        Raises:
            ReconcileError: The kind is not served.
        """
        named = selector.WhichOneof("match") == "match_name"
        try:
            resource = self.resource(selector.api_version, selector.kind)
        except ReconcileError as error:
            doing = "cannot get required resource by name" if named else "cannot list required resources"
            raise ReconcileError(f"{doing}: {error}") from None
        namespace = asked_namespace(resource, selector)
        if named:
            found = self._named(resource, namespace, selector.match_name)
        else:
            wanted = Selector(tuple(Requirement(k, "=", (v,)) for k, v in selector.match_labels.labels.items()))
            found = self._api.page(resource, namespace, wanted).items
        return fnv1.Resources(items=[fnv1.Resource(resource=struct(plain(one))) for one in found])

    def resource(self, api_version: str, kind: str) -> Resource:
        """Return the resource of a kind.

        Raises:
            ReconcileError: The kind is not served.
        """
        found = self._api.catalogue.of_kind(api_version, kind)
        if found is None:
            raise ReconcileError(f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    def schema(self, selector: fnv1.SchemaSelector) -> fnv1.Schema:
        """Return the schema of a kind; an empty message for one that is not served."""
        found = self._api.catalogue.of_kind(selector.api_version, selector.kind)
        return fnv1.Schema() if found is None else fnv1.Schema(openapi_v3=struct(found.schema.root.raw))

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """Return the decoded data of a Secret; empty when there is none."""
        found = self._named(self.resource("v1", "Secret"), namespace, name)
        return {key: base64.b64decode(value) for one in found for key, value in (one.get("data") or {}).items()}

    def _named(self, resource: Resource, namespace: str, name: str) -> list[Manifest]:
        if resource.namespaced and not namespace:
            return []
        try:
            return [self._api.get(resource, namespace, name)]
        except StatusError:
            return []


def plain(found: Manifest) -> Manifest:
    """Return *found* without who owns its fields: no function reads that, and it is half of every object."""
    metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
    return {**found, "metadata": metadata}
