"""Policies and their bindings as data, and which requests they are about."""

from __future__ import annotations

from dataclasses import dataclass

from groundplane.core.manifest import Manifest, at
from groundplane.local.admission.asked import Asked


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
    def kind(self) -> str:
        """The policy's kind."""
        return str(self.policy["kind"])

    @property
    def spec(self) -> Manifest:
        """The policy's spec."""
        found: Manifest = self.policy["spec"]
        return found

    def selects(self, asked: Asked, namespace: Manifest | None) -> bool:
        """Tell whether the policy is about *asked*, in *namespace*, before its conditions are looked at."""
        both = (at(self.spec, "matchConstraints"), at(self.binding, "spec", "matchResources"))
        return all(_matches(constraints, asked, namespace) for constraints in both if constraints)


def bound(policies: list[Manifest], bindings: list[Manifest]) -> list[Bound]:
    """Return every policy with each of its bindings, by name; what is not bound is about nothing."""
    known = {one["metadata"]["name"]: one for one in policies}
    pairs = ((known.get(at(one, "spec", "policyName")), one) for one in bindings)
    found = [Bound(policy, binding) for policy, binding in pairs if policy is not None]
    return sorted(found, key=lambda one: (one.name, one.binding["metadata"]["name"]))


def _matches(constraints: Manifest, asked: Asked, namespace: Manifest | None) -> bool:
    rules, excluded = constraints.get("resourceRules") or [], constraints.get("excludeResourceRules") or []
    if rules and not any(_rule(one, asked) for one in rules):
        return False
    if any(_rule(one, asked) for one in excluded):
        return False
    of_namespace = asked.new or asked.old if asked.plural == "namespaces" and not asked.group else namespace
    if of_namespace is not None and not _selected(constraints.get("namespaceSelector") or {}, of_namespace):
        return False
    selector = constraints.get("objectSelector") or {}
    return any(one is not None and _selected(selector, one) for one in (asked.new, asked.old))


def _rule(rule: Manifest, asked: Asked) -> bool:
    resource = f"{asked.plural}/{asked.subresource}" if asked.subresource else asked.plural
    wildcards = {resource, "*/*", f"*/{asked.subresource}" if asked.subresource else "*", f"{asked.plural}/*"}
    scope = rule.get("scope") or "*"
    return (
        _among(rule.get("operations"), asked.operation)
        and _among(rule.get("apiGroups"), asked.group)
        and _among(rule.get("apiVersions"), asked.version)
        and bool(wildcards & set(rule.get("resources") or ()))
        and scope in {"*", "Namespaced" if asked.namespaced else "Cluster"}
        and (not rule.get("resourceNames") or asked.name in rule["resourceNames"])
    )


def _among(known: list[str] | None, value: str) -> bool:
    return "*" in (known or ()) or value in (known or ())


def _selected(selector: Manifest, found: Manifest) -> bool:
    labels = at(found, "metadata", "labels") or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expressed(one, labels) for one in selector.get("matchExpressions") or [])


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
