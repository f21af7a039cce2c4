"""Admission policies and their bindings as protobuf, with the field numbers of Kubernetes' generated.proto file."""

from __future__ import annotations

from groundplane.local.apiserver.protobuf.fields import METADATA, Field, Fields, texts

_REQUIREMENT: Fields = {**texts("key", "operator"), 3: Field("values", "texts")}
_SELECTOR: Fields = {1: Field("matchLabels", "text map"), 2: Field("matchExpressions", "objects", _REQUIREMENT)}
_RULE: Fields = {
    1: Field("apiGroups", "texts"),
    2: Field("apiVersions", "texts"),
    3: Field("resources", "texts"),
    4: Field("scope", "text"),
}
_OPERATIONS: Fields = {1: Field("operations", "texts"), 2: Field("", "inline", _RULE)}
_NAMED: Fields = {1: Field("resourceNames", "texts"), 2: Field("", "inline", _OPERATIONS)}
_RESOURCES: Fields = {
    1: Field("namespaceSelector", "object", _SELECTOR),
    2: Field("objectSelector", "object", _SELECTOR),
    3: Field("resourceRules", "objects", _NAMED),
    4: Field("excludeResourceRules", "objects", _NAMED),
    7: Field("matchPolicy", "text"),
}
_PARAM_KIND = Field("paramKind", "object", texts("apiVersion", "kind"))
_PARAM_REF: Fields = {
    **texts("name", "namespace"),
    3: Field("selector", "object", _SELECTOR),
    4: Field("parameterNotFoundAction", "text"),
}
_EXPRESSIONS: Fields = texts("name", "expression")
_VALIDATION: Fields = texts("expression", "message", "reason", "messageExpression")
_MUTATION: Fields = {
    2: Field("patchType", "text"),
    3: Field("applyConfiguration", "object", texts("expression")),
    4: Field("jsonPatch", "object", texts("expression")),
}
_CONDITION: Fields = {
    **texts("type", "status"),
    3: Field("observedGeneration", "number"),
    4: Field("lastTransitionTime", "time"),
    **texts("reason", "message", start=5),
}
_WARNINGS: Fields = {1: Field("expressionWarnings", "objects", texts("fieldRef", "warning", start=2))}
_STATUS: Fields = {
    1: Field("observedGeneration", "number"),
    2: Field("typeChecking", "object", _WARNINGS),
    3: Field("conditions", "objects", _CONDITION),
}
_VALIDATING: Fields = {
    1: _PARAM_KIND,
    2: Field("matchConstraints", "object", _RESOURCES),
    3: Field("validations", "objects", _VALIDATION),
    4: Field("failurePolicy", "text"),
    5: Field("auditAnnotations", "objects", texts("key", "valueExpression")),
    6: Field("matchConditions", "objects", _EXPRESSIONS),
    7: Field("variables", "objects", _EXPRESSIONS),
}
_MUTATING: Fields = {
    1: _PARAM_KIND,
    2: Field("matchConstraints", "object", _RESOURCES),
    3: Field("variables", "objects", _EXPRESSIONS),
    4: Field("mutations", "objects", _MUTATION),
    5: Field("failurePolicy", "text"),
    6: Field("matchConditions", "objects", _EXPRESSIONS),
    7: Field("reinvocationPolicy", "text"),
}
_BINDING: Fields = {
    1: Field("policyName", "text"),
    2: Field("paramRef", "object", _PARAM_REF),
    3: Field("matchResources", "object", _RESOURCES),
}
_SPECS: dict[str, Fields] = {
    "MutatingAdmissionPolicy": _MUTATING,
    "MutatingAdmissionPolicyBinding": _BINDING,
    "ValidatingAdmissionPolicy": _VALIDATING,
    "ValidatingAdmissionPolicyBinding": {**_BINDING, 4: Field("validationActions", "texts")},
}
POLICIES: dict[tuple[str, str], Fields] = {
    ("admissionregistration.k8s.io/v1", kind): {1: METADATA, 2: Field("spec", "object", spec)}
    for kind, spec in _SPECS.items()
}
POLICIES["admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"][3] = Field("status", "object", _STATUS)
