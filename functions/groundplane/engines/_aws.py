"""Namespaced managed resources of provider-upjet-aws, as every AWS engine composes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import CLAIM_UID, GROUP, JSON, Kind, Manifest, without_none

if TYPE_CHECKING:
    from groundplane.core.claim import Claim
    from groundplane.core.observation import Observed
    from groundplane.engines._environment import Aws

EXTERNAL_NAME: Final = "crossplane.io/external-name"

# Without LateInitialize: what the provider copies into the spec is its own for ever, and blocks later changes. The
# price is that it never writes a name that the cloud made up into the object: `external_name` is composed for that.
SEEN: Final = ("Observe",)  # looked at, and never touched
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

    *external_name* is what the provider finds the object in the account by. For kinds that are named by it, it is
    always given: the name would else be *name*, which is the same in every namespace. For kinds whose identifier the
    cloud makes up it is given once that identifier is known, and never before: the provider would take over whatever
    has it. From then on it neither changes nor goes, or a provider that was restarted makes the object again and never
    deletes the one before.
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


def external_name(observed: Observed | None) -> str | None:
    """Return the name that the cloud made up, or None while nobody told it.

    What stands in the object wins over what the provider reports: that may be the same thing by another name.
    """
    if observed is None:
        return None
    told = observed.annotation(EXTERNAL_NAME) or observed.at("status", "atProvider", "id")
    return str(told) if told else None


def tags(claim: Claim, aws: Aws) -> dict[str, str]:
    """Return the environment's tags, whose the object is, and of which life of the claim.

    The provider's own tags do not tell the namespace, and a name does not tell the life. They are four, the provider
    adds three, and AWS takes 50.
    """
    whose = {"environment": claim.environment, "namespace": claim.namespace, "claim": claim.label}
    return {**aws.tags, **{f"{GROUP}/{key}": value for key, value in whose.items()}, CLAIM_UID: claim.origin}


def reference(name: str) -> Manifest:
    """Return a reference to the managed resource *name* that follows it when it is made anew."""
    return {"name": name, "policy": {"resolve": "Always"}}
