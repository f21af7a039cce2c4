"""Policies and their bindings as data, and which requests they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from groundplane.core.manifest import Manifest, at
from groundplane.local.apiserver.admission.attributes import Asked

#: Returns the versions in which a kind is served, by its group and plural.
Versions = Callable[[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy with one of its bindings."""

    policy: Manifest
    binding: Manifest

    @property
    def name(self) -> str:
        """The policy's name."""
        return str(self.policy["metadata"]["name"])

    @property
    def binding_name(self) -> str:
        """The binding's name."""
        return str(self.binding["metadata"]["name"])

    @property
    def spec(self) -> Manifest:
        """The policy's spec."""
        found: Manifest = self.policy["spec"]
        return found

    @property
    def fails(self) -> bool:
        """Whether a request is refused when the policy cannot be asked."""
        return self.spec.get("failurePolicy") != "Ignore"

    @property
    def variables(self) -> dict[str, str]:
        """How each variable is worked out, by its name."""
        return {entry["name"]: entry["expression"] for entry in self.spec.get("variables") or []}

    @property
    def names(self) -> tuple[str, ...]:
        """What its expressions may use beside what all know."""
        return ("params", "variables") if self.spec.get("paramKind") else ("variables",)

    def concerns(self, asked: Asked, versions: Versions) -> bool:
        """Tell whether its rules name *asked*, wherever that is and whatever is in it."""
        return all(_named(constraints, asked, versions) for constraints in self._constraints())

    def selects(self, asked: Asked, namespace: Manifest | None) -> bool:
        """Tell whether its selectors select *asked*, in *namespace*."""
        return all(_placed(constraints, asked, namespace) for constraints in self._constraints())

    def _constraints(self) -> list[Manifest]:
        both = (self.spec.get("matchConstraints"), at(self.binding, "spec", "matchResources"))
        return [one for one in both if one]


def bound(policies: list[Manifest], bindings: list[Manifest]) -> list[Bound]:
    """Return every policy with each of its bindings, by name; what is not bound is about nothing."""
    known = {one["metadata"]["name"]: one for one in policies}
    pairs = ((known.get(at(one, "spec", "policyName")), one) for one in bindings)
    found = [Bound(policy, binding) for policy, binding in pairs if policy is not None]
    return sorted(found, key=lambda one: (one.name, one.binding_name))


def selected(selector: Manifest, found: Manifest | None) -> bool:
    """Return whether *selector*, as policies write it, selects the object *found*; it never selects what is not."""
    if found is None:
        return False
    labels = at(found, "metadata", "labels") or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expressed(one, labels) for one in selector.get("matchExpressions") or [])


def _named(constraints: Manifest, asked: Asked, versions: Versions) -> bool:
    equivalent = constraints.get("matchPolicy") != "Exact"
    rules, excluded = constraints.get("resourceRules") or [], constraints.get("excludeResourceRules") or []
    if rules and not any(_rule(one, asked, versions, equivalent=equivalent) for one in rules):
        return False
    return not any(_rule(one, asked, versions, equivalent=equivalent) for one in excluded)


def _placed(constraints: Manifest, asked: Asked, namespace: Manifest | None) -> bool:
    if asked.plural == "namespaces" and not asked.group:
        namespace = asked.new or asked.old
    spaces = constraints.get("namespaceSelector")
    if spaces and namespace is not None and not selected(spaces, namespace):
        return False
    return any(selected(constraints.get("objectSelector") or {}, one) for one in (asked.new, asked.old))


def _rule(rule: Manifest, asked: Asked, versions: Versions, *, equivalent: bool) -> bool:
    resource = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
    wildcards = {resource, "*/*", f"*/{asked.subresource}" if asked.subresource else "*", f"{asked.plural}/*"}
    return (
        _among(rule["apiGroups"], asked.group)
        and not wildcards.isdisjoint(rule["resources"])
        and _among(rule["operations"], asked.operation)
        and (rule.get("scope") or "*") in {"*", "Namespaced" if asked.namespaced else "Cluster"}
        and (not rule.get("resourceNames") or asked.name in rule["resourceNames"])
        and _version(rule["apiVersions"], asked, versions, equivalent=equivalent)
    )


def _version(known: list[str], asked: Asked, versions: Versions, *, equivalent: bool) -> bool:
    if _among(known, asked.version):
        return True
    # The same object is written through every version of its kind.
    return equivalent and any(one in known for one in versions(asked.group, asked.plural))


def _among(known: list[str], value: str) -> bool:
    return "*" in known or value in known


def _expressed(one: Manifest, labels: Manifest) -> bool:
    value, values = labels.get(one["key"]), one.get("values") or []
    match one["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None
