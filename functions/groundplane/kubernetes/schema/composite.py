"""The CRD that Crossplane 2.4 makes out of an XRD, as far as validation can tell."""

from __future__ import annotations

import copy

from groundplane.core.manifest import JSON, Manifest

_LONGEST_NAME = 63  # a composite resource's name becomes a label value
_TEXT: Manifest = {"type": "string"}
_COPIED_ROOT = ("description", "x-kubernetes-validations")
_COPIED_SPEC = (
    "description",
    "oneOf",
    "required",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
)
_COPIED_STATUS = ("description", "oneOf", "required", "x-kubernetes-validations")


def composite_schema(written: Manifest, xrd_spec: Manifest, api: str) -> Manifest:
    """Return the schema that a cluster enforces for a version whose author wrote *written*.

    Crossplane copies a few keywords and drops the rest without a word, adds its own fields, and
    limits the name. *api* is the version of the XRD's own API, ``v1`` or ``v2``.
    """
    scope = scope_of(xrd_spec, api)
    fields = written.get("properties", {})
    spec, status = fields.get("spec", {}), fields.get("status", {})
    return {
        **_copied(written, _COPIED_ROOT),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": _metadata(fields.get("metadata", {})),
            "spec": _section(spec, _COPIED_SPEC, _machinery(scope, xrd_spec)),
            "status": _section(status, _COPIED_STATUS, _state(scope)),
        },
    }


def scope_of(xrd_spec: Manifest, api: str) -> str:
    """Return the scope of the composite resources: Namespaced, Cluster or LegacyCluster."""
    default = "Namespaced" if api == "v2" else "LegacyCluster"
    return str(xrd_spec.get("scope", default))


def _copied(schema: Manifest, keywords: tuple[str, ...]) -> Manifest:
    return {word: copy.deepcopy(schema[word]) for word in keywords if word in schema}


def _section(schema: Manifest, keywords: tuple[str, ...], injected: Manifest) -> Manifest:
    declared = copy.deepcopy(schema.get("properties", {}))
    return {"type": "object", **_copied(schema, keywords), "properties": {**declared, **injected}}


def _metadata(schema: Manifest) -> Manifest:
    asked = schema.get("properties", {}).get("name", {}).get("maxLength", _LONGEST_NAME)
    name = {"type": "string", "maxLength": min(asked, _LONGEST_NAME)}
    return {"type": "object", "properties": {"name": name}}


def _record(required: tuple[str, ...], **fields: JSON) -> Manifest:
    return {"type": "object", "required": list(required), "properties": fields}


def _machinery(scope: str, xrd_spec: Manifest) -> Manifest:
    policy = xrd_spec.get("defaultCompositionUpdatePolicy", "Automatic")
    reference = _record(("name",), name=_TEXT)
    labels = {"type": "object", "additionalProperties": _TEXT}
    selector = _record(("matchLabels",), matchLabels=labels)
    fields = {
        "compositionRef": reference,
        "compositionSelector": selector,
        "compositionRevisionRef": reference,
        "compositionRevisionSelector": selector,
        "compositionUpdatePolicy": {
            "type": "string",
            "enum": ["Automatic", "Manual"],
            "default": policy,
        },
        "resourceRefs": _resource_refs(scope),
    }
    if scope != "LegacyCluster":
        return {"crossplane": {"type": "object", "properties": fields}}
    claim = ("apiVersion", "kind", "namespace", "name")
    return {
        **fields,
        "claimRef": _record(claim, **dict.fromkeys(claim, _TEXT)),
        "writeConnectionSecretToRef": _record(("name", "namespace"), name=_TEXT, namespace=_TEXT),
    }


def _resource_refs(scope: str) -> Manifest:
    names = ["apiVersion", "kind", "name"]
    if scope != "Namespaced":
        names.append("namespace")
    entry = _record(("apiVersion", "kind"), **dict.fromkeys(names, _TEXT))
    return {"type": "array", "items": entry, "x-kubernetes-list-type": "atomic"}


def _state(scope: str) -> Manifest:
    time = {"type": "string", "format": "date-time"}
    condition = _record(
        ("lastTransitionTime", "reason", "status", "type"),
        lastTransitionTime=time,
        message=_TEXT,
        reason=_TEXT,
        status=_TEXT,
        type=_TEXT,
        observedGeneration={"type": "integer", "format": "int64"},
    )
    conditions = {
        "type": "array",
        "items": condition,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }
    if scope != "LegacyCluster":
        return {"conditions": conditions}
    return {
        "conditions": conditions,
        "connectionDetails": _record((), lastPublishedTime=time),
        "claimConditionTypes": {
            "type": "array",
            "items": _TEXT,
            "x-kubernetes-list-type": "set",
        },
    }
