"""Definitions of kinds: what the server makes of a CustomResourceDefinition, and of Crossplane's."""

from __future__ import annotations

import json
from collections.abc import Iterator

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.schema import DefinitionError, KindSchema, Registry, check_rules, check_schema
from groundplane.kubernetes.schema.composite import composite_schema, scope_of
from groundplane.kubernetes.status_errors import Cause

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
COMPOSITE_FINALIZER = "defined.apiextensions.crossplane.io"
_VERSIONS = "spec.versions"
_NAMESPACED = ("Namespaced", "Cluster")
_COMPOSITE_COLUMNS: tuple[Manifest, ...] = (
    {"name": "SYNCED", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Synced')].status"},
    {"name": "READY", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"},
    {"name": "COMPOSITION", "type": "string", "jsonPath": ".spec.crossplane.compositionRef.name"},
    {
        "name": "COMPOSITIONREVISION",
        "type": "string",
        "jsonPath": ".spec.crossplane.compositionRevisionRef.name",
        "priority": 1,
    },
    {"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)


def completed(definition: Manifest) -> Manifest:
    """Return the CustomResourceDefinition *definition* with what may be left out of it."""
    spec = definition.get("spec")
    names = at(definition, "spec", "names")
    if not isinstance(spec, dict) or not isinstance(names, dict) or not isinstance(names.get("kind"), str):
        return definition
    kind = names["kind"]
    filled = {"listKind": f"{kind}List", "singular": kind.lower()} | {
        key: value for key, value in names.items() if value
    }
    return {**definition, "spec": {"conversion": {"strategy": "None"}, **spec, "names": filled}}


def established(definition: Manifest, now: str) -> Manifest:
    """Return the status of *definition* when its kinds are served; what it says already keeps its time."""
    before = {one["type"]: one for one in at(definition, "status", "conditions") or []}
    names = {
        "NamesAccepted": _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        "Established": _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
    }
    storage = [version["name"] for version in definition["spec"]["versions"] if version.get("storage")]
    stored = at(definition, "status", "storedVersions") or []
    return {
        "acceptedNames": definition["spec"]["names"],
        "conditions": [*{**names, **before}.values()],
        "storedVersions": [*stored, *(one for one in storage if one not in stored)],
    }


def terminating(definition: Manifest, now: str) -> Manifest:
    """Return *definition*, whose deletion begins, with the finalizer and the condition that say so."""
    metadata = definition["metadata"]
    finalizers = [*(metadata.get("finalizers") or [])]
    if CLEANUP_FINALIZER not in finalizers:
        finalizers.append(CLEANUP_FINALIZER)
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will be initiated soon"
    condition = _condition("Terminating", "InstanceDeletionPending", message, now)
    others = [one for one in at(definition, "status", "conditions") or [] if one["type"] != "Terminating"]
    status = {**(definition.get("status") or {}), "conditions": [*others, condition]}
    return {**definition, "metadata": {**metadata, "finalizers": finalizers}, "status": status}


def composite_established(definition: Manifest, now: str) -> Manifest:
    """Return the status of the CompositeResourceDefinition *definition* when its kind is served."""
    before = {one["type"]: one for one in at(definition, "status", "conditions") or []}
    condition = _composite_condition(definition, "WatchingCompositeResource", "True", now)
    version = next(one["name"] for one in definition["spec"]["versions"] if one.get("referenceable", True))
    spec = definition["spec"]
    served = {"apiVersion": f"{spec['group']}/{version}", "kind": spec["names"]["kind"]}
    controllers = {"compositeResourceClaimType": {"apiVersion": "", "kind": ""}, "compositeResourceType": served}
    return {"conditions": [*{**before, "Established": condition}.values()], "controllers": controllers}


def composite_terminating(definition: Manifest, now: str) -> Manifest:
    """Return the status of the CompositeResourceDefinition *definition* while its composites are waited for."""
    others = [one for one in at(definition, "status", "conditions") or [] if one["type"] != "Established"]
    return {"conditions": [*others, _composite_condition(definition, "TerminatingCompositeResource", "False", now)]}


def _composite_condition(definition: Manifest, reason: str, status: str, now: str) -> Manifest:
    found = {"type": "Established", "status": status, "reason": reason}
    before = (one for one in at(definition, "status", "conditions") or [] if found.items() <= one.items())
    since = next((one["lastTransitionTime"] for one in before), now)
    generation = at(definition, "metadata", "generation")
    return {**found, "lastTransitionTime": since} | ({"observedGeneration": generation} if generation else {})


def _condition(kind: str, reason: str, message: str, now: str) -> Manifest:
    return {"lastTransitionTime": now, "message": message, "reason": reason, "status": "True", "type": kind}


def composite_definition(definition: Manifest) -> Manifest:
    """Return the CustomResourceDefinition that Crossplane makes of its own *definition*."""
    spec, metadata = definition["spec"], definition["metadata"]
    api = definition["apiVersion"].rpartition("/")[2]
    names = {**spec["names"], "categories": [*(spec["names"].get("categories") or ()), "composite"]}
    owner = {
        "apiVersion": "apiextensions.crossplane.io/v1",
        "kind": definition["kind"],
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels = {**(metadata.get("labels") or {}), **(at(spec, "metadata", "labels") or {})}
    made: Manifest = {"name": metadata["name"], "ownerReferences": [owner]}
    if labels:
        made["labels"] = labels
    return completed(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": made,
            "spec": {
                "group": spec["group"],
                "names": names,
                "scope": "Namespaced" if scope_of(spec, api) == "Namespaced" else "Cluster",
                "versions": [_composite_version(version, spec, api) for version in spec["versions"]],
            },
        }
    )


def _composite_version(version: Manifest, spec: Manifest, api: str) -> Manifest:
    written = at(version, "schema", "openAPIV3Schema") or {}
    return {
        "name": version["name"],
        "served": version.get("served", True),
        "storage": version.get("referenceable", True),
        "additionalPrinterColumns": [*(version.get("additionalPrinterColumns") or ()), *_COMPOSITE_COLUMNS],
        "schema": {"openAPIV3Schema": composite_schema(written, spec, api)},
        "subresources": {"status": {}},
    }


def composite_causes(definition: Manifest) -> list[Cause]:
    """Return why the CompositeResourceDefinition *definition* makes no kind that can be served."""
    found = [*_shape(definition, None, scopes=("Namespaced", "Cluster", "LegacyCluster"), storage="referenceable")]
    return found or [*_schemas(composite_definition(definition))]


def causes(definition: Manifest, old: Manifest | None) -> list[Cause]:
    """Return why the CustomResourceDefinition *definition*, new or instead of *old*, cannot be served."""
    found = [*_shape(definition, old, scopes=_NAMESPACED, storage="storage")]
    return found or [*_unserved(definition), *_schemas(definition)]


def _shape(definition: Manifest, old: Manifest | None, *, scopes: tuple[str, ...], storage: str) -> Iterator[Cause]:
    for path in (("group",), ("names", "plural"), ("names", "kind")):
        if not isinstance(at(definition, "spec", *path), str) or not at(definition, "spec", *path):
            yield Cause("FieldValueRequired", "Required value", f"spec.{'.'.join(path)}")
    group, plural = at(definition, "spec", "group"), at(definition, "spec", "names", "plural")
    name = at(definition, "metadata", "name")
    if group and plural and name != f"{plural}.{group}":
        yield _invalid(name, 'must be spec.names.plural+"."+spec.group', "metadata.name")
    scope = at(definition, "spec", "scope")
    if scope not in scopes:
        options = ", ".join(json.dumps(one) for one in sorted(scopes))
        message = f"Unsupported value: {json.dumps(scope or '')}: supported values: {options}"
        yield Cause("FieldValueNotSupported", message, "spec.scope")
    versions = at(definition, "spec", "versions")
    if not isinstance(versions, list) or not all(isinstance(one, dict) and one.get("name") for one in versions):
        yield Cause("FieldValueRequired", "Required value", _VERSIONS)
    elif sum(bool(one.get(storage)) for one in versions) != 1:
        yield _invalid([one["name"] for one in versions], f"must have exactly one version marked as {storage} version",
                       _VERSIONS)  # fmt: skip
    for path in (("group",), ("scope",), ("names", "kind"), ("names", "plural")):
        before = at(old, "spec", *path)
        if before is not None and at(definition, "spec", *path) != before:
            yield _invalid(at(definition, "spec", *path), "field is immutable", f"spec.{'.'.join(path)}")


def _unserved(definition: Manifest) -> Iterator[Cause]:
    if at(definition, "spec", "conversion", "strategy") == "Webhook":
        yield _invalid("Webhook", "this plane calls no webhooks", "spec.conversion.strategy")
    served = [one for one in definition["spec"]["versions"] if one.get("served")]
    if any(at(one, "schema") != at(served[0], "schema") for one in served[1:]):
        why = "this plane converts nothing: versions that are served together must have the same schema"
        yield _invalid([one["name"] for one in served], why, _VERSIONS)


def _schemas(definition: Manifest) -> Iterator[Cause]:
    try:
        kinds = [*Registry.of([definition])]
    except DefinitionError as error:
        yield _invalid("", str(error), _VERSIONS)
        return
    for index, kind in enumerate(kinds):
        for fault in dict.fromkeys(_faults(kind)):
            yield _invalid("", fault, f"{_VERSIONS}[{index}].schema.openAPIV3Schema")


def _faults(kind: KindSchema) -> Iterator[str]:
    # The root is marked as an embedded resource to validate it; that is no word of the author's.
    yield from check_schema(kind)
    yield from check_rules(kind)


def _invalid(value: JSON, why: str, field: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {json.dumps(value)}: {why}", field)
