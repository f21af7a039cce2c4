"""The environment decides: label and Composition of a claim come from its namespace, and stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane import contracts, engines
from groundplane.contracts.environment import DEFAULT
from groundplane.core.manifest import ENVIRONMENT_CONFIG, ENVIRONMENT_LABEL, GROUP
from groundplane.generate.companion._policy import (
    SETTINGS,
    Policy,
    Scope,
    Validation,
    claims,
    either,
    lines,
    literal,
    mark,
    may,
    rule,
)
from groundplane.generate.companion.claim import asked

if TYPE_CHECKING:
    from groundplane.core.manifest import Manifest

_NAMESPACE: Final = mark("labels", ENVIRONMENT_LABEL, "namespaceObject", DEFAULT)
_LABEL: Final = mark("labels", ENVIRONMENT_LABEL)
_OLD: Final = mark("labels", ENVIRONMENT_LABEL, "oldObject")
_CONTRACTS: Final = {contracts.load(name).plural: name for name in contracts.names()}
# Not a match condition: those know no namespace.
_HERE: Final = ("here", f"params.metadata.name == {_NAMESPACE}")
_CREATED: Final = 'request.operation == "CREATE"'
_CONTRACT: Final = ("contract", f"{literal(_CONTRACTS)}[request.resource.resource]")
# The name of the Composition that serves this kind by the environment's engine; empty when it names none.
_SERVING: Final = (
    "serving",
    """\
has(dyn(params).data) && "engines" in dyn(params).data && variables.contract in dyn(params).data.engines
? request.kind.kind.lowerAscii() + "-" + string(dyn(params).data.engines[variables.contract])
: \"\"""",
)
_REQUEST: Final = "[[request.kind.kind]] [[object.metadata.name]]"
_RELABEL: Final = f"kubectl label --overwrite namespace [[request.namespace]] {ENVIRONMENT_LABEL}=<environment>"
_CHOOSE: Final = (
    "Leave spec.crossplane out: the environment chooses. Or ask the platform team for verb choose on"
    f" engines.{GROUP} (ClusterRole groundplane:choose)."
)


def _has(field: str, of: str = "object") -> str:
    return f"has({of}.spec.crossplane) && has({of}.spec.crossplane.{field})"


def policies() -> list[Policy]:
    """Return what writes the environment into a claim, and what keeps it honest."""
    return [_write(), _put_back(), _label(), _engine(), _config()]


def _write() -> Policy:
    """Label always, Composition only where the claim chose none: two mutations, or a choice would cost the label."""
    within = _add("/spec/crossplane", "{}", unless="object.spec.crossplane")
    reference = _add("/spec/crossplane/compositionRef", '{"name": variables.serving}')
    return Policy(
        "environment",
        Scope(("CREATE",), claims()),
        variables=(
            _HERE,
            _CONTRACT,
            _SERVING,
            ("chosen", either(_has("compositionRef"), _has("compositionSelector"))),
        ),
        mutations=(
            _patch("variables.here", *_labelled("params.metadata.name")),
            _patch(lines("variables.here", "!variables.chosen", 'variables.serving != ""'), within, reference),
        ),
        environments=True,
    )


def _put_back() -> Policy:
    """Put back what `kubectl replace` drops: a claim in git has neither label nor Composition."""
    dropped = lines("has(oldObject.spec.crossplane)", "!has(object.spec.crossplane)")
    return Policy(
        "put-back",
        Scope(("UPDATE",), claims()),
        variables=(("label", mark("labels", ENVIRONMENT_LABEL, "oldObject")),),
        mutations=(
            _patch(lines('variables.label != ""', f'{_LABEL} == ""'), *_labelled("variables.label")),
            _patch(dropped, _add("/spec/crossplane", "oldObject.spec.crossplane")),
        ),
        plain=True,
    )


def _patch(when: str, *additions: str) -> Manifest:
    """Return a mutation of JSON: an apply configuration would refuse, in words of its own, what the schema refuses."""
    expression = f"{when}\n? {' + '.join(additions)}\n: []"
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def _add(path: str, value: str, unless: str = "") -> str:
    added = f'[JSONPatch{{op: "add", path: "{path}", value: {value}}}]'
    return f"(has({unless}) ? [] : {added})" if unless else added


def _labelled(value: str) -> tuple[str, str]:
    """Return what adds the label of the environment, and the labels where there are none."""
    key = ENVIRONMENT_LABEL.replace("/", "~1")
    return _add("/metadata/labels", "{}", unless="object.metadata.labels"), _add(f"/metadata/labels/{key}", value)


def _label() -> Policy:
    """The label is the namespace's, and stays; what is protected stands in a namespace that is."""
    choosing = either(
        _has("compositionSelector"),
        _has("compositionRevisionRef"),
        _has("compositionRevisionSelector"),
        f'{_has("compositionUpdatePolicy")} && object.spec.crossplane.compositionUpdatePolicy == "Manual"',
    )
    before = mark("labels", ENVIRONMENT_LABEL, "oldObject", DEFAULT)
    now = mark("labels", ENVIRONMENT_LABEL, otherwise=DEFAULT)
    return Policy(
        "environment-label",
        Scope(("CREATE", "UPDATE"), claims()),
        variables=(
            _CONTRACT,
            ("environment", _NAMESPACE),
            ("labelled", f'{mark("labels", ENVIRONMENT_LABEL, "namespaceObject")} != ""'),
            ("protects", f'({asked("object")}) == "Protect"'),
            ("protected", f'{_CREATED} ? false : ({asked("oldObject")}) == "Protect"'),
            ("choosing", choosing),
        ),
        validations=(
            Validation(
                either("variables.labelled", "!variables.protects", "variables.protected"),
                f"{_REQUEST} asks for deletionPolicy Protect, by itself or by its tier, and namespace"
                " [[request.namespace]] belongs to no environment: its deletion would not be refused. Write tier:"
                f" Development with deletionPolicy: Delete, or ask the platform team for: {_RELABEL}",
            ),
            Validation(
                either(f"!({_CREATED})", f"{_LABEL} == variables.environment"),
                "EnvironmentConfig [[variables.environment]] does not exist, and it serves the claims of namespace"
                f" [[request.namespace]]. Ask the platform team to create it, or to name another: {_RELABEL}"
                f" (Kubernetes before 1.36: write the claim's label yourself, {ENVIRONMENT_LABEL}:"
                " [[variables.environment]])",
            ),
            Validation(
                either(f"!({_CREATED})", _has("compositionRef"), _has("compositionSelector")),
                "EnvironmentConfig [[variables.environment]] names no engine for [[variables.contract]], or does not"
                " exist. Ask the platform team to set data.engines.[[variables.contract]] in it. (Kubernetes before"
                " 1.36: write spec.crossplane.compositionRef.name yourself,"
                " [[request.kind.kind.lowerAscii()]]-<engine>)",
            ),
            Validation(
                either(f"!({_CREATED})", "!variables.choosing", may("choose", "engines")),
                "spec.crossplane: a selector, a revision and compositionUpdatePolicy Manual are the platform's to"
                f" choose. {_CHOOSE}",
            ),
            Validation(
                either(_CREATED, f"{now} == {before}"),
                f"metadata.labels: {ENVIRONMENT_LABEL} is [[{before}]] for the life of the claim: names and places of"
                " its data follow from it. Leave it as it is; to move, restore into a new claim in a namespace of the"
                " other environment.",
            ),
        ),
        plain=True,
    )


def _engine() -> Policy:
    serves = '[[variables.serving == "" ? "no engine" : variables.serving]]'
    return Policy(
        "environment-engine",
        Scope(("CREATE",), claims(), conditions=(("chosen", _has("compositionRef")),)),
        variables=(_HERE, _CONTRACT, _SERVING),
        validations=(
            Validation(
                either(
                    "!variables.here",
                    "object.spec.crossplane.compositionRef.name == variables.serving",
                    may("choose", "engines"),
                ),
                "spec.crossplane.compositionRef: [[object.spec.crossplane.compositionRef.name]] is not offered here:"
                f" environment [[params.metadata.name]] serves [[variables.contract]] by {serves}. {_CHOOSE}",
            ),
        ),
        environments=True,
    )


def _config() -> Policy:
    known = {name: list(engines.names(name)) for name in contracts.names()}
    there = 'has(dyn(object).data) && "engines" in dyn(object).data'
    listed = "; ".join(f"{name}: {', '.join(found)}" for name, found in known.items())
    right = (
        "dyn(object).data.engines.all(contract, contract in variables.known &&"
        " dyn(object).data.engines[contract] in variables.known[contract])"
    )
    users = (
        'has(dyn(object).data) && "users" in dyn(object).data'
        ' && ["crossplane", "garbageCollector", "restore"].all(who, who in dyn(object).data.users'
        " && type(dyn(object).data.users[who]) == list && dyn(object).data.users[who].all(user, type(user) == string))"
        ' && ["crossplane", "garbageCollector"].all(who, dyn(object).data.users[who].size() > 0)'
    )
    return Policy(
        "environment-config",
        Scope(("CREATE", "UPDATE"), (rule(ENVIRONMENT_CONFIG.group, ENVIRONMENT_CONFIG.plural),)),
        variables=(("known", literal(known)),),
        validations=(
            Validation(
                either(f"!({there})", f"type(dyn(object).data.engines) == map && {right}"),
                "EnvironmentConfig [[object.metadata.name]]: data.engines names a contract or an engine that this"
                f" release does not have. There are: {listed}. Correct it, or apply a newer companion set.",
            ),
            Validation(
                either(f"object.metadata.name != {literal(SETTINGS)}", users),
                f"EnvironmentConfig {SETTINGS}: data.users needs the lists crossplane and garbageCollector, not empty,"
                " and restore, which may be: names of users, such as"
                " system:serviceaccount:crossplane-system:crossplane. Without them nothing would be protected.",
            ),
        ),
        plain=True,
    )
