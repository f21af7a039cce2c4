"""The policies of the plane itself: what is born on this machine belongs to its environment, and to its provider."""

from __future__ import annotations

from groundplane.apis.processes import FINALIZER, PROCESS, TASK
from groundplane.core.manifest import ENVIRONMENT_LABEL, Manifest
from groundplane.generate.companion._policy import Policy, Scope, all_of, composed, literal, mark, rule

SYSTEM = "crossplane-system"

_NAME = 'object.metadata.?name.orValue("")'  # one that is generated is not there yet


def own_policies(environment: str) -> list[Manifest]:
    """Return the policies that a plane has and a cluster does not."""
    return all_of([_environment_of_namespaces(environment), _provider_of_processes()])


def _environment_of_namespaces(environment: str) -> Policy:
    """Return what labels each new namespace with *environment*, unless it is labelled or the system's own."""
    key = ENVIRONMENT_LABEL.replace("/", "~1")
    labels = 'has(object.metadata.labels) ? [] : [JSONPatch{op: "add", path: "/metadata/labels", value: {}}]'
    label = f'[JSONPatch{{op: "add", path: "/metadata/labels/{key}", value: {literal(environment)}}}]'
    return Policy(
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


def _provider_of_processes() -> Policy:
    """Return what gives each new Process and Task the provider's finalizer: the provider need not write it then.

    It would be a write for each, which wakes the claim, and a claim is woken so and so often only.
    """
    none = "!has(object.metadata.finalizers)"
    patch = f'[JSONPatch{{op: "add", path: "/metadata/finalizers", value: [{literal(FINALIZER)}]}}]'
    return Policy(
        "process-finalizer",
        Scope(("CREATE",), composed((PROCESS, TASK)), conditions=(("none", none),)),
        mutations=({"patchType": "JSONPatch", "jsonPatch": {"expression": patch}},),
        plain=True,
    )
