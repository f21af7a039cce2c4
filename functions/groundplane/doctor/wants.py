"""What must be read to know: the kinds and rights that follow from contracts and engines, and Crossplane's own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from groundplane import contracts, engines
from groundplane.core.manifest import ENVIRONMENT_CONFIG, ENVIRONMENT_LABEL, GROUP, VERSION, Kind
from groundplane.doctor.snapshot import Listing, Right
from groundplane.engines.interface import all_kinds
from groundplane.generate import companion
from groundplane.generate.companion import roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.contracts._base import Contract
    from groundplane.engines.interface import Engine

_EXTENSIONS: Final = "apiextensions.crossplane.io"
_PACKAGES: Final = "pkg.crossplane.io/v1"
_ADMISSION: Final = "admissionregistration.k8s.io/v1"

XRD: Final = Kind(f"{_EXTENSIONS}/v2", "CompositeResourceDefinition", "compositeresourcedefinitions")
COMPOSITION: Final = Kind(f"{_EXTENSIONS}/v1", "Composition", "compositions")
MANAGED: Final = Kind(f"{_EXTENSIONS}/v1alpha1", "ManagedResourceDefinition", "managedresourcedefinitions")
ACTIVATION: Final = Kind(
    f"{_EXTENSIONS}/v1alpha1", "ManagedResourceActivationPolicy", "managedresourceactivationpolicies"
)
CONFIGURATION: Final = Kind(_PACKAGES, "Configuration", "configurations")
CONFIGURATION_REVISION: Final = Kind(_PACKAGES, "ConfigurationRevision", "configurationrevisions")
FUNCTION: Final = Kind(_PACKAGES, "Function", "functions")
FUNCTION_REVISION: Final = Kind(_PACKAGES, "FunctionRevision", "functionrevisions")
PROVIDER: Final = Kind(_PACKAGES, "Provider", "providers")
PROVIDER_REVISION: Final = Kind(_PACKAGES, "ProviderRevision", "providerrevisions")
VALIDATING: Final = Kind(_ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies")
MUTATING: Final = Kind(_ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies")
VALIDATING_BINDING: Final = Kind(_ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings")
MUTATING_BINDING: Final = Kind(_ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings")
CRD: Final = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions")
CLUSTER_ROLE: Final = Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
NAMESPACE: Final = Kind("v1", "Namespace", "namespaces")

POLICIES: Final = (VALIDATING, VALIDATING_BINDING, MUTATING, MUTATING_BINDING)

CROSSPLANE_PODS: Final = Listing(DEPLOYMENT, "app.kubernetes.io/component=cloud-infrastructure-controller")
CROSSPLANE_ROLE: Final = Listing(CLUSTER_ROLE, name="crossplane")  # the chart labels it with the version
EVERY_VERB: Final = (*roles.READ, *roles.WRITE)
ENVIRONMENTS: Final = Listing(ENVIRONMENT_CONFIG)
NAMESPACES: Final = Listing(NAMESPACE, ENVIRONMENT_LABEL)

# What Crossplane needs for the claims themselves. Its RBAC manager grants it when an XRD appears.
_CLAIM_VERBS: Final = {
    "": ("get", "list", "watch", "update", "patch"),
    "/status": ("update", "patch"),
    "/finalizers": ("update",),
}


@cache
def every_engine() -> tuple[tuple[Contract, Engine[Any, Any]], ...]:
    """Return every engine of this build, with its contract."""
    return tuple(
        (contract, engines.load(contract.name, name))
        for contract in map(contracts.load, contracts.names())
        for name in engines.names(contract.name)
    )


def claim_kind(contract: Contract) -> Kind:
    """Return the kind of *contract*'s claims."""
    return Kind(f"{GROUP}/{VERSION}", contract.kind, contract.plural)


def claims(contract: Contract) -> Listing:
    """Return the listing of all claims of *contract*."""
    return Listing(claim_kind(contract), scoped=True)


def every_contract() -> tuple[Contract, ...]:
    """Return every contract of this build."""
    return tuple(map(contracts.load, contracts.names()))


def listings() -> list[Listing]:
    """Return everything that is read, whatever the cluster turns out to have."""
    packages = (CONFIGURATION, CONFIGURATION_REVISION, FUNCTION, FUNCTION_REVISION, PROVIDER, PROVIDER_REVISION)
    found = [CROSSPLANE_PODS, CROSSPLANE_ROLE, ENVIRONMENTS, NAMESPACES]
    found += [Listing(kind) for kind in (XRD, COMPOSITION, *packages, *POLICIES)]
    found += [claims(contract) for contract in every_contract()]
    for _, engine in every_engine():
        for operator in engine.operators:
            found += [Listing(DEPLOYMENT, selector) for selector in operator.labels]
            found += [Listing(CRD, name=operator.kinds[0].crd)] if operator.annotation else []
    return list(dict.fromkeys(found))


def definitions(engine: Engine[Any, Any]) -> list[Kind]:
    """Return the kinds of *engine* that somebody must install."""
    return [kind for kind in all_kinds(engine) if not kind.builtin]


def discovered() -> list[str]:
    """Return the API groups that are asked what they serve."""
    kinds = [listing.kind for listing in listings()]
    kinds += [MANAGED, ACTIVATION, *(kind for _, engine in every_engine() for kind in all_kinds(engine))]
    return sorted({kind.group for kind in kinds if kind.group})


def rights() -> list[Right]:
    """Return what Crossplane must be allowed: what the companion's ClusterRole grants, and the claims themselves."""
    return [*dict.fromkeys([*composed(), *(right for contract in every_contract() for right in of_claims(contract))])]


def composed() -> Iterator[Right]:
    """Yield what Crossplane must be allowed with what engines compose or require."""
    for rule in roles.crossplane(companion.kinds())["rules"]:
        for group in rule.get("apiGroups", ()):
            for resource in rule.get("resources", ()):
                yield from (Right(verb, group, resource) for verb in rule["verbs"])


def of_claims(contract: Contract) -> list[Right]:
    """Return what Crossplane must be allowed with the claims of *contract*."""
    kind = claim_kind(contract)
    return [Right(verb, kind.group, f"{kind.plural}{part}") for part, verbs in _CLAIM_VERBS.items() for verb in verbs]
