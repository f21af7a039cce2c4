"""What takes claims and data along when it goes: namespaces, and the definitions of kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane import contracts
from groundplane.core.manifest import ENVIRONMENT_CONFIG, ENVIRONMENT_LABEL, GROUP
from groundplane.generate.companion._policy import (
    DELETE_CONSENT,
    Policy,
    Scope,
    Validation,
    either,
    literal,
    mark,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundplane.core.manifest import Kind

_CONSENTED: Final = f"{mark('annotations', DELETE_CONSENT, 'oldObject')} == oldObject.metadata.name"
_NAME: Final = "[[oldObject.metadata.name]]"
_CROSSPLANE: Final = "apiextensions.crossplane.io"
# Without these Crossplane knows no claims, and the policies no users.
_FOUNDATIONS: Final = ("compositeresourcedefinitions", "compositions", "compositionrevisions")


def policies(kinds: Sequence[Kind]) -> list[Policy]:
    """Return what protects namespaces, our definitions, and those of *kinds*."""
    return [_namespace(), _definitions(kinds)]


def definitions(kinds: Sequence[Kind]) -> list[str]:
    """Return the names of the CustomResourceDefinitions and XRDs that must stay while there are claims."""
    ours = {f"{contracts.load(name).plural}.{GROUP}" for name in contracts.names()}
    theirs = {kind.crd for kind in kinds if not kind.builtin}
    return sorted(ours | theirs | {f"{plural}.{_CROSSPLANE}" for plural in _FOUNDATIONS} | {ENVIRONMENT_CONFIG.crd})


def _namespace() -> Policy:
    label = mark("labels", ENVIRONMENT_LABEL)
    annotate = f"kubectl annotate namespace {_NAME} {DELETE_CONSENT}={_NAME}"
    return Policy(
        "namespace",
        Scope(
            ("UPDATE", "DELETE"),
            (rule("", "namespaces"),),
            labels=({"key": ENVIRONMENT_LABEL, "operator": "Exists"},),
        ),
        validations=(
            Validation(
                either('request.operation != "DELETE"', _CONSENTED),
                f"namespace {_NAME} belongs to environment [[{mark('labels', ENVIRONMENT_LABEL, 'oldObject')}]], and"
                " whatever its claims do not protect goes with it. Delete its claims first: kubectl get groundplane -n"
                f" {_NAME}. Then: {annotate}, and delete it.",
            ),
            Validation(
                either('request.operation != "UPDATE"', f'{label} != ""', _CONSENTED),
                f"namespace {_NAME}: without the label {ENVIRONMENT_LABEL} its deletion would not be refused. To take"
                f" the label off: {annotate} first. To move new claims to another environment, change the label's"
                " value.",
            ),
        ),
        plain=True,
    )


def _definitions(kinds: Sequence[Kind]) -> Policy:
    resource = "[[request.resource.resource]].[[request.resource.group]]"
    return Policy(
        "definitions",
        Scope(
            ("DELETE",),
            (
                rule("apiextensions.k8s.io", "customresourcedefinitions"),
                rule(_CROSSPLANE, "compositeresourcedefinitions"),
            ),
            # By the object's name, not by resourceNames: deleting a collection names nothing.
            conditions=(("ours", f"oldObject.metadata.name in {literal(definitions(kinds))}"),),
        ),
        validations=(
            Validation(
                _CONSENTED,
                f"[[request.kind.kind]] {_NAME}: deleting it destroys every object of the kind, and no other policy"
                " would see that. Delete the claims first: kubectl get groundplane -A. Then: kubectl annotate"
                f" {resource} {_NAME} {DELETE_CONSENT}={_NAME}, and delete it.",
            ),
        ),
        plain=True,
    )
