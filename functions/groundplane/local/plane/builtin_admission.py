"""The kinds of admission policies, which are built into an API server."""

from __future__ import annotations

from groundplane.local.plane.builtin import AGED, ANYTHING, NAMED, schema_of, served
from groundplane.local.plane.resources import Column, Resource

GROUP = "admissionregistration.k8s.io"


def _kind(kind: str, plural: str, description: str, *columns: Column, status: bool = False) -> Resource:
    schema = schema_of(
        GROUP, "v1", kind, plural, description, spec=ANYTHING, **({"status": ANYTHING} if status else {})
    )
    return served(schema, columns=(NAMED, *columns, AGED), status=status, categories=("api-extensions",))


_PARAM_KIND = Column("ParamKind", "string", "param kind", "What its parameters are.")
_POLICY_NAME = Column("PolicyName", "string", ".spec.policyName", "Which policy it binds.")
_PARAM_REF = Column("ParamRef", "string", "param ref", "Which parameters it gives.")

ADMISSION = (
    _kind(
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        "What a write must fulfil.",
        Column("Validations", "string", "validation count", "How many conditions there are."),
        _PARAM_KIND,
        status=True,
    ),
    _kind(
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        "Where a ValidatingAdmissionPolicy holds.",
        _POLICY_NAME,
        _PARAM_REF,
    ),
    _kind(
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        "What is changed about a write.",
        Column("Mutations", "string", "mutation count", "How many changes there are."),
        _PARAM_KIND,
    ),
    _kind(
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        "Where a MutatingAdmissionPolicy holds.",
        _POLICY_NAME,
        _PARAM_REF,
    ),
)
