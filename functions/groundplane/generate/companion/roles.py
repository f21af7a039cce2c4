"""Who may do what: Crossplane, the people who use claims, and the controllers that read bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane import contracts
from groundplane.core.manifest import ENVIRONMENT_CONFIG, GRANTS, GROUP
from groundplane.generate.companion._policy import SETTINGS, composed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundplane.core.manifest import Kind, Manifest

READ: Final = ["get", "list", "watch"]
WRITE: Final = ["create", "update", "patch", "delete"]
GRANTS_VERSION: Final = "1"
USERS: Final = {
    "crossplane": ["system:serviceaccount:crossplane-system:crossplane"],
    "garbageCollector": ["system:serviceaccount:kube-system:generic-garbage-collector"],
    "restore": [],
}


def crossplane(kinds: Sequence[Kind]) -> Manifest:
    """Return what Crossplane must be allowed: all verbs for every kind composed, reading for what is only required.

    Verbs come in complete sets: one missing verb for one kind can stall every claim of a contract.
    """
    rules = [{**rule, "verbs": [*READ, *WRITE]} for rule in composed(kinds)]
    rules.append({"apiGroups": [ENVIRONMENT_CONFIG.group], "resources": [ENVIRONMENT_CONFIG.plural], "verbs": READ})
    return _role("aggregate-to-crossplane", {"rbac.crossplane.io/aggregate-to-crossplane": "true"}, rules)


def grants(kinds: Sequence[Kind]) -> Manifest:
    """Return the list of what `crossplane` grants, where the function can read it."""
    manifest = ENVIRONMENT_CONFIG.manifest(
        GRANTS, data={"version": GRANTS_VERSION, "kinds": sorted({kind.crd for kind in kinds})}
    )
    manifest["metadata"]["labels"] = {f"{GROUP}/companion": "grants"}
    return manifest


def settings() -> Manifest:
    """Return the users that policies treat apart, as most clusters call them; an overlay may say otherwise."""
    manifest = ENVIRONMENT_CONFIG.manifest(SETTINGS, data={"users": {name: list(who) for name, who in USERS.items()}})
    manifest["metadata"]["labels"] = {f"{GROUP}/companion": "settings"}
    return manifest


def consumers() -> list[Manifest]:
    """Return the roles of people and of the Service Binding controller.

    Reading and writing claims comes with Kubernetes' own view, edit and admin; what breaks a rule, a platform binds.
    """
    plurals = sorted(contracts.load(name).plural for name in contracts.names())
    claims = {"apiGroups": [GROUP], "resources": plurals}
    aggregate = "rbac.authorization.k8s.io/aggregate-to-"
    return [
        _role("view", {f"{aggregate}view": "true"}, [{**claims, "verbs": READ}]),
        _role("edit", {f"{aggregate}edit": "true", f"{aggregate}admin": "true"}, [{**claims, "verbs": WRITE}]),
        _role("service-binding", {"servicebinding.io/controller": "true"}, [{**claims, "verbs": READ}]),
        _role("choose", {}, [_virtual("engines", "choose")]),
        _role("override", {}, [_virtual("claims", "override")]),
    ]


def _virtual(resource: str, verb: str) -> Manifest:
    return {"apiGroups": [GROUP], "resources": [resource], "verbs": [verb]}


def _role(name: str, labels: dict[str, str], rules: list[Manifest]) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"groundplane:{name}", **({"labels": labels} if labels else {})},
        "rules": rules,
    }
