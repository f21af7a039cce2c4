"""Admission policies as data, and the CEL that all of them speak."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane import contracts
from groundplane.core.manifest import CLAIM_LABEL, ENVIRONMENT_CONFIG, GROUP, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from groundplane.core.manifest import Kind

PREFIX: Final = "groundplane-"
SETTINGS: Final = "groundplane-companion"  # the EnvironmentConfig that names Crossplane's and the collector's users
LABELS: Final = {f"{GROUP}/companion": "policy"}
DELETE_ANYWAY: Final = f"{GROUP}/delete-anyway"  # breaks a protection; whoever sets it needs the verb override
DELETE_CONSENT: Final = f"{GROUP}/delete-consent"  # what goes takes data along, and whoever sets it knows

_API: Final = "admissionregistration.k8s.io/v1"
_PARAM_KIND: Final = {"apiVersion": ENVIRONMENT_CONFIG.api_version, "kind": ENVIRONMENT_CONFIG.kind}
_CEL: Final = re.compile(r"\[\[(.+?)\]\](?!\])")


@dataclass(frozen=True, slots=True)
class Validation:
    """What must hold, and what the person is told for whom it does not.

    In *message* what stands in ``[[ ]]`` is CEL that yields a string.
    """

    expression: str
    message: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests a policy sees; the narrower, the cheaper for everybody else."""

    operations: tuple[str, ...]
    rules: tuple[Manifest, ...]
    labels: tuple[Manifest, ...] = ()  # what the object, before or after, must be labelled with
    conditions: tuple[tuple[str, str], ...] = ()  # name and CEL; all must hold

    def constraints(self) -> Manifest:
        """Return them with every default written out, or a tool that compares would see a difference for ever."""
        fixed = {"apiVersions": ["*"], "operations": list(self.operations), "scope": "*"}
        return {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {"matchExpressions": list(self.labels)} if self.labels else {},
            "resourceRules": [{**rule, **fixed} for rule in self.rules],
        }


@dataclass(frozen=True, slots=True)
class Policy:
    """A ValidatingAdmissionPolicy with its one binding, or with *mutations* a MutatingAdmissionPolicy with its one.

    Parameters are `SETTINGS`, or with *environments* every EnvironmentConfig, or with *plain* none.
    """

    name: str
    scope: Scope
    validations: tuple[Validation, ...] = ()
    mutations: tuple[Manifest, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    environments: bool = False
    plain: bool = False

    def manifests(self) -> tuple[Manifest, Manifest]:
        """Return the policy and its binding."""
        kind = "MutatingAdmissionPolicy" if self.mutations else "ValidatingAdmissionPolicy"
        spec: Manifest = {"failurePolicy": "Fail", "matchConstraints": self.scope.constraints()}
        if self.scope.conditions:
            spec["matchConditions"] = [{"name": name, "expression": cel} for name, cel in self.scope.conditions]
        if self.variables:
            spec["variables"] = [{"name": name, "expression": cel} for name, cel in self.variables]
        if self.mutations:
            spec |= {"mutations": list(self.mutations), "reinvocationPolicy": "IfNeeded"}
        else:
            spec["validations"] = [_validation(entry) for entry in self.validations]
        bound: Manifest = {"policyName": PREFIX + self.name}
        if not self.mutations:
            bound["validationActions"] = ["Deny"]
        if not self.plain:
            which: Manifest = {"selector": {}} if self.environments else {"name": SETTINGS}
            spec["paramKind"] = dict(_PARAM_KIND)
            bound["paramRef"] = {**which, "parameterNotFoundAction": "Deny"}
        return _manifest(kind, self.name, spec), _manifest(f"{kind}Binding", self.name, bound)


def rule(group: str, *resources: str) -> Manifest:
    """Return the part of a scope that names *resources* of *group*."""
    return {"apiGroups": [group], "resources": sorted(resources)}


def claims(suffix: str = "") -> tuple[Manifest, ...]:
    """Return the part of a scope that names the claims of every contract, or a subresource of them."""
    return (rule(GROUP, *(f"{contracts.load(name).plural}{suffix}" for name in contracts.names())),)


def composed(kinds: Iterable[Kind]) -> tuple[Manifest, ...]:
    """Return the part of a scope that names *kinds*, one rule for each group."""
    by_group: dict[str, set[str]] = {}
    for kind in kinds:
        by_group.setdefault(kind.group, set()).add(kind.plural)
    return tuple(rule(group, *plurals) for group, plurals in sorted(by_group.items()))


CLAIMED: Final[Manifest] = {"key": CLAIM_LABEL, "operator": "Exists"}


def mark(section: str, key: str, of: str = "object", otherwise: str = "") -> str:
    """Return CEL for the label or annotation *key* of ``object`` or ``oldObject``; *otherwise* when it is not there."""
    return f"{of}.metadata.?{section}[?{literal(key)}].orValue({literal(otherwise)})"


def literal(value: object) -> str:
    """Return *value* as CEL."""
    return json.dumps(value, ensure_ascii=False)


def is_user(*names: str) -> str:
    """Return CEL that tells whether who asks is one of the users that `SETTINGS` has under *names*.

    dyn, here and elsewhere: to the API server's type checker an EnvironmentConfig has no data.
    """
    return " || ".join(f"request.userInfo.username in dyn(params).data.users.{name}" for name in names)


def may(verb: str, resource: str) -> str:
    """Return CEL that tells whether who asks has *verb* on the virtual *resource* in the namespace of the object.

    Asking about the claims themselves would not do: the role edit has every verb on them.
    """
    where = f"authorizer.group({literal(GROUP)}).resource({literal(resource)}).namespace(request.namespace)"
    return f"{where}.check({literal(verb)}).allowed()"


def told(message: str) -> str:
    """Return the CEL of *message*."""
    parts = _CEL.split(message)
    spoken = [f"({part})" if index % 2 else literal(part) for index, part in enumerate(parts) if part]
    return " + ".join(spoken)


def lines(*clauses: str) -> str:
    """Return CEL of which every one of *clauses* must hold, one a line."""
    return "\n&& ".join(f"({clause})" for clause in clauses)


def either(*clauses: str) -> str:
    """Return CEL of which one of *clauses* must hold, one a line."""
    return "\n|| ".join(f"({clause})" for clause in clauses)


def _validation(entry: Validation) -> Manifest:
    return {"expression": entry.expression, "messageExpression": told(entry.message), "reason": "Forbidden"}


def _manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": PREFIX + name, "labels": dict(LABELS)},
        "spec": spec,
    }


def all_of(policies: Sequence[Policy]) -> list[Manifest]:
    """Return the manifests of *policies*, each policy with its binding."""
    return [manifest for policy in policies for manifest in policy.manifests()]
