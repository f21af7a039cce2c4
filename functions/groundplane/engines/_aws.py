"""Namespaced managed resources of provider-upjet-aws, as every AWS engine composes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import GROUP, JSON, Kind, Manifest, without_none

if TYPE_CHECKING:
    from groundplane.core.claim import Claim
    from groundplane.engines._environment import Aws

EXTERNAL_NAME: Final = "crossplane.io/external-name"

# Without LateInitialize: what the provider copies into the spec is its own for ever, and blocks later changes.
KEPT: Final = ("Observe", "Create", "Update")  # stays in the cloud when the managed resource goes
RELEASED: Final = (*KEPT, "Delete")

# Another value would be another object in the cloud.
IDENTITY: Final = (("spec", "providerConfigRef", "name"), ("spec", "forProvider", "region"))


def managed(  # noqa: PLR0913  # What differs between objects, by name.
    kind: Kind,
    name: str,
    aws: Aws,
    settings: Manifest,
    *,
    policies: tuple[str, ...] = RELEASED,
    external_name: str | None = None,
    **spec: JSON,
) -> Manifest:
    """Return the managed resource *name* with *settings* for the provider, entries that are None left out.

    *external_name* is for kinds whose name in the account would else be *name*, which is the same in every namespace.
    Never give it to a kind whose identifier the cloud makes up: the provider would fight for it.
    """
    manifest = kind.manifest(
        name,
        spec={
            "providerConfigRef": {"kind": "ClusterProviderConfig", "name": aws.provider_config},
            "managementPolicies": list(policies),
            "forProvider": {"region": aws.region, **without_none(settings)},
            **spec,
        },
    )
    if external_name:
        manifest["metadata"]["annotations"] = {EXTERNAL_NAME: external_name}
    return manifest


def tags(claim: Claim, aws: Aws) -> dict[str, str]:
    """Return the environment's tags, and whose the object is: the provider's own tags do not tell the namespace."""
    whose = {"environment": claim.environment, "namespace": claim.namespace, "claim": claim.label}
    return {**aws.tags, **{f"{GROUP}/{key}": value for key, value in whose.items()}}


def reference(name: str) -> Manifest:
    """Return a reference to the managed resource *name* that follows it when it is made anew."""
    return {"name": name, "policy": {"resolve": "Always"}}
