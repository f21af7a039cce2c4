"""A cluster as far as a function can ask about it: the objects it requires, the kinds it probes."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import ENVIRONMENT_CONFIG, GRANTS, Kind, Manifest, at
from groundplane.crossplane.errors import ReconcileError
from groundplane.crossplane.structs import struct

COMPANION = "companion"
_EVERY_KIND = ENVIRONMENT_CONFIG.manifest(GRANTS, data={"version": "1", "kinds": ["*"]})

# What an OpenAPI document says about every kind; a function asks whether there is one at all.
_ANY_KIND = {
    "type": "object",
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    },
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Objects, and the groups and kinds that are not installed. No two objects are the same one."""

    objects: tuple[Manifest, ...]
    absent: frozenset[str]

    @classmethod
    def of(cls, objects: Iterable[Manifest], absent: Iterable[str] = ()) -> Cluster:
        """Return a cluster with *objects*, of which the first wins, and without what is *absent*.

        Args:
            objects: As an API server holds them.
            absent: ``GROUP``, ``KIND.GROUP``, or ``companion``: without that last word the grants
                of the companion set are taken as given, for every kind.
        """
        gone = frozenset(absent)
        # Backwards, so that of two the first one given stays.
        known = {_identity(found): found for found in [*objects, _EVERY_KIND][::-1]}
        if COMPANION in gone:
            known.pop(_identity(_EVERY_KIND), None)
        return cls(tuple(known[key] for key in sorted(known)), gone)

    def installed(self, api_version: str, kind: str) -> bool:
        """Whether objects of this kind can exist here."""
        group = Kind(api_version, kind, "").group
        return group not in self.absent and f"{kind}.{group}" not in self.absent

    def named(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object of that identity; one without a namespace counts as cluster-scoped."""
        for found in self.of_kind(api_version, kind):
            if found["metadata"]["name"] == name and _within(found, namespace):
                return found
        return None

    def of_kind(self, api_version: str, kind: str) -> list[Manifest]:
        """Return the objects of a kind, sorted by namespace and name."""
        return [o for o in self.objects if (o["apiVersion"], o["kind"]) == (api_version, kind)]

    def fetch(self, selector: fnv1.ResourceSelector) -> fnv1.Resources:
        """Return what *selector* selects; empty when an object of that name does not exist.

        Raises:
            ReconcileError: When the kind is not installed: Crossplane fails the whole claim then.
        """
        if not self.installed(selector.api_version, selector.kind):
            raise ReconcileError(
                f"the function requires {selector.kind} of {selector.api_version}, which is not installed: the whole"
                " claim would fail. It must probe for the schema first"
            )
        if selector.WhichOneof("match") == "match_name":
            key = (selector.api_version, selector.kind, selector.namespace, selector.match_name)
            one = self.named(*key)
            found = [one] if one else []
        else:
            found = [
                o
                for o in self.of_kind(selector.api_version, selector.kind)
                if (not selector.namespace or _within(o, selector.namespace))
                and _has_labels(o, dict(selector.match_labels.labels))
            ]
        return fnv1.Resources(items=[fnv1.Resource(resource=struct(o)) for o in found])

    def schema(self, selector: fnv1.SchemaSelector) -> fnv1.Schema:
        """Return a schema for an installed kind, an empty message for another."""
        if not self.installed(selector.api_version, selector.kind):
            return fnv1.Schema()
        return fnv1.Schema(openapi_v3=struct(_ANY_KIND))

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """Return the decoded data of a Secret; empty when there is none, as Crossplane has it."""
        found = self.named("v1", "Secret", namespace, name)
        data = (found or {}).get("data") or {}
        return {key: base64.b64decode(value) for key, value in data.items()}


def environments(objects: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return the environments among *objects* by name; the grants are no environment."""
    return {
        o["metadata"]["name"]: o
        for o in objects
        if (o["apiVersion"], o["kind"]) == (ENVIRONMENT_CONFIG.api_version, ENVIRONMENT_CONFIG.kind)
        and o["metadata"]["name"] != GRANTS
    }


def _identity(found: Manifest) -> tuple[str, str, str, str]:
    namespace = at(found, "metadata", "namespace") or ""
    return found["apiVersion"], found["kind"], namespace, found["metadata"]["name"]


def _within(found: Manifest, namespace: str) -> bool:
    # A file often leaves the namespace out, and a cluster-scoped object has none.
    return (at(found, "metadata", "namespace") or "") in ("", namespace)


def _has_labels(found: Manifest, wanted: dict[str, str]) -> bool:
    labels = at(found, "metadata", "labels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())
