"""What a plane on this machine is born with: our kinds, Compositions, policies, and the environment of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from groundplane import contracts, engines
from groundplane.apis import processes
from groundplane.core.manifest import ENVIRONMENT_CONFIG, ENVIRONMENT_LABEL, Manifest
from groundplane.generate import companion, files, xrd
from groundplane.generate.companion import roles
from groundplane.generate.companion._policy import all_of
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.plane.default_environment import own_policies

MANAGER: Final = "groundplane"
ENVIRONMENT: Final = "local"
SYSTEM_NAMESPACE: Final = "crossplane-system"


def environment() -> Manifest:
    """Return the environment of this machine: there is no second node, so nothing survives the loss of the first."""
    data = {
        "engines": {name: ENVIRONMENT for name in contracts.names() if ENVIRONMENT in engines.names(name)},
        "waivers": ["FailureTolerance"],
    }
    return ENVIRONMENT_CONFIG.manifest(ENVIRONMENT, data=data)


def objects() -> Iterator[tuple[str, list[Manifest]]]:
    """Yield everything in the order in which it can be applied, each part with its name for people."""
    yield "the kinds Process and Task", [*map(files.machine_kind, processes.MODELS)]
    found = [contracts.load(name) for name in contracts.names()]
    yield "claims: " + ", ".join(one.kind for one in found), [xrd.definition(one) for one in found]
    compositions = [
        files.composition(one, engines.load(one.name, name)) for one in found for name in engines.names(one.name)
    ]
    yield f"{len(compositions)} Compositions", compositions
    yield f"environment {ENVIRONMENT}", [roles.settings(), environment(), roles.grants(companion.kinds())]
    policies = [manifest for several in companion.policies().values() for manifest in all_of(several)]
    policies += own_policies(ENVIRONMENT)
    yield f"{len(policies) // 2} policies", policies
    spaces = [SYSTEM_NAMESPACE, "default"]
    yield "namespaces", [_namespace(name, labelled=name == "default") for name in spaces]


def _namespace(name: str, *, labelled: bool) -> Manifest:
    labels = {ENVIRONMENT_LABEL: ENVIRONMENT} if labelled else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def install(api: Api) -> Iterator[str]:
    """Apply everything, and yield what was applied as it is; what is the same already is not written again.

    Raises:
        StatusError: the plane refuses something.
    """
    for name, manifests in objects():
        for manifest in manifests:
            request = api.request(
                manifest["apiVersion"], manifest["kind"], "", manifest["metadata"]["name"], manager=MANAGER, force=True
            )
            api.apply(request, manifest)
        yield name
