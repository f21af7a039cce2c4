"""The kinds that are served whatever is defined: Kubernetes' own that claims need."""

from __future__ import annotations

from dataclasses import replace

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import KindSchema
from groundplane.kubernetes.schema.node import Node
from groundplane.local.apiserver.kinds import builtin_events
from groundplane.local.apiserver.kinds.resource import VERBS, Column, Resource

CRD_GROUP = "apiextensions.k8s.io"
CRD_NAME = f"customresourcedefinitions.{CRD_GROUP}"
XRD_GROUP = "apiextensions.crossplane.io"
XRD_NAME = f"compositeresourcedefinitions.{XRD_GROUP}"

_TEXT: Manifest = {"type": "string"}
_NUMBER: Manifest = {"type": "integer"}
_SMALL: Manifest = {"type": "integer", "format": "int32"}
_FLAG: Manifest = {"type": "boolean"}
_TIME: Manifest = {"type": "string", "format": "date-time", "nullable": True}
_FINE_TIME: Manifest = {"type": "string", "nullable": True}
ANYTHING: Manifest = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
NAMED = Column("Name", "string", ".metadata.name", "The object's name.", format="name")
AGED = Column("Age", "string", "age", "How long ago the object was made.")


def _map(values: Manifest, description: str) -> Manifest:
    return {"type": "object", "additionalProperties": values, "description": description}


def _record(**fields: JSON) -> Manifest:
    return {"type": "object", "properties": fields}


def _list(items: Manifest) -> Manifest:
    return {"type": "array", "items": items}


_REFERENCE = _record(
    **dict.fromkeys(("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"), _TEXT)
)
_CONDITION = _record(type=_TEXT, status=_TEXT, lastTransitionTime=_TIME, reason=_TEXT, message=_TEXT)


def schema_of(group: str, version: str, kind: str, plural: str, description: str, **fields: JSON) -> KindSchema:
    """Return the schema of a built-in kind that has *fields* beside its metadata."""
    namespaced = kind in {"ConfigMap", "Secret", "Event", "Lease"}
    raw: Manifest = {
        "type": "object",
        "description": description,
        "properties": {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}, **fields},
        "x-kubernetes-embedded-resource": True,
    }
    api_version = f"{group}/{version}" if group else version
    return KindSchema(api_version, kind, plural, group, namespaced, Node(raw))


_BYTES: Manifest = {"type": "string", "format": "byte"}
_CONFIG_MAP = schema_of(
    "",
    "v1",
    "ConfigMap",
    "configmaps",
    "Settings, as text or as bytes.",
    data=_map(_TEXT, "Settings as text."),
    binaryData=_map(_BYTES, "Settings as bytes, in base64."),
    immutable=_FLAG,
)
_SECRET = schema_of(
    "",
    "v1",
    "Secret",
    "secrets",
    "What must stay secret, such as passwords.",
    data=_map(_BYTES, "The secrets, in base64."),
    stringData=_map(_TEXT, "The secrets as text; it is only written, and becomes data."),
    immutable=_FLAG,
    type=_TEXT,
)
_NAMESPACE = schema_of(
    "",
    "v1",
    "Namespace",
    "namespaces",
    "A space for names.",
    spec=_record(finalizers=_list(_TEXT)),
    status=_record(phase=_TEXT, conditions=_list(_CONDITION)),
)
_EVENT = schema_of(
    "",
    "v1",
    "Event",
    "events",
    "What happened to an object.",
    involvedObject=_REFERENCE,
    related=_REFERENCE,
    source=_record(component=_TEXT, host=_TEXT),
    series=_record(count=_SMALL, lastObservedTime=_FINE_TIME),
    firstTimestamp=_TIME,
    lastTimestamp=_TIME,
    eventTime=_FINE_TIME,
    count=_SMALL,
    **dict.fromkeys(("action", "message", "reason", "reportingComponent", "reportingInstance", "type"), _TEXT),
)
_NEW_EVENT = schema_of(
    builtin_events.GROUP,
    "v1",
    "Event",
    "events",
    "What happened to an object, in newer words.",
    regarding=_REFERENCE,
    related=_REFERENCE,
    series=_record(count=_SMALL, lastObservedTime=_FINE_TIME),
    eventTime=_FINE_TIME,
    deprecatedSource=_record(component=_TEXT, host=_TEXT),
    deprecatedFirstTimestamp=_TIME,
    deprecatedLastTimestamp=_TIME,
    deprecatedCount=_SMALL,
    **dict.fromkeys(("action", "note", "reason", "reportingController", "reportingInstance", "type"), _TEXT),
)
_LEASE = schema_of(
    "coordination.k8s.io",
    "v1",
    "Lease",
    "leases",
    "Who holds something, and until when.",
    spec=_record(
        acquireTime=_FINE_TIME,
        holderIdentity=_TEXT,
        leaseDurationSeconds=_SMALL,
        leaseTransitions=_SMALL,
        preferredHolder=_TEXT,
        renewTime=_FINE_TIME,
        strategy=_TEXT,
    ),
)
_CRD = schema_of(
    CRD_GROUP,
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    "A kind that the API server serves beside its own.",
    spec=ANYTHING,
    status=ANYTHING,
)


def served(  # noqa: PLR0913  # A table has a row for each kind, and these are its columns.
    schema: KindSchema,
    *short_names: str,
    columns: tuple[Column, ...] = (NAMED, AGED),
    status: bool = False,
    selectable: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    verbs: tuple[str, ...] = VERBS,
    storage: str = "",
) -> Resource:
    """Return a built-in kind as it is served."""
    version = schema.api_version.rpartition("/")[2]
    return Resource(
        group=schema.group,
        version=version,
        storage=storage or version,
        plural=schema.plural,
        singular=schema.kind.lower(),
        kind=schema.kind,
        list_kind=f"{schema.kind}List",
        namespaced=schema.namespaced,
        schema=schema,
        short_names=short_names,
        categories=categories,
        columns=columns,
        status=status,
        selectable=selectable,
        verbs=verbs,
    )


_EVENT_COLUMNS = (
    Column("Last Seen", "string", "last seen", "When it happened last."),
    Column("Type", "string", ".type", "Normal or Warning."),
    Column("Reason", "string", ".reason", "Why, in one word."),
    Column("Object", "string", "involved object", "What it happened to."),
    Column("Subobject", "string", ".involvedObject.fieldPath", "Which part of it.", 1),
    Column("Source", "string", "event source", "Who tells.", 1),
    Column("Message", "string", "event message", "What happened."),
    Column("First Seen", "string", "first seen", "When it happened first.", 1),
    Column("Count", "string", "event count", "How often it happened.", 1),
    Column("Name", "string", ".metadata.name", "The event's own name.", 1, "name"),
)
_INVOLVED = ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid")
_EVENT_FIELDS = (*(f"involvedObject.{name}" for name in _INVOLVED), "reason", "reportingComponent", "source", "type")
_REVIEWS = (
    ("authentication.k8s.io", "SelfSubjectReview", "Who asks."),
    ("authorization.k8s.io", "SelfSubjectAccessReview", "Whether whoever asks may do something."),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "All that whoever asks may do."),
)
_DATA = Column("Data", "string", "data count", "How many entries there are.")

BUILTIN = (
    served(_CONFIG_MAP, "cm", columns=(NAMED, _DATA, AGED)),
    served(_EVENT, "ev", columns=_EVENT_COLUMNS, selectable=_EVENT_FIELDS),
    replace(served(_NEW_EVENT, "ev", columns=_EVENT_COLUMNS, selectable=_EVENT_FIELDS), alias=builtin_events.ALIAS),
    served(
        _NAMESPACE,
        "ns",
        columns=(NAMED, Column("Status", "string", ".status.phase", "Active, or Terminating."), AGED),
        status=True,
        selectable=("status.phase",),
        verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
    ),
    served(
        _SECRET,
        columns=(NAMED, Column("Type", "string", ".type", "What its entries are for."), _DATA, AGED),
        selectable=("type",),
    ),
    served(
        _CRD,
        "crd",
        "crds",
        columns=(NAMED, Column("Created At", "date", "created at", "When it was made.")),
        status=True,
        categories=("api-extensions",),
    ),
    served(_LEASE, columns=(NAMED, Column("Holder", "string", ".spec.holderIdentity", "Who has it."), AGED)),
    # They are answered and never kept; see `reviews`.
    *(
        served(schema_of(group, "v1", kind, f"{kind.lower()}s", told), verbs=("create",))
        for group, kind, told in _REVIEWS
    ),
)
