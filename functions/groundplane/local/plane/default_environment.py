"""The policy of the plane itself: what is born on this machine belongs to its environment."""

from __future__ import annotations

from groundplane.core.manifest import ENVIRONMENT_LABEL, Manifest
from groundplane.generate.companion._policy import Policy, Scope, all_of, literal, mark, rule

SYSTEM = "crossplane-system"

_NAME = 'object.metadata.?name.orValue("")'  # one that is generated is not there yet


def own_policies(environment: str) -> list[Manifest]:
    """Return what labels each new namespace with *environment*, unless it is labelled or the system's own."""
    key = ENVIRONMENT_LABEL.replace("/", "~1")
    labels = 'has(object.metadata.labels) ? [] : [JSONPatch{op: "add", path: "/metadata/labels", value: {}}]'
    label = f'[JSONPatch{{op: "add", path: "/metadata/labels/{key}", value: {literal(environment)}}}]'
    policy = Policy(
        "namespace-environment",
        Scope(
            ("CREATE",),
            (rule("", "namespaces"),),
            conditions=(
                ("unlabelled", f'{mark("labels", ENVIRONMENT_LABEL)} == ""'),
                ("not-the-systems", f'{_NAME} != {literal(SYSTEM)} && !{_NAME}.startsWith("kube-")'),
            ),
        ),
        mutations=({"patchType": "JSONPatch", "jsonPatch": {"expression": f"({labels}) + {label}"}},),
        plain=True,
    )
    return all_of([policy])
