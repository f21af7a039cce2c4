"""What Crossplane installs: the metadata of a Function and a Configuration for each contract, and of them all together.

Registry, organisation and version are placeholders, because they are chosen when a package is built. A contract's
packages hold nothing of another's, so that each kind is upgraded and rolled back by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from groundplane import contracts, engines
from groundplane.engines.interface import all_kinds

if TYPE_CHECKING:
    from groundplane.contracts._base import Contract
    from groundplane.core.manifest import Kind, Manifest

ORG: Final = "groundplane"  # the organisation of a registry that packages are pushed to where nobody says another
WHOLE: Final = "configuration-groundplane"  # the Configuration that depends on every contract's
# The oldest that leaves alone what it does not own, and watches what a function requires; its pre-releases do, too.
CROSSPLANE: Final = ">=v2.4.0-0"
REPOSITORY: Final = "${REGISTRY}/${ORG}/"
VERSION: Final = "${VERSION}"

_LABEL_LENGTH: Final = 63
# Crossplane's providers have their namespaced kinds in groups of these names, and no operator's group ends like that.
_MANAGED: Final = (".m.crossplane.io", ".m.upbound.io")
# What tells a provider how to log in is no managed resource: Crossplane installs it at once and activates nothing.
_CONFIGURATION: Final = ("ProviderConfig", "ClusterProviderConfig")


def function(contract: str) -> str:
    """Return the name of the Function package of *contract*."""
    return f"function-{contract}"


def configuration(contract: str) -> str:
    """Return the name of the Configuration package of *contract*."""
    return f"configuration-{contract}"


def installed(name: str, org: str = ORG) -> str:
    """Return what the package *name* is called in a cluster when it was installed as a dependency.

    Crossplane makes a DNS label of the repository without its registry, and Compositions refer to that name.
    """
    path = f"{org}/{name}"[:_LABEL_LENGTH]
    return re.sub("[^a-z0-9-]", "", re.sub("[./:]", "-", path)).strip("-")


def files() -> dict[str, Manifest]:
    """Return every file of metadata, by path from the repository's root."""
    found: dict[str, Manifest] = {}
    for contract in map(contracts.load, contracts.names()):
        found[f"package/{function(contract.name)}/crossplane.yaml"] = _function(contract)
        folder = f"package/{configuration(contract.name)}"
        found[f"{folder}/crossplane.yaml"] = _configuration(contract)
        if managed := managed_kinds(contract.name):
            found[f"{folder}/activation.yaml"] = _activation(contract.name, managed)
    found[f"package/{WHOLE}/crossplane.yaml"] = _whole()
    return found


def managed_kinds(contract: str) -> list[str]:
    """Return the CRD names of all managed resources that engines of *contract* may compose."""
    found = (engines.load(contract, name) for name in engines.names(contract))
    return sorted({kind.crd for engine in found for kind in all_kinds(engine) if _is_managed(kind)})


def _is_managed(kind: Kind) -> bool:
    return kind.group.endswith(_MANAGED) and kind.kind not in _CONFIGURATION


def _function(contract: Contract) -> Manifest:
    description = f"The composition function that serves {contract.kind} claims. Install {WHOLE} instead."
    return _metadata("Function", function(contract.name), description, capabilities=["composition"])


def _configuration(contract: Contract) -> Manifest:
    description = f"The API {contract.kind}, and a Composition for each engine that can serve it."
    needs = [_dependency("Function", function(contract.name))]
    return _metadata("Configuration", configuration(contract.name), description, dependsOn=needs)


def _whole() -> Manifest:
    needs = [_dependency("Configuration", configuration(name)) for name in contracts.names()]
    return _metadata("Configuration", WHOLE, "Stateful platform services behind versioned claims.", dependsOn=needs)


def _metadata(kind: str, name: str, description: str, **spec: Any) -> Manifest:
    annotations = {"meta.crossplane.io/description": description, "meta.crossplane.io/license": "Apache-2.0"}
    return {
        "apiVersion": "meta.pkg.crossplane.io/v1",
        "kind": kind,
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"crossplane": {"version": CROSSPLANE}, **spec},
    }


def _dependency(kind: str, name: str) -> Manifest:
    """Return a dependency on exactly the version that was built together with what depends on it."""
    package = {"package": f"{REPOSITORY}{name}", "version": VERSION}
    return {"apiVersion": "pkg.crossplane.io/v1", "kind": kind, **package}


def _activation(contract: str, kinds: list[str]) -> Manifest:
    """Return what activates *kinds* where a platform activates nothing by itself; kinds not installed do no harm."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v1alpha1",
        "kind": "ManagedResourceActivationPolicy",
        "metadata": {"name": f"groundplane-{contract}"},
        "spec": {"activate": kinds},
    }
