"""A claim under protection is not deleted, and nobody talks the policies into it."""

from __future__ import annotations

from typing import Final

from groundplane import contracts
from groundplane.contracts.common import CommonSpec
from groundplane.contracts.tiers import PRESETS
from groundplane.core.manifest import GROUP
from groundplane.generate.companion._policy import (
    DELETE_ANYWAY,
    Policy,
    Scope,
    Validation,
    claims,
    either,
    is_user,
    literal,
    mark,
    may,
)


def presets() -> dict[str, dict[str, str]]:
    """Return the deletion policy of each tier, by the claims' resource."""
    return {
        contracts.load(name).plural: {str(tier): preset.deletion_policy for tier, preset in PRESETS[name].items()}
        for name in contracts.names()
    }


def asked(of: str) -> str:
    """Return CEL for the deletion policy that ``object`` or ``oldObject`` asks for: its own, else its tier's.

    A policy sees the claim as it is written, not what is in force.
    """
    tier = f"has({of}.spec.tier) ? {of}.spec.tier : {literal(str(CommonSpec().tier))}"
    preset = f"{literal(presets())}[request.resource.resource][{tier}]"
    return f"has({of}.spec.deletionPolicy) ? {of}.spec.deletionPolicy : {preset}"


OVERRIDE: Final = may("override", "claims")
ANYWAY: Final = f"{mark('annotations', DELETE_ANYWAY, 'oldObject')} == oldObject.metadata.name"
ANYWAY_RULE: Final = Validation(
    either(
        f'{mark("annotations", DELETE_ANYWAY)} == ""',
        f'request.operation == "UPDATE" && {mark("annotations", DELETE_ANYWAY)} =='
        f" {mark('annotations', DELETE_ANYWAY, 'oldObject')}",
        OVERRIDE,
    ),
    f"metadata.annotations: {DELETE_ANYWAY} breaks the protection of data, and setting it needs verb override on"
    f" claims.{GROUP} in namespace [[request.namespace]] (ClusterRole groundplane:override). Leave it out, or ask the"
    " platform team.",
)
_WHAT: Final = "[[request.kind.kind]] [[oldObject.metadata.name]]"
_RESOURCE: Final = "[[request.resource.resource]]"


def policies() -> list[Policy]:
    """Return what protects a claim from deletion."""
    return [_deletion(), _override(), _status()]


def _deletion() -> Policy:
    name, namespace = "[[oldObject.metadata.name]]", "[[request.namespace]]"
    patch = (
        f'kubectl patch -n {namespace} {_RESOURCE} {name} --type merge -p \'{{"spec":{{"deletionPolicy":"Delete"}}}}\''
    )
    wait = f"kubectl wait -n {namespace} {_RESOURCE} {name} --for=jsonpath='{{.status.deletion.inForce}}'=Delete"
    return Policy(
        "claim-deletion",
        Scope(("DELETE",), claims()),
        variables=(
            ("asked", asked("oldObject")),
            (
                "inForce",
                'oldObject.?status.deletion.inForce.orValue("unknown")',
            ),
            (
                "free",  # nothing that holds data was ever made, or somebody who may has said so
                f"!has(oldObject.status) || !has(oldObject.status.engine)\n|| {ANYWAY}",
            ),
        ),
        validations=(
            Validation(
                either("variables.free", 'variables.asked != "Protect"'),
                f"{_WHAT} is protected: its deletionPolicy is Protect, by itself or by its tier. To destroy it with its"
                f" data: {patch}; wait: {wait}; then delete it.",
            ),
            Validation(
                either("variables.free", "variables.asked == variables.inForce"),
                f"{_WHAT} asks for deletionPolicy [[variables.asked]], and on its objects [[variables.inForce]] is"
                f" still in force. Wait: {wait}; then delete it. If that never comes, condition Accepted says why.",
            ),
        ),
        plain=True,
    )


def _override() -> Policy:
    return Policy("claim-override", Scope(("CREATE", "UPDATE"), claims()), validations=(ANYWAY_RULE,), plain=True)


def _status() -> Policy:
    return Policy(
        "claim-status",
        Scope(("UPDATE",), claims("/status")),
        validations=(
            Validation(
                either(is_user("crossplane"), OVERRIDE),
                "[[request.kind.kind]] [[object.metadata.name]]: status is written by Crossplane alone: whether a claim"
                f" may be deleted is read there. An emergency needs verb override on claims.{GROUP} (ClusterRole"
                " groundplane:override).",
            ),
        ),
    )
