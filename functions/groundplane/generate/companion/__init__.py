"""The companion set: what a package cannot carry, applied with ``kubectl apply -k package/companion``.

It is part of the safety, not an extra: a function does not run when something is deleted, so what permits or prevents
that must already stand in the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from groundplane import contracts, engines
from groundplane.engines.interface import all_kinds
from groundplane.generate.companion import claim, definitions, environment, objects, roles, runtime
from groundplane.generate.companion._policy import Policy, all_of

if TYPE_CHECKING:
    from groundplane.core.manifest import Kind, Manifest
    from groundplane.engines.interface import Engine

FOLDER: Final = "package/companion"
OVERLAYS: Final = "package/overlays"  # beside it: kustomize refuses a base that contains its overlay
# A cluster before Kubernetes 1.36 does not know the kind.
BEFORE_1_36: Final = ("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding")


def kinds() -> tuple[Kind, ...]:
    """Return every kind that some engine composes."""
    every: dict[str, Kind] = {}
    for contract in contracts.names():
        for name in engines.names(contract):
            engine: Engine[Any, Any] = engines.load(contract, name)
            every |= {kind.crd: kind for kind in all_kinds(engine)}
    return tuple(every[crd] for crd in sorted(every))


def policies() -> dict[str, list[Policy]]:
    """Return all policies, by the file they stand in."""
    return {
        "environment": environment.policies(),
        "claims": claim.policies(),
        "objects": objects.policies(kinds()),
        "definitions": definitions.policies(kinds()),
    }


def files() -> dict[str, list[Manifest]]:
    """Return the manifests of every file of the set, by path from the repository's root."""
    found = {
        "crossplane": [roles.crossplane(kinds()), roles.grants(kinds())],
        "settings": [roles.settings()],
        "consumers": roles.consumers(),
        "runtime": [runtime.config()],
        **{name: all_of(entries) for name, entries in policies().items()},
    }
    paths = {f"{FOLDER}/{name}.yaml": manifests for name, manifests in found.items()}
    resources = [f"{name}.yaml" for name in sorted(found)]
    paths[f"{FOLDER}/kustomization.yaml"] = [_kustomization(resources=resources)]
    old = [
        {"target": {"kind": kind}, "patch": f"$patch: delete\napiVersion: v1\nkind: {kind}\nmetadata:\n  name: any\n"}
        for kind in BEFORE_1_36
    ]
    paths[f"{OVERLAYS}/before-1.36/kustomization.yaml"] = [_kustomization(resources=["../../companion"], patches=old)]
    return paths


def _kustomization(**sections: object) -> Manifest:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **sections}
