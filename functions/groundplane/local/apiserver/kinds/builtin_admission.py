"""The kinds of admission policies, which are built into an API server."""

from __future__ import annotations

from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.kinds.builtin import AGED, ANYTHING, NAMED, schema_of, served
from groundplane.local.apiserver.kinds.resource import Column, Resource

GROUP = "admissionregistration.k8s.io"


_TEXT: Manifest = {"type": "string"}


def _record(*texts: str, **fields: Manifest) -> Manifest:
    return {"type": "object", "properties": {**dict.fromkeys(texts, _TEXT), **fields}}


def _list(items: Manifest) -> Manifest:
    return {"type": "array", "items": items}


_TEXTS = _list(_TEXT)
_SELECTOR = _record(
    matchLabels={"type": "object", "additionalProperties": _TEXT},
    matchExpressions=_list(_record("key", "operator", values=_TEXTS)),
)
_RULE = _record(
    apiGroups=_TEXTS,
    apiVersions=_TEXTS,
    operations=_TEXTS,
    resources=_TEXTS,
    resourceNames=_TEXTS,
    scope={**_TEXT, "default": "*"},
)
_MATCH = _record(
    matchPolicy={**_TEXT, "default": "Equivalent"},
    namespaceSelector={**_SELECTOR, "default": {}},
    objectSelector={**_SELECTOR, "default": {}},
    resourceRules=_list(_RULE),
    excludeResourceRules=_list(_RULE),
)
_COMMON: Manifest = {
    "failurePolicy": {**_TEXT, "default": "Fail"},
    "paramKind": _record("apiVersion", "kind"),
    "matchConstraints": _MATCH,
    "matchConditions": _list(_record("name", "expression")),
    "variables": _list(_record("name", "expression")),
}
_VALIDATING = _record(
    **_COMMON,
    validations=_list(_record("expression", "message", "messageExpression", "reason")),
    auditAnnotations=_list(_record("key", "valueExpression")),
)
_EXPRESSION = _record("expression")
_MUTATING = _record(
    "reinvocationPolicy",
    **_COMMON,
    mutations=_list(_record("patchType", jsonPatch=_EXPRESSION, applyConfiguration=_EXPRESSION)),
)
_BINDING = _record(
    "policyName",
    matchResources=_MATCH,
    paramRef=_record("name", "namespace", "parameterNotFoundAction", selector=_SELECTOR),
)
_WITH_ACTIONS = _record(**_BINDING["properties"], validationActions=_TEXTS)


def _kind(kind: str, plural: str, description: str, spec: Manifest, *columns: Column, status: bool = False) -> Resource:
    fields = {"spec": spec, **({"status": ANYTHING} if status else {})}
    schema = schema_of(GROUP, "v1", kind, plural, description, **fields)
    return served(schema, columns=(NAMED, *columns, AGED), status=status, categories=("api-extensions",))


_PARAM_KIND = Column("ParamKind", "string", "param kind", "What its parameters are.")
_POLICY_NAME = Column("PolicyName", "string", ".spec.policyName", "Which policy it binds.")
_PARAM_REF = Column("ParamRef", "string", "param ref", "Which parameters it gives.")

ADMISSION = (
    _kind(
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        "What a write must fulfil.",
        _VALIDATING,
        Column("Validations", "string", "validation count", "How many conditions there are."),
        _PARAM_KIND,
        status=True,
    ),
    _kind(
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        "Where a ValidatingAdmissionPolicy holds.",
        _WITH_ACTIONS,
        _POLICY_NAME,
        _PARAM_REF,
    ),
    _kind(
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        "What is changed about a write.",
        _MUTATING,
        Column("Mutations", "string", "mutation count", "How many changes there are."),
        _PARAM_KIND,
    ),
    _kind(
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        "Where a MutatingAdmissionPolicy holds.",
        _BINDING,
        _POLICY_NAME,
        _PARAM_REF,
    ),
)
