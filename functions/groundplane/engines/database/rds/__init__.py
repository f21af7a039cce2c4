"""XDatabase on Amazon RDS for PostgreSQL: the instance by provider-upjet-aws, what is inside by provider-sql."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.contracts.database import DatabaseSpec
from groundplane.core.capability import AtLeast, AtMost, OneOf
from groundplane.core.manifest import SECRET, at
from groundplane.core.operator import Operator
from groundplane.core.rendered import Desired, Footprint, Given, Rendered
from groundplane.engines import _aws as aws
from groundplane.engines.database import _pg_settings as settings
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.rds import _extensions as extensions
from groundplane.engines.database.rds import _inside as inside
from groundplane.engines.database.rds import _objects as objects
from groundplane.engines.database.rds import _parameters as parameters
from groundplane.engines.database.rds import _status as status
from groundplane.engines.database.rds._instance import IDENTITY, instance
from groundplane.engines.database.rds._names import (
    DATABASE,
    EXTENSION,
    GRANT,
    INGRESS_RULE,
    INSTANCE,
    PARAMETER_GROUP,
    PROVIDER_CONFIG,
    ROLE,
    SCHEMA,
    SECURITY_GROUP,
    Place,
)
from groundplane.engines.database.rds._settings import RPO_SECONDS, RdsKnobs
from groundplane.engines.database.rds._whose import without_anothers
from groundplane.engines.interface import Anchor, Archive, Ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.capability import Capability
    from groundplane.core.manifest import Kind, Manifest
    from groundplane.core.observation import Observation
    from groundplane.core.slot import Slot

CHANGING: Final = (parameters.PREFIX, objects.INGRESS, inside.EXTENSIONS)  # roles of which there may be more or fewer

_INSIDE: Final = (PROVIDER_CONFIG, DATABASE, ROLE, GRANT, SCHEMA, EXTENSION)
OPERATORS: Final = (
    Operator("provider-aws-rds", "2.6", (INSTANCE, PARAMETER_GROUP), packages=("provider-aws-rds", "provider-aws")),
    Operator("provider-aws-ec2", "2.6", (SECURITY_GROUP, INGRESS_RULE), packages=("provider-aws-ec2", "provider-aws")),
    Operator(
        "provider-sql", "0.16", (PROVIDER_CONFIG, DATABASE, ROLE, GRANT, SCHEMA, EXTENSION), packages=("provider-sql",)
    ),
)


class AmazonRds:
    """One Instance per slot, with its parameters, network, database and roles."""

    name = "rds"
    product = "Amazon RDS"
    provider = "aws"
    anchor = Anchor("instance", INSTANCE)
    archive = Archive("instance", INSTANCE, aws.IDENTITY)
    kinds: tuple[Kind, ...] = (
        INSTANCE,
        PARAMETER_GROUP,
        SECURITY_GROUP,
        INGRESS_RULE,
        PROVIDER_CONFIG,
        DATABASE,
        ROLE,
        GRANT,
        SCHEMA,
        EXTENSION,
        SECRET,
    )
    optional_kinds: tuple[Kind, ...] = ()
    operators = OPERATORS
    distributions = ()
    knobs = RdsKnobs
    # fmt: off
    capabilities: Mapping[str, Capability] = {
        "version": OneOf.of("15", "16", "17", "18"),
        "deletionPolicy": OneOf.of("Protect", "Delete"),
        "objectives.failureTolerance": OneOf({"None": "None", "Node": "Zone", "Zone": "Zone"}),
        "objectives.rpoSeconds": AtLeast(RPO_SECONDS),
        "backup.retentionDays": AtMost(35),
        "restore.from": OneOf.of("Claim", "Backup"),
    }
    # fmt: on

    def render(self, ask: Ask[DatabaseSpec, RdsKnobs], slot: Slot, seen: Observation) -> Rendered:
        """Return everything *ask* needs in *slot*.

        Raises:
            Refusal: a parameter that RDS manages or that needs a restart, an extension forgotten, no class or disk
                large enough, a restore source that cannot be, a password that is gone.
        """
        place, told = Place(ask, slot), seen
        seen = without_anothers(place, told)
        settings.refuse_unfit(ask.spec, self.product, parameters.MANAGED, computed=parameters.COMPUTED)
        if place.zones:
            settings.refuse_weak(ask.spec, parameters.UNCONFIRMED, parameters.UNCONFIRMED_WHY)
        extensions.refuse_missing(place)
        postgresql.refuse_forgotten(ask.spec, inside.present_extensions(place, seen))
        parameters.refuse_restart(place, seen)
        secret = postgresql.login_secret(ask, slot, slot.resource("instance"), seen)
        resources = _resources(place, secret, seen, told)
        wanted = resources["instance"].manifest
        host, certificates = status.host(place, seen), ask.knobs.rds.ca_bundle
        bound = host is not None and (postgresql.bound_to(ask, seen, host) or status.Readiness(seen, place).login())
        binding = None
        if host is not None and bound:
            binding = postgresql.binding(
                ask, seen, provider="aws-rds", host=host, secret=secret, certificates=certificates
            )
        waiting = [role for role, desired in resources.items() if not desired.ready]
        return Rendered(
            resources={slot.resource(role): desired for role, desired in resources.items()},
            retired=_retired(place, resources, seen),
            binding=binding,
            facts=status.read(place, seen, told, wanted, waiting, bound=bound),
            given=_given(place, wanted),
            footprint=_footprint(place, wanted),
            notices=status.shortcomings(place, seen, inside.SESSIONS) if binding else (),
        )


def _resources(place: Place, secret: Manifest, seen: Observation, told: Observation) -> dict[str, Desired]:
    """Return the objects by role: *told* is all that is observed, *seen* what of it may be relied on."""
    ready = status.Readiness(seen, place)
    server = instance(place, told.existing(place.slot.resource("instance")))
    managed = {
        **objects.ingress(place, seen),
        **inside.roles(place, secret),
        **inside.memberships(place, seen),
        **inside.rights(place),
        **inside.extensions(place),
    }
    groups = parameters.groups(place, seen)
    return {
        "instance": Desired(server, ready.instance(), guarded=True, identity=IDENTITY),
        **{role: Desired(entry, ready.applied(role), identity=parameters.IDENTITY) for role, entry in groups.items()},
        "clients": Desired(
            objects.security_group(place, seen), ready.applied("clients"), identity=objects.GROUP_IDENTITY
        ),
        "database": Desired(inside.database(place, seen), ready.applied("database"), identity=inside.NAMED),
        "sql": Desired(objects.provider_config(place), ready.exists("sql")),
        "secret-a": Desired(secret, ready.exists("secret-a"), guarded=True),
        **{
            role: Desired(entry, ready.exists(role) if role in inside.SESSIONS else ready.applied(role))
            for role, entry in managed.items()
        },
    }


def _retired(place: Place, resources: Mapping[str, Desired], seen: Observation) -> frozenset[str]:
    """Return what is observed and no longer asked for: networks, groups left behind, extensions given up by name."""
    stems = tuple(place.slot.resource(prefix) for prefix in CHANGING)
    wanted = {place.slot.resource(role) for role in resources}
    return frozenset(name for name in seen.composed if name.startswith(stems) and name not in wanted)


def _given(place: Place, wanted: Manifest) -> Given:
    name = at(wanted, "spec", "forProvider", "instanceClass")
    chosen = next(entry for entry in place.ask.knobs.rds.classes if entry.name == name)
    size = None if place.ask.spec.resources else place.ask.effective.size
    return Given(str(chosen.cpu), chosen.memory, "Zone" if place.zones else "None", size)


def _footprint(place: Place, wanted: Manifest) -> Footprint:
    settings = at(wanted, "spec", "forProvider")
    days = settings["backupRetentionPeriod"]
    kept = f"snapshot daily, log continuously, kept {days} days; " if days else ""
    return Footprint(
        instances=2 if place.zones else 1,
        size=settings["instanceClass"],
        storage=f"{settings['allocatedStorage']}Gi gp3",
        backup=f"{kept}a last snapshot on deletion, kept until somebody removes it",
    )


ENGINE: Final = AmazonRds()
