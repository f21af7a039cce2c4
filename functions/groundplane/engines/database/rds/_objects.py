"""What stands around the Instance: who may reach it, and how what is inside is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import Manifest, digest
from groundplane.engines import _aws as aws
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.rds._names import INGRESS_RULE, PROVIDER_CONFIG, SECURITY_GROUP, Place

if TYPE_CHECKING:
    from groundplane.core.observation import Observation

INGRESS: Final = "ingress-"
GROUP_IDENTITY: Final = (
    *aws.IDENTITY,
    *(("spec", "forProvider", field) for field in ("name", "description", "vpcId")),
)


def security_group(place: Place, seen: Observation) -> Manifest:
    """Return the group of the instance. It has no rule for what goes out, so nothing does."""
    knobs, named = place.ask.knobs.aws, aws.external_name(seen.get(place.slot.resource("clients")))
    settings: Manifest = {
        "name": place.identifier,
        "description": f"Clients of {place.identifier}",
        "vpcId": knobs.vpc_id,
        "tags": aws.tags(place.ask.claim, knobs),
    }
    return aws.managed(SECURITY_GROUP, place.companion("clients"), knobs, settings, external_name=named)


def ingress(place: Place, seen: Observation) -> dict[str, Manifest]:
    """Return one rule for each network of clients, by role. A rule is told from others by its network alone."""
    knobs = place.ask.knobs.aws
    rules = {}
    for cidr in knobs.client_cidrs:
        role = f"{INGRESS}{digest(cidr)}"
        settings: Manifest = {
            "securityGroupIdRef": aws.reference(place.companion("clients")),
            "ipProtocol": "tcp",
            "fromPort": postgresql.PORT,
            "toPort": postgresql.PORT,
            "cidrIpv4": cidr,
            "tags": aws.tags(place.ask.claim, knobs),
        }
        named = aws.external_name(seen.get(place.slot.resource(role)))
        rules[role] = aws.managed(INGRESS_RULE, place.companion(role), knobs, settings, external_name=named)
    return rules


def provider_config(place: Place) -> Manifest:
    """Return how provider-sql logs in: with the Secret that the AWS provider writes.

    Its entry endpoint holds the port as well, so the address is taken from host.
    """
    credentials = {
        "source": "PostgreSQLConnectionSecret",
        "connectionSecretRef": {"name": place.admin_secret},
        "secretKeyMapping": {"endpoint": "host"},
    }
    spec = {"credentials": credentials, "defaultDatabase": "postgres", "sslMode": place.ask.knobs.rds.sql_ssl_mode}
    return PROVIDER_CONFIG.manifest(place.companion("sql"), spec=spec)
