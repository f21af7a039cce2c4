"""The kinds that are read and written as protobuf, with the field numbers of Kubernetes' generated.proto files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Type = Literal[
    "text",
    "texts",
    "bytes",
    "number",
    "flag",
    "text map",
    "bytes map",
    "object",
    "objects",
    "time",
    "fine time",
    "json",
]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message.

    Attributes:
        name: As JSON writes it.
        type: What it holds; ``json`` is JSON as bytes.
        fields: Of an object, or of each of several.
        optional: Whether zero and empty are said, as in ``holderIdentity: ""``; others leave a field out by them.
    """

    name: str
    type: Type
    fields: Fields = field(default_factory=dict)
    optional: bool = False


Fields = dict[int, Field]


def _texts(*names: str, start: int = 1) -> Fields:
    """Return fields that are texts, numbered from *start*."""
    return {number: Field(name, "text") for number, name in enumerate(names, start)}


def _optional(one: Field) -> Field:
    return replace(one, optional=True)


_NUMBER: Type = "number"
_FLAG: Type = "flag"
_OWNER: Fields = {
    1: Field("kind", "text"),
    3: Field("name", "text"),
    4: Field("uid", "text"),
    5: Field("apiVersion", "text"),
    6: _optional(Field("controller", _FLAG)),
    7: _optional(Field("blockOwnerDeletion", _FLAG)),
}
_MANAGED: Fields = {
    1: Field("manager", "text"),
    2: Field("operation", "text"),
    3: Field("apiVersion", "text"),
    4: Field("time", "time"),
    6: Field("fieldsType", "text"),
    7: Field("fieldsV1", "object", {1: Field("", "json")}),
    8: Field("subresource", "text"),
}
_META: Fields = {
    **_texts("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"),
    7: Field("generation", _NUMBER),
    8: Field("creationTimestamp", "time"),
    9: Field("deletionTimestamp", "time"),
    10: _optional(Field("deletionGracePeriodSeconds", _NUMBER)),
    11: Field("labels", "text map"),
    12: Field("annotations", "text map"),
    13: Field("ownerReferences", "objects", _OWNER),
    14: Field("finalizers", "texts"),
    17: Field("managedFields", "objects", _MANAGED),
}
_METADATA = Field("metadata", "object", _META)
_LIST_METADATA = Field(
    "metadata",
    "object",
    {**_texts("selfLink", "resourceVersion", "continue"), 4: _optional(Field("remainingItemCount", _NUMBER))},
)
_REFERENCE: Fields = _texts("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_SERIES: Fields = {1: Field("count", _NUMBER), 2: Field("lastObservedTime", "fine time")}
_SOURCE: Fields = _texts("component", "host")
_CONDITION: Fields = {
    **_texts("type", "status"),
    4: Field("lastTransitionTime", "time"),
    **_texts("reason", "message", start=5),
}
_OBJECTS: dict[tuple[str, str], Fields] = {
    ("v1", "Namespace"): {
        1: _METADATA,
        2: Field("spec", "object", {1: Field("finalizers", "texts")}),
        3: Field("status", "object", {1: Field("phase", "text"), 2: Field("conditions", "objects", _CONDITION)}),
    },
    ("v1", "Secret"): {
        1: _METADATA,
        2: Field("data", "bytes map"),
        3: Field("type", "text"),
        4: Field("stringData", "text map"),
        5: _optional(Field("immutable", _FLAG)),
    },
    ("v1", "ConfigMap"): {
        1: _METADATA,
        2: Field("data", "text map"),
        3: Field("binaryData", "bytes map"),
        4: _optional(Field("immutable", _FLAG)),
    },
    ("v1", "Event"): {
        1: _METADATA,
        2: Field("involvedObject", "object", _REFERENCE),
        **_texts("reason", "message", start=3),
        5: Field("source", "object", _SOURCE),
        6: Field("firstTimestamp", "time"),
        7: Field("lastTimestamp", "time"),
        8: Field("count", _NUMBER),
        9: Field("type", "text"),
        10: Field("eventTime", "fine time"),
        11: Field("series", "object", _SERIES),
        12: Field("action", "text"),
        13: Field("related", "object", _REFERENCE),
        **_texts("reportingComponent", "reportingInstance", start=14),
    },
    ("events.k8s.io/v1", "Event"): {
        1: _METADATA,
        2: Field("eventTime", "fine time"),
        3: Field("series", "object", _SERIES),
        **_texts("reportingController", "reportingInstance", "action", "reason", start=4),
        8: Field("regarding", "object", _REFERENCE),
        9: Field("related", "object", _REFERENCE),
        **_texts("note", "type", start=10),
        12: Field("deprecatedSource", "object", _SOURCE),
        13: Field("deprecatedFirstTimestamp", "time"),
        14: Field("deprecatedLastTimestamp", "time"),
        15: Field("deprecatedCount", _NUMBER),
    },
    ("coordination.k8s.io/v1", "Lease"): {
        1: _METADATA,
        2: Field(
            "spec",
            "object",
            {
                1: _optional(Field("holderIdentity", "text")),
                2: _optional(Field("leaseDurationSeconds", _NUMBER)),
                3: Field("acquireTime", "fine time"),
                4: Field("renewTime", "fine time"),
                5: _optional(Field("leaseTransitions", _NUMBER)),
                6: _optional(Field("strategy", "text")),
                7: _optional(Field("preferredHolder", "text")),
            },
        ),
    },
    ("meta.k8s.io/v1", "PartialObjectMetadata"): {1: _METADATA},
}
_CAUSE: Fields = _texts("reason", "message", "field")
_DETAILS: Fields = {
    **_texts("name", "group", "kind"),
    4: Field("causes", "objects", _CAUSE),
    5: Field("retryAfterSeconds", _NUMBER),
    6: Field("uid", "text"),
}
_STATUS: Fields = {
    1: _LIST_METADATA,
    **_texts("status", "message", "reason", start=2),
    5: Field("details", "object", _DETAILS),
    6: Field("code", _NUMBER),
}
_LISTS: dict[tuple[str, str], Fields] = {
    (api_version, f"{kind}List"): {1: _LIST_METADATA, 2: Field("items", "objects", fields)}
    for (api_version, kind), fields in _OBJECTS.items()
}
#: What a server writes: objects, lists of them, and refusals.
WRITTEN: dict[tuple[str, str], Fields] = {**_OBJECTS, **_LISTS, ("v1", "Status"): _STATUS}

_ATTRIBUTES: Fields = _texts("namespace", "verb", "group", "version", "resource", "subresource", "name")
_ACCESS: Fields = {
    1: Field("resourceAttributes", "object", _ATTRIBUTES),
    2: Field("nonResourceAttributes", "object", _texts("path", "verb")),
}
_PRECONDITIONS: Fields = _texts("uid", "resourceVersion")
#: What is read whatever version it says: options are of every group.
_ASKED: dict[str, Fields] = {
    "DeleteOptions": {
        1: _optional(Field("gracePeriodSeconds", _NUMBER)),
        2: Field("preconditions", "object", _PRECONDITIONS),
        3: _optional(Field("orphanDependents", _FLAG)),
        4: Field("propagationPolicy", "text"),
        5: Field("dryRun", "texts"),
    },
    "SelfSubjectReview": {1: _METADATA},
    "SelfSubjectAccessReview": {1: _METADATA, 2: Field("spec", "object", _ACCESS)},
    "SelfSubjectRulesReview": {1: _METADATA, 2: Field("spec", "object", {1: Field("namespace", "text")})},
}


def fields_read(api_version: str, kind: str) -> Fields | None:
    """Return the fields of what a client sends, or None when that kind is not read as protobuf."""
    return _OBJECTS.get((api_version, kind)) or _ASKED.get(kind)
