"""What ownership knows of the kinds that every API server has: they have no schema of their own in the plane."""

from __future__ import annotations

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.managedfields.schema import DEDUCED, IDENTITY, Shape

_CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_TEXT: Manifest = {"type": "string"}
_TEXTS: Manifest = {"type": "object", "additionalProperties": _TEXT}
_NUMBER: Manifest = {"type": "integer"}
_FLAG: Manifest = {"type": "boolean"}
_TIME: Manifest = {"type": "string", "format": "date-time"}
_LIST: Manifest = {"type": "array", "items": _TEXT}
_WHOLES: Manifest = {"type": "array", "items": {}}
_REFERENCE: Manifest = {
    "type": "object",
    "x-kubernetes-map-type": "atomic",
    "properties": dict.fromkeys(
        ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"), _TEXT
    ),
}


def _object(**properties: Manifest) -> Manifest:
    return {"type": "object", "properties": properties}


def _conditions(**more: Manifest) -> Manifest:
    condition = _object(lastTransitionTime=_TIME, message=_TEXT, reason=_TEXT, status=_TEXT, type=_TEXT, **more)
    return {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": condition,
    }


_NAMES = _object(categories=_LIST, kind=_TEXT, listKind=_TEXT, plural=_TEXT, shortNames=_LIST, singular=_TEXT)
_DEFINITION = {
    "spec": _object(
        conversion=_object(strategy=_TEXT, webhook={}),
        group=_TEXT,
        names=_NAMES,
        preserveUnknownFields=_FLAG,
        scope=_TEXT,
        versions=_WHOLES,
    ),
    "status": _object(
        acceptedNames=_NAMES,
        conditions=_conditions(observedGeneration=_NUMBER),
        observedGeneration=_NUMBER,
        storedVersions=_LIST,
    ),
}
_EVENT = {
    "action": _TEXT,
    "count": _NUMBER,
    "eventTime": _TIME,
    "firstTimestamp": _TIME,
    "involvedObject": _REFERENCE,
    "lastTimestamp": _TIME,
    "message": _TEXT,
    "reason": _TEXT,
    "related": _REFERENCE,
    "reportingComponent": _TEXT,
    "reportingInstance": _TEXT,
    "series": _object(count=_NUMBER, lastObservedTime=_TIME),
    "source": _object(component=_TEXT, host=_TEXT),
    "type": _TEXT,
}
_NEW_EVENT = {
    "action": _TEXT,
    "deprecatedCount": _NUMBER,
    "deprecatedFirstTimestamp": _TIME,
    "deprecatedLastTimestamp": _TIME,
    "deprecatedSource": _object(component=_TEXT, host=_TEXT),
    "eventTime": _TIME,
    "note": _TEXT,
    "reason": _TEXT,
    "regarding": _REFERENCE,
    "related": _REFERENCE,
    "reportingController": _TEXT,
    "reportingInstance": _TEXT,
    "series": _object(count=_NUMBER, lastObservedTime=_TIME),
    "type": _TEXT,
}
_LEASE = _object(
    acquireTime=_TIME,
    holderIdentity=_TEXT,
    leaseDurationSeconds=_NUMBER,
    leaseTransitions=_NUMBER,
    preferredHolder=_TEXT,
    renewTime=_TIME,
    strategy=_TEXT,
)


def _whole(**properties: Manifest) -> Manifest:
    return {**_object(**properties), "x-kubernetes-map-type": "atomic"}


def _named(item: Manifest) -> Manifest:
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    return {"type": "array", "items": item, **keyed}


_EXPRESSION = {"name": _TEXT, "expression": _TEXT}
_POLICY = {
    "failurePolicy": _TEXT,
    "matchConditions": _named(_object(**_EXPRESSION)),
    "matchConstraints": _whole(),
    "paramKind": _whole(apiVersion=_TEXT, kind=_TEXT),
}
_VALIDATING = _object(**_POLICY, auditAnnotations=_WHOLES, validations=_WHOLES, variables=_named(_whole(**_EXPRESSION)))
_MUTATING = _object(**_POLICY, mutations=_WHOLES, reinvocationPolicy=_TEXT, variables=_WHOLES)
_BINDING = {"matchResources": _whole(), "paramRef": _whole(), "policyName": _TEXT}
_ACTIONS: Manifest = {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"}
_ADMISSION: dict[tuple[str, str], Manifest] = {
    ("admissionregistration.k8s.io/v1", kind): {"spec": spec}
    for kind, spec in (
        ("MutatingAdmissionPolicy", _MUTATING),
        ("MutatingAdmissionPolicyBinding", _object(**_BINDING)),
        ("ValidatingAdmissionPolicy", _VALIDATING),
        ("ValidatingAdmissionPolicyBinding", _object(**_BINDING, validationActions=_ACTIONS)),
    )
}
_FIELDS: dict[tuple[str, str], Manifest] = {
    **_ADMISSION,
    ("v1", "ConfigMap"): {"binaryData": _TEXTS, "data": _TEXTS, "immutable": _FLAG},
    ("v1", "Event"): _EVENT,
    ("events.k8s.io/v1", "Event"): _NEW_EVENT,
    ("v1", "Namespace"): {
        "spec": _object(finalizers=_LIST),
        "status": _object(conditions=_conditions(), phase=_TEXT),
    },
    ("v1", "Secret"): {"data": _TEXTS, "immutable": _FLAG, "stringData": _TEXTS, "type": _TEXT},
    _CRD: _DEFINITION,
    ("coordination.k8s.io/v1", "Lease"): {"spec": _LEASE},
}

# What an object of the kind always has, because the API server holds it in a struct: so nobody added it.
_ALWAYS: dict[tuple[str, str], Manifest] = {
    **{kind: {"spec": {}} for kind in _ADMISSION},
    ("v1", "Event"): {
        "eventTime": None,
        "firstTimestamp": None,
        "involvedObject": {},
        "lastTimestamp": None,
        "reportingComponent": "",
        "reportingInstance": "",
        "source": {},
    },
    ("events.k8s.io/v1", "Event"): {
        "deprecatedFirstTimestamp": None,
        "deprecatedLastTimestamp": None,
        "deprecatedSource": {},
        "eventTime": None,
        "regarding": {},
    },
    ("v1", "Namespace"): {"spec": {}, "status": {}},
    _CRD: {
        "spec": {"group": "", "names": {"kind": "", "plural": ""}, "scope": "", "versions": None},
        "status": {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": None},
    },
    ("coordination.k8s.io/v1", "Lease"): {"spec": {}},
}


def shape_of(manifest: Manifest) -> Shape:
    """Return the shape of *manifest*'s kind; of a kind nobody knows maps are owned by key, lists as a whole."""
    fields = _FIELDS.get(_kind(manifest))
    return DEDUCED if fields is None else Shape({"type": "object", "properties": {**fields, **IDENTITY}})


def completed(manifest: Manifest) -> Manifest:
    """Return *manifest* as the API server holds it: null and empty maps of texts are nothing, structs always there."""
    kind = _kind(manifest)
    fields = _FIELDS.get(kind, {})
    kept = {name: entry for name, entry in manifest.items() if not _is_nothing(entry, fields.get(name))}
    return _filled(kept, _ALWAYS.get(kind, {})) if fields else manifest


def shown(manifest: Manifest) -> Manifest:
    """Return *manifest* as the API server shows it; what a definition lacks its controller fills in, not we."""
    return manifest if _kind(manifest) == _CRD else completed(manifest)


def _is_nothing(entry: JSON, declared: Manifest | None) -> bool:
    return declared is not None and (entry is None or (entry == {} and declared is _TEXTS))


def _filled(value: Manifest, always: Manifest) -> Manifest:
    missing: dict[str, JSON] = {name: entry for name, entry in always.items() if name not in value}
    nested = {
        name: _filled(value[name], entry)
        for name, entry in always.items()
        if isinstance(entry, dict) and isinstance(value.get(name), dict)
    }
    return {**value, **missing, **nested} if missing or nested else value


def _kind(manifest: Manifest) -> tuple[str, str]:
    return str(manifest.get("apiVersion", "")), str(manifest.get("kind", ""))
