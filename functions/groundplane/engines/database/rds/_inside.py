"""What is inside the server: roles, their rights, the database. Made by SQL, and never dropped.

The database belongs to the administrator, for whoever owns a database may drop and rename it. The application, which is
the role app_owner, has every other right in it, and owns its schema public.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import JSON, Kind, Manifest, digest
from groundplane.engines import _aws as aws
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.rds._names import (
    DATABASE,
    EXTENSION,
    GRANT,
    PROVIDER_CONFIG,
    ROLE,
    SCHEMA,
    Place,
    administrator,
)

if TYPE_CHECKING:
    from groundplane.core.observation import Observation

EXTENSIONS: Final = "extension-"
NAMED: Final = (("metadata", "annotations", aws.EXTERNAL_NAME),)

# A session belongs to the login, and what it does to app_owner: without these the application could not see what its
# own sessions do, nor end them. Whether RDS lets its administrator hand on the second is documented nowhere.
SESSIONS: Final = {"sees-sessions": "pg_monitor", "ends-sessions": "pg_signal_backend"}
_OTHERS: Final = ("postgres", "template1")  # databases that everybody may enter at first
_DATABASE_OWNER: Final = "pg_database_owner"  # whoever owns a database; that is a role to hand rights to


def database(place: Place, seen: Observation) -> Manifest:
    """Return the database, owned by the administrator."""
    settings: Manifest = {"owner": _administrator(place, seen), "encoding": "UTF8"}
    return _sql(place, DATABASE, "database", settings, called=place.ask.spec.database.name)


def rights(place: Place) -> dict[str, Manifest]:
    """Return what the application may do in its database, and that it enters no other, by role.

    The provider takes a right from everybody together with giving one: in other databases it gives their owner what
    that has anyway.
    """
    name = place.ask.spec.database.name
    every = {"role": postgresql.OWNER, "privileges": ["CONNECT", "CREATE", "TEMPORARY"]}
    enters = {"role": _DATABASE_OWNER, "privileges": ["CONNECT"]}
    granted: dict[str, Manifest] = {
        "access": {**every, "database": name, "revokePublicOnDb": True},
        **{f"fence-{other}": {**enters, "database": other, "revokePublicOnDb": True} for other in _OTHERS},
        **{role: {"role": postgresql.OWNER, "memberOf": group} for role, group in SESSIONS.items()},
    }
    owned: Manifest = {"role": postgresql.OWNER, "database": name}
    return {
        "schema": _sql(place, SCHEMA, "schema", owned, called="public"),
        **{role: _sql(place, GRANT, role, settings) for role, settings in granted.items()},
    }


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
    """Return who may become app_owner: both logins, and the administrator, who else could not give it the schema."""
    admin = _administrator(place, seen)
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


def _administrator(place: Place, seen: Observation) -> str:
    return administrator(seen.existing(place.slot.resource("instance")))


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
