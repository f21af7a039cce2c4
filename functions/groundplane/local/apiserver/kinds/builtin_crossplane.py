"""Crossplane's own kinds, as its own definitions declare them: which fields there are, and what they may be."""

from __future__ import annotations

from groundplane.core.manifest import JSON, Manifest
from groundplane.local.apiserver.kinds.builtin import XRD_GROUP
from groundplane.local.apiserver.kinds.resource import Resource, defined

_TEXT: Manifest = {"type": "string"}
_FLAG: Manifest = {"type": "boolean"}
_SMALL: Manifest = {"type": "integer", "format": "int32"}
_LONG: Manifest = {"type": "integer", "format": "int64"}
_TEXTS: Manifest = {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "atomic"}
_TEXT_MAP: Manifest = {"type": "object", "additionalProperties": _TEXT}
_OPEN: Manifest = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _record(*required: str, told: str = "", rules: tuple[tuple[str, str], ...] = (), **fields: JSON) -> Manifest:
    """Return an object of *fields*; each of *rules* is CEL and what it says when it does not hold."""
    made: Manifest = {"type": "object", "properties": fields}
    made |= {"description": told} if told else {}
    made |= {"required": [*required]} if required else {}
    return _ruled(made, rules)


def _ruled(schema: Manifest, rules: tuple[tuple[str, str], ...]) -> Manifest:
    return {**schema, "x-kubernetes-validations": [{"rule": r, "message": m} for r, m in rules]} if rules else schema


def _list(items: Manifest, *keys: str, told: str = "", **more: JSON) -> Manifest:
    made: Manifest = {"type": "array", "items": items, **more} | ({"description": told} if told else {})
    return made | ({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [*keys]} if keys else {})


def _texts_of(*names: str) -> Manifest:
    return dict.fromkeys(names, _TEXT)


def _told(schema: Manifest, description: str) -> Manifest:
    return {**schema, "description": description}


def _one_of(*values: str, default: str = "") -> Manifest:
    return {**_TEXT, "enum": [*values]} | ({"default": default} if default else {})


_IMMUTABLE = (("self == oldSelf", "Value is immutable"),)
_KIND: Manifest = {"apiVersion": _TEXT, "kind": _TEXT}
_NAMED = _record("name", name=_TEXT)
_CONDITIONS = _list(
    _record(
        "lastTransitionTime", "reason", "status", "type",
        lastTransitionTime={**_TEXT, "format": "date-time"},
        message=_TEXT,
        observedGeneration=_LONG,
        reason=_TEXT,
        status=_TEXT,
        type=_TEXT,
    ),
    "type",
    told="What was found, each under its own type.",
)  # fmt: skip
_AGE: Manifest = {"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def _texts(**paths: str) -> list[Manifest]:
    """Return the columns of *paths*, under their names in capital letters."""
    return [
        {"name": name.upper().replace("_", "-"), "type": "string", "jsonPath": path} for name, path in paths.items()
    ] + [_AGE]


_REQUIRED_RESOURCE = _record(
    "apiVersion", "kind", "requirementName",
    rules=(("!(has(self.name) && has(self.matchLabels))", "name and matchLabels are mutually exclusive"),),
    matchLabels=_TEXT_MAP,
    **_texts_of("apiVersion", "kind", "name", "namespace", "requirementName"),
)  # fmt: skip
_REQUIRED_SCHEMA = _record(
    "apiVersion", "kind", "requirementName", **_texts_of("apiVersion", "kind", "requirementName")
)
_CREDENTIALS = _record(
    "name", "source",
    rules=(("self.source == 'Secret' && has(self.secretRef)", "the Secret source requires a secretRef"),),
    name=_TEXT,
    secretRef=_record("name", "namespace", name=_TEXT, namespace=_TEXT),
    source=_one_of("None", "Secret"),
)  # fmt: skip
_STEP = _record(
    "functionRef", "step",
    credentials=_list(_CREDENTIALS, "name", told="Secrets that the function is given."),
    functionRef=_told(_NAMED, "The function that is called."),
    input={**_OPEN, "x-kubernetes-embedded-resource": True, "description": "What the function is told each time."},
    requirements=_record(
        told="What the function is given of the cluster without asking for it.",
        requiredResources=_list(_REQUIRED_RESOURCE, "requirementName"),
        requiredSchemas=_list(_REQUIRED_SCHEMA, "requirementName"),
    ),
    step=_told(_TEXT, "The step's name, unique in the pipeline."),
)  # fmt: skip
_COMPOSED: Manifest = {
    "compositeTypeRef": _record(
        "apiVersion", "kind", told="The kind of composite that it serves.", rules=_IMMUTABLE, **_KIND
    ),
    "mode": _told(_one_of("Pipeline", default="Pipeline"), "How it composes: functions, one after the other."),
    "writeConnectionSecretsToNamespace": _TEXT,
}
_STEPS = "The functions, in the order in which they are called."
_COMPOSITION = _record(
    "compositeTypeRef",
    told="Which functions compose what.",
    rules=(
        (
            "self.mode == 'Pipeline' && has(self.pipeline)",
            "an array of pipeline steps is required in Pipeline mode",
        ),
    ),
    pipeline=_list(_STEP, "step", told=_STEPS, minItems=1, maxItems=99),
    **_COMPOSED,
)
_REVISION = _record(
    "compositeTypeRef", "revision",
    told="The Composition as it was then.",
    pipeline=_list(_STEP, "step", told=_STEPS),
    revision=_told(_LONG, "Counts up; the highest of a Composition is in force."),
    **_COMPOSED,
)  # fmt: skip
_NAME_RULES = (
    ("self.plural == self.plural.lowerAscii()", "Plural name must be lowercase"),
    ("!has(self.singular) || self.singular == self.singular.lowerAscii()", "Singular name must be lowercase"),
)
_KIND_NAMES: Manifest = {
    "categories": _TEXTS,
    "shortNames": _TEXTS,
    **_texts_of("kind", "listKind", "plural", "singular"),
}
_NAMES = _record("kind", "plural", told="What it is called.", rules=(*_IMMUTABLE, *_NAME_RULES), **_KIND_NAMES)
_WEBHOOK = _record(
    "conversionReviewVersions",
    clientConfig=_record(
        caBundle={**_TEXT, "format": "byte"},
        service=_record("name", "namespace", name=_TEXT, namespace=_TEXT, path=_TEXT, port=_SMALL),
        url=_TEXT,
    ),
    conversionReviewVersions=_TEXTS,
)
_SELECTOR = {
    **_record(
        matchExpressions={
            **_list(_record("key", "operator", key=_TEXT, operator=_TEXT, values=_TEXTS)),
            "x-kubernetes-list-type": "atomic",
        },
        matchLabels=_TEXT_MAP,
    ),
    "x-kubernetes-map-type": "atomic",
}
_COLUMN = _record(
    "jsonPath", "name", "type",
    priority=_SMALL,
    **_texts_of("description", "format", "jsonPath", "name", "type"),
)  # fmt: skip
_SCALE = _record(
    "specReplicasPath", "statusReplicasPath",
    **_texts_of("labelSelectorPath", "specReplicasPath", "statusReplicasPath"),
)  # fmt: skip
_VERSION = _record(
    "name", "referenceable", "served",
    additionalPrinterColumns=_list(_COLUMN),
    deprecated=_FLAG,
    deprecationWarning={**_TEXT, "maxLength": 256},
    name=_TEXT,
    referenceable=_told(_FLAG, "Whether Compositions may name it; one version must be."),
    schema=_record(openAPIV3Schema=_OPEN),
    served=_FLAG,
    subresources=_record(scale=_SCALE),
)  # fmt: skip
_DEFINITION: Manifest = {
    "connectionSecretKeys": _list(_TEXT),
    "defaultCompositionRef": _told(_NAMED, "The Composition of composites that name none."),
    "defaultCompositionRevisionSelector": _SELECTOR,
    "defaultCompositionUpdatePolicy": _one_of("Automatic", "Manual", default="Automatic"),
    "enforcedCompositionRef": _ruled(_NAMED, _IMMUTABLE),
    "group": _ruled(_TEXT, _IMMUTABLE),
    "metadata": _record(annotations=_TEXT_MAP, labels=_TEXT_MAP),
    "names": _NAMES,
    "versions": _list(_VERSION, told="The versions in which it is served."),
}
_OLD_DEFINITION = _record(
    "group", "names", "versions",
    told="The kind that composites are of.",
    rules=(
        ("self.scope == 'LegacyCluster' || !has(self.claimNames)",
         "Only LegacyCluster composite resources can offer claims"),
        ("self.scope == 'LegacyCluster' || !has(self.connectionSecretKeys)",
         "Only LegacyCluster composite resources support connection secrets"),
    ),
    claimNames=_NAMES,
    conversion=_record(
        "strategy",
        rules=(("self.strategy == 'Webhook' && has(self.webhook)",
                "Webhook configuration is required when conversion strategy is Webhook"),),
        strategy=_TEXT,
        webhook=_WEBHOOK,
    ),
    defaultCompositeDeletePolicy=_one_of("Background", "Foreground", default="Background"),
    scope=_ruled(_one_of("LegacyCluster", "Namespaced", "Cluster", default="LegacyCluster"), _IMMUTABLE),
    **_DEFINITION,
)  # fmt: skip
_NEW_DEFINITION = _record(
    "group", "names", "versions",
    told="The kind that composites are of.",
    rules=(
        ("!has(self.claimNames)", "Claims aren't supported in apiextensions.crossplane.io/v2"),
        ("!has(self.connectionSecretKeys)",
         "XR connection secrets aren't supported in apiextensions.crossplane.io/v2"),
    ),
    claimNames=_record("kind", "plural", **_KIND_NAMES),
    conversion=_record("strategy", strategy=_TEXT, webhook=_WEBHOOK),
    defaultCompositeDeletePolicy=_one_of("Background", "Foreground"),
    scope=_ruled(_one_of("Namespaced", "Cluster", default="Namespaced"), _IMMUTABLE),
    **_DEFINITION,
)  # fmt: skip
_SERVED = _record("apiVersion", "kind", **_KIND)
_DEFINITION_STATUS = _record(
    conditions=_CONDITIONS,
    controllers=_record(compositeResourceClaimType=_SERVED, compositeResourceType=_SERVED),
)


def _version(name: str, columns: list[Manifest], told: str, *, storage: bool = True, **fields: JSON) -> Manifest:
    identity: Manifest = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}}
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": _record(told=told, **identity, **fields)},
        "subresources": {"status": {}} if "status" in fields else {},
    }


def _kind(kind: str, *versions: Manifest, short: tuple[str, ...]) -> list[Resource]:
    plural = f"{kind.lower()}s"
    names = {"kind": kind, "plural": plural, "shortNames": [*short], "categories": ["crossplane"]}
    return defined(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{XRD_GROUP}"},
            "spec": {"group": XRD_GROUP, "scope": "Cluster", "names": names, "versions": [*versions]},
        }
    )


_ESTABLISHED = _texts(
    established=".status.conditions[?(@.type=='Established')].status",
    offered=".status.conditions[?(@.type=='Offered')].status",
)
_XR: dict[str, str] = {"xr_kind": ".spec.compositeTypeRef.kind", "xr_apiversion": ".spec.compositeTypeRef.apiVersion"}
_API = "An API that Compositions can serve."
_DEPRECATED = (
    "CompositeResourceDefinition v1 is deprecated and will be removed in a future release; consider migrating to v2"
)
_OLD = {
    **_version("v1", _ESTABLISHED, _API, spec=_OLD_DEFINITION, status=_DEFINITION_STATUS),
    "deprecated": True,
    "deprecationWarning": _DEPRECATED,
}
_NEW = _version("v2", _ESTABLISHED, _API, storage=False, spec=_NEW_DEFINITION, status=_DEFINITION_STATUS)
_ENTRIES: Manifest = {"type": "object", "additionalProperties": {"x-kubernetes-preserve-unknown-fields": True}}

CROSSPLANE_KINDS = (
    *_kind("CompositeResourceDefinition", _NEW, _OLD, short=("xrd", "xrds")),
    *_kind(
        "Composition",
        _version("v1", _texts(**_XR), "What a composite resource is made of.", spec=_COMPOSITION),
        short=("comp",),
    ),
    *_kind(
        "CompositionRevision",
        _version(
            "v1",
            _texts(revision=".spec.revision", **_XR),
            "A state that a Composition was once in.",
            spec=_REVISION,
            status=_record(conditions=_CONDITIONS),
        ),
        short=("comprev",),
    ),
    *_kind(
        "EnvironmentConfig",
        _version("v1beta1", [_AGE], "What functions may know of an environment.", data=_ENTRIES),
        short=("envcfg",),
    ),
)
