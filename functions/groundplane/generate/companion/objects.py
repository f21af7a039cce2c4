"""Composed objects: what holds data is not deleted, and whose an object is does not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import (
    CLAIM_LABEL,
    CLAIM_UID,
    DATA_UID,
    DELETION_POLICY,
    GROUP,
    GUARDED_LABEL,
    RETENTION_DAYS,
    RETIRE_CONSENT,
    SECRET,
    SLOT,
    TAKEOVER,
)
from groundplane.generate.companion._policy import (
    CLAIMED,
    DELETE_ANYWAY,
    Policy,
    Scope,
    Validation,
    composed,
    either,
    is_user,
    lines,
    literal,
    mark,
)
from groundplane.generate.companion.claim import ANYWAY, ANYWAY_RULE, OVERRIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundplane.core.manifest import Kind

SLOT_PATTERN: Final = "^[a-z][a-z0-9]*-[1-9][0-9]*$"
COMPOSED_NAME: Final = "crossplane.io/composition-resource-name"
EXTERNAL_NAME: Final = "crossplane.io/external-name"
MARKS: Final = (CLAIM_UID, DATA_UID, DELETION_POLICY, RETENTION_DAYS, RETIRE_CONSENT, SLOT, COMPOSED_NAME)
_GUARDED: Final = {"key": GUARDED_LABEL, "operator": "In", "values": ["true"]}
_OBJECT: Final = "[[request.kind.kind]] [[object.metadata.name]]"
_CREATED: Final = 'request.operation == "CREATE"'


def policies(kinds: Sequence[Kind]) -> list[Policy]:
    """Return what protects objects of *kinds*, which are all that engines compose."""
    return [_guarded(kinds), _identity(kinds), _binding()]


def _guarded(kinds: Sequence[Kind]) -> Policy:
    claim = f"[[{mark('labels', CLAIM_LABEL, 'oldObject')}]]"
    resource = '[[request.resource.resource + (request.resource.group == "" ? "" : "." + request.resource.group)]]'
    name = "[[oldObject.metadata.name]]"
    return Policy(
        "guarded",
        Scope(("DELETE",), composed(kinds), labels=(CLAIMED, _GUARDED)),
        variables=(
            ("inForce", mark("annotations", DELETION_POLICY, "oldObject")),
            ("consent", mark("annotations", RETIRE_CONSENT, "oldObject")),
            ("composed", mark("annotations", COMPOSED_NAME, "oldObject")),
        ),
        validations=(
            Validation(
                either(
                    ANYWAY,
                    f'({is_user("garbageCollector")}) && variables.inForce == "Delete"',
                    f"({is_user('crossplane')}) && variables.consent.matches({literal(SLOT_PATTERN)})"
                    ' && variables.composed.startsWith(variables.consent + "-")',
                ),
                f"[[request.kind.kind]] {name} holds data of claim {claim} or the keys to them, and nobody consented to"
                " its deletion. To destroy the data, set deletionPolicy: Delete on the claim and delete the claim once"
                f" its status.deletion.inForce says Delete. An emergency: kubectl annotate -n [[request.namespace]]"
                f" {resource} {name} {DELETE_ANYWAY}={name}, which needs verb override on claims.{GROUP}.",
            ),
        ),
    )


def _identity(kinds: Sequence[Kind]) -> Policy:
    controllers = (
        "{of}.metadata.?ownerReferences.orValue([]).filter(owner, owner.?controller.orValue(false))"
        ".map(owner, owner.uid)"
    )
    now, before = controllers.format(of="object"), controllers.format(of="oldObject")
    label, old = mark("labels", CLAIM_LABEL), mark("labels", CLAIM_LABEL, "oldObject")
    guard = f"{mark('labels', GUARDED_LABEL)} == {mark('labels', GUARDED_LABEL, 'oldObject')}"
    named, before_named = mark("annotations", EXTERNAL_NAME), mark("annotations", EXTERNAL_NAME, "oldObject")
    marks = (f"{mark('annotations', key)} == {mark('annotations', key, 'oldObject')}" for key in MARKS)
    return Policy(
        "identity",
        Scope(("CREATE", "UPDATE"), composed(kinds), labels=(CLAIMED,)),
        variables=(
            ("crossplane", is_user("crossplane")),
            ("platform", is_user("crossplane", "restore")),
            ("owners", is_user("crossplane", "restore", "garbageCollector")),
        ),
        validations=(
            Validation(
                either(f"!({_CREATED})", "variables.platform"),
                f"metadata.labels: {CLAIM_LABEL} says what belongs to a claim, and Crossplane alone sets it. Leave it"
                f" out of {_OBJECT}; it is not part of claim [[{label}]].",
            ),
            Validation(
                either(_CREATED, "!variables.crossplane", f"{label} == {old}"),
                f"{_OBJECT} in namespace [[request.namespace]] exists and does not belong to claim [[{label}]], which"
                " needs the name. Nothing was touched. Remove or rename it, or give the claim another name.",
            ),
            Validation(
                either(_CREATED, "variables.crossplane", f"{label} == {old}"),
                f'metadata.labels: {CLAIM_LABEL} of {_OBJECT} ([[{old} == "" ? "not there" : {old}]]) stays as it'
                " is: it says what belongs to a claim. Leave it.",
            ),
            Validation(
                either(_CREATED, "variables.owners", f"{now} == {before}"),
                f"metadata.ownerReferences: the controller of {_OBJECT} is its claim, and only Crossplane and the"
                " garbage collector change that. Leave it; to keep the object, keep the claim.",
            ),
            Validation(
                either(_CREATED, "variables.platform", lines(guard, *marks)),
                f"{_OBJECT}: the label {GUARDED_LABEL} and the annotations {', '.join(MARKS)} decide what may be"
                " deleted, and Crossplane alone writes them. Leave them; change the claim instead.",
            ),
            ANYWAY_RULE,
            Validation(
                either(
                    f'{mark("annotations", TAKEOVER)} == ""',
                    f"!({_CREATED}) && {mark('annotations', TAKEOVER)} == {mark('annotations', TAKEOVER, 'oldObject')}",
                    OVERRIDE,
                ),
                f"metadata.annotations: {TAKEOVER} gives the data of {_OBJECT} to a new claim of the name, and setting"
                f" it needs verb override on claims.{GROUP} in namespace [[request.namespace]] (ClusterRole"
                " groundplane:override). Leave it out, or ask the platform team.",
            ),
            Validation(
                # Providers write it once, and people where a provider forgot it.
                either(_CREATED, "variables.platform", f'{before_named} == ""', f"{named} == {before_named}"),
                f"{_OBJECT}: the annotation {EXTERNAL_NAME} is [[{before_named}]], by which the provider finds what it"
                " made. With another it would take over what has that name, and leave behind what it made. Leave it.",
            ),
        ),
    )


def _binding() -> Policy:
    return Policy(
        "binding",
        Scope(
            ("UPDATE",),
            composed([SECRET]),
            labels=(CLAIMED,),
            conditions=(("is-a-binding", 'oldObject.?type.orValue("").startsWith("servicebinding.io/")'),),
        ),
        validations=(
            Validation(
                either(is_user("crossplane", "restore"), "object.?data == oldObject.?data"),
                "Secret [[object.metadata.name]] is the binding of claim"
                f" [[{mark('labels', CLAIM_LABEL, 'oldObject')}]]: Crossplane alone writes its entries, and would write"
                " yours over. To change the password, change the Secret of the login.",
            ),
        ),
    )
