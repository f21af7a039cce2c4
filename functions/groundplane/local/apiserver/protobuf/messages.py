"""The kinds that are read and written as protobuf, with the field numbers of Kubernetes' generated.proto files."""

from __future__ import annotations

from groundplane.local.apiserver.protobuf.fields import METADATA, Field, Fields, optional, texts
from groundplane.local.apiserver.protobuf.policies import POLICIES

_LIST_METADATA = Field(
    "metadata",
    "object",
    {**texts("selfLink", "resourceVersion", "continue"), 4: optional(Field("remainingItemCount", "number"))},
)
_REFERENCE: Fields = texts("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_SERIES: Fields = {1: Field("count", "number"), 2: Field("lastObservedTime", "fine time")}
_SOURCE: Fields = texts("component", "host")
_CONDITION: Fields = {
    **texts("type", "status"),
    4: Field("lastTransitionTime", "time"),
    **texts("reason", "message", start=5),
}
_OBJECTS: dict[tuple[str, str], Fields] = {
    ("v1", "Namespace"): {
        1: METADATA,
        2: Field("spec", "object", {1: Field("finalizers", "texts")}),
        3: Field("status", "object", {1: Field("phase", "text"), 2: Field("conditions", "objects", _CONDITION)}),
    },
    ("v1", "Secret"): {
        1: METADATA,
        2: Field("data", "bytes map"),
        3: Field("type", "text"),
        4: Field("stringData", "text map"),
        5: optional(Field("immutable", "flag")),
    },
    ("v1", "ConfigMap"): {
        1: METADATA,
        2: Field("data", "text map"),
        3: Field("binaryData", "bytes map"),
        4: optional(Field("immutable", "flag")),
    },
    ("v1", "Event"): {
        1: METADATA,
        2: Field("involvedObject", "object", _REFERENCE),
        **texts("reason", "message", start=3),
        5: Field("source", "object", _SOURCE),
        6: Field("firstTimestamp", "time"),
        7: Field("lastTimestamp", "time"),
        8: Field("count", "number"),
        9: Field("type", "text"),
        10: Field("eventTime", "fine time"),
        11: Field("series", "object", _SERIES),
        12: Field("action", "text"),
        13: Field("related", "object", _REFERENCE),
        **texts("reportingComponent", "reportingInstance", start=14),
    },
    ("events.k8s.io/v1", "Event"): {
        1: METADATA,
        2: Field("eventTime", "fine time"),
        3: Field("series", "object", _SERIES),
        **texts("reportingController", "reportingInstance", "action", "reason", start=4),
        8: Field("regarding", "object", _REFERENCE),
        9: Field("related", "object", _REFERENCE),
        **texts("note", "type", start=10),
        12: Field("deprecatedSource", "object", _SOURCE),
        13: Field("deprecatedFirstTimestamp", "time"),
        14: Field("deprecatedLastTimestamp", "time"),
        15: Field("deprecatedCount", "number"),
    },
    ("coordination.k8s.io/v1", "Lease"): {
        1: METADATA,
        2: Field(
            "spec",
            "object",
            {
                1: optional(Field("holderIdentity", "text")),
                2: optional(Field("leaseDurationSeconds", "number")),
                3: Field("acquireTime", "fine time"),
                4: Field("renewTime", "fine time"),
                5: optional(Field("leaseTransitions", "number")),
                6: optional(Field("strategy", "text")),
                7: optional(Field("preferredHolder", "text")),
            },
        ),
    },
    ("meta.k8s.io/v1", "PartialObjectMetadata"): {1: METADATA},
    **POLICIES,
}
_CAUSE: Fields = texts("reason", "message", "field")
_DETAILS: Fields = {
    **texts("name", "group", "kind"),
    4: Field("causes", "objects", _CAUSE),
    5: Field("retryAfterSeconds", "number"),
    6: Field("uid", "text"),
}
_STATUS: Fields = {
    1: _LIST_METADATA,
    **texts("status", "message", "reason", start=2),
    5: Field("details", "object", _DETAILS),
    6: Field("code", "number"),
}
_LISTS: dict[tuple[str, str], Fields] = {
    (api_version, f"{kind}List"): {1: _LIST_METADATA, 2: Field("items", "objects", fields)}
    for (api_version, kind), fields in _OBJECTS.items()
}
#: What a server writes: objects, lists of them, and refusals.
WRITTEN: dict[tuple[str, str], Fields] = {**_OBJECTS, **_LISTS, ("v1", "Status"): _STATUS}

_ATTRIBUTES: Fields = texts("namespace", "verb", "group", "version", "resource", "subresource", "name")
_ACCESS: Fields = {
    1: Field("resourceAttributes", "object", _ATTRIBUTES),
    2: Field("nonResourceAttributes", "object", texts("path", "verb")),
}
_PRECONDITIONS: Fields = texts("uid", "resourceVersion")
#: What is read whatever version it says: options are of every group.
_ASKED: dict[str, Fields] = {
    "DeleteOptions": {
        1: optional(Field("gracePeriodSeconds", "number")),
        2: Field("preconditions", "object", _PRECONDITIONS),
        3: optional(Field("orphanDependents", "flag")),
        4: Field("propagationPolicy", "text"),
        5: Field("dryRun", "texts"),
    },
    "SelfSubjectReview": {1: METADATA},
    "SelfSubjectAccessReview": {1: METADATA, 2: Field("spec", "object", _ACCESS)},
    "SelfSubjectRulesReview": {1: METADATA, 2: Field("spec", "object", {1: Field("namespace", "text")})},
}


def fields_read(api_version: str, kind: str) -> Fields | None:
    """Return the fields of what a client sends, or None when that kind is not read as protobuf."""
    return _OBJECTS.get((api_version, kind)) or _ASKED.get(kind)
