"""What stands around the Instance: who may reach it, and what is made inside by SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import JSON, Kind, Manifest, digest
from groundplane.engines import _aws as aws
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.rds._place import (
    DATABASE,
    EXTENSION,
    GRANT,
    INGRESS_RULE,
    PROVIDER_CONFIG,
    ROLE,
    SECURITY_GROUP,
    Place,
    administrator,
)

if TYPE_CHECKING:
    from groundplane.core.observation import Observation

INGRESS: Final = "ingress-"
EXTENSIONS: Final = "extension-"
NAMED: Final = (("metadata", "annotations", aws.EXTERNAL_NAME),)
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


def database(place: Place) -> Manifest:
    """Return the database, owned by the role that cannot log in."""
    settings = {"owner": postgresql.OWNER, "encoding": "UTF8"}
    return _sql(place, DATABASE, "database", settings, called=place.ask.spec.database.name)


def roles(place: Place, secret: Manifest) -> dict[str, Manifest]:
    """Return the owner, the login in use with the password in *secret*, and the one a rotation will wake."""
    become = [{"name": "role", "value": postgresql.OWNER}]
    password = {"name": secret["metadata"]["name"], "key": "password"}
    active = {"privileges": {"login": True}, "passwordSecretRef": password, "configurationParameters": become}
    resting = {"privileges": {"login": False}, "configurationParameters": become}
    # Without a Secret to note the password in, the provider would leave a restored copy with its source's.
    noted = {"writeConnectionSecretToRef": {"name": place.companion("login-a-applied")}}
    return {
        "owner": _sql(place, ROLE, "owner", {"privileges": {"login": False}}, called=postgresql.OWNER),
        "login-a": _sql(place, ROLE, "login-a", active, called=postgresql.LOGINS[0], **noted),
        "login-b": _sql(place, ROLE, "login-b", resting, called=postgresql.LOGINS[1]),
    }


def memberships(place: Place, seen: Observation) -> dict[str, Manifest]:
    """Return who may become the owner: both logins, and the administrator, who else could not give it a database."""
    admin = administrator(seen.existing(place.slot.resource("instance")))
    members = {"member-admin": admin, "member-a": postgresql.LOGINS[0], "member-b": postgresql.LOGINS[1]}
    return {
        role: _sql(place, GRANT, role, {"role": member, "memberOf": postgresql.OWNER})
        for role, member in members.items()
    }


def extensions(place: Place) -> dict[str, Manifest]:
    """Return the extensions asked for, by role."""
    found = {}
    for name in postgresql.extensions(place.ask.spec):
        role = f"{EXTENSIONS}{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}-{digest(name)}"
        found[role] = _sql(place, EXTENSION, role, {"database": place.ask.spec.database.name, "extension": name})
    return found


def present_extensions(place: Place, seen: Observation) -> list[str]:
    """Return the names of the extensions that are managed now."""
    stem = place.slot.resource(EXTENSIONS)
    found = (entry for name, entry in seen.composed.items() if name.startswith(stem))
    return [str(entry.at("spec", "forProvider", "extension")) for entry in found]


def _sql(place: Place, kind: Kind, role: str, settings: Manifest, called: str = "", **spec: JSON) -> Manifest:
    """Return an object inside the server. It has no policy Delete, which would drop the database or role with it."""
    manifest = kind.manifest(
        place.companion(role),
        spec={
            "providerConfigRef": {"kind": PROVIDER_CONFIG.kind, "name": place.companion("sql")},
            "managementPolicies": list(aws.KEPT),
            "forProvider": settings,
            **spec,
        },
    )
    if called:
        manifest["metadata"]["annotations"] = {aws.EXTERNAL_NAME: called}
    return manifest
