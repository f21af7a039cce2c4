"""XDatabase on CloudNativePG 1.30 with the Barman Cloud plugin: PostgreSQL in the cluster the claim lives in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.contracts.database import DatabaseSpec
from groundplane.core.capability import AtLeast, Never, OneOf
from groundplane.core.manifest import SECRET
from groundplane.core.observation import Requirement
from groundplane.core.operator import Operator
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.rendered import Desired, Footprint, Rendered
from groundplane.engines import _kubernetes as kubernetes
from groundplane.engines.database import _pg_settings as pg_settings
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.cnpg import _build as build
from groundplane.engines.database.cnpg import _database as databases
from groundplane.engines.database.cnpg import _objects as objects
from groundplane.engines.database.cnpg import _parameters as parameters
from groundplane.engines.database.cnpg import _status as status
from groundplane.engines.database.cnpg._cluster import MANAGED_PARAMETERS
from groundplane.engines.database.cnpg._cluster import cluster as cluster_of
from groundplane.engines.database.cnpg._names import CLUSTER, DATABASE, OBJECT_STORE, ROLE, SCHEDULED_BACKUP, Place
from groundplane.engines.database.cnpg._settings import CnpgKnobs
from groundplane.engines.interface import Anchor, Archive, Ask

if TYPE_CHECKING:
    from groundplane.core.capability import Capability
    from groundplane.core.manifest import Kind, Manifest
    from groundplane.core.observation import Observation
    from groundplane.core.slot import Slot
    from groundplane.engines._environment import BackupTarget

INSTANCES: Final = {"None": 1, "Node": 2, "Zone": 3}
OPTIONAL: Final = frozenset({"store", "backup", "monitor", "alerts"})
OPERATOR: Final = Operator(
    name="CloudNativePG",
    version="1.30",
    kinds=(CLUSTER, DATABASE, ROLE, SCHEDULED_BACKUP),
    labels=("app.kubernetes.io/name=cloudnative-pg",),
)
BACKUP_PLUGIN: Final = Operator(
    name="Barman Cloud plugin",
    version="0.14",
    kinds=(OBJECT_STORE,),
    labels=("app=barman-cloud", "app.kubernetes.io/name=plugin-barman-cloud"),
)
MONITORING: Final = (kubernetes.POD_MONITOR, kubernetes.PROMETHEUS_RULE)
UNWATCHED: Final = (
    "the environment asks for monitoring, and monitoring.coreos.com is not installed: nothing is monitored"
)


class CloudNativePG:
    """One Cluster per slot, with its backups, database, roles, network and alerts."""

    name = "cnpg"
    product = "CloudNativePG"
    provider = "kubernetes"
    anchor = Anchor("cluster", CLUSTER)
    archive = Archive("store", OBJECT_STORE, objects.ARCHIVE)
    kinds: tuple[Kind, ...] = (
        CLUSTER,
        DATABASE,
        ROLE,
        SCHEDULED_BACKUP,
        kubernetes.NETWORK_POLICY,
        SECRET,
    )
    optional_kinds: tuple[Kind, ...] = (OBJECT_STORE, *MONITORING)
    operators = (OPERATOR, BACKUP_PLUGIN, kubernetes.PROMETHEUS_OPERATOR)
    distributions = ()
    knobs = CnpgKnobs
    # fmt: off
    capabilities: dict[str, Capability] = {  # noqa: RUF012  # Read only; a mapping proxy would hide the table.
        "version": OneOf.of("15", "16", "17", "18"),
        "deletionPolicy": OneOf.of("Protect", "Delete"),
        "objectives.failureTolerance": OneOf.of("None", "Node", "Zone"),
        "objectives.rpoSeconds": AtLeast(60),
        "restore.from": OneOf.of("Claim", "Backup"),
        "maintenanceWindow": Never("the operator has no time window; changes are made at once"),
    }
    # fmt: on

    def render(self, ask: Ask[DatabaseSpec, CnpgKnobs], slot: Slot, seen: Observation) -> Rendered:
        """Return everything *ask* needs in *slot*.

        Raises:
            Refusal: a parameter the operator manages, an extension forgotten or not to be had, a backup target
                missing or unusable, a restore source that cannot be, a password that is gone.
            Unresolved: whether a kind that it can do without is installed was not told yet.
        """
        pg_settings.refuse_unfit(ask.spec, self.product, MANAGED_PARAMETERS)
        pg_settings.refuse_weak(ask.spec, parameters.UNARCHIVED, parameters.UNARCHIVED_WHY)
        pg_settings.refuse_no_room(ask.spec)
        instances = INSTANCES[ask.effective.failure_tolerance]
        if instances > 1:
            pg_settings.refuse_weak(ask.spec, parameters.UNCONFIRMED, parameters.UNCONFIRMED_WHY)
            pg_settings.refuse_too_few(ask.spec, parameters.least(instances), parameters.LEAST_WHY)
        known = seen.existing(slot.resource("database"))
        postgresql.refuse_forgotten(ask.spec, databases.extensions(known))
        target = _backup_target(ask, seen) if ask.effective.backups else None
        place = Place(ask, slot, instances, target, databases.created(known))
        build.refuse_unfit(place, self.product)
        secret = postgresql.login_secret(ask, slot, slot.resource("cluster"), seen)
        host = f"{place.name}-rw.{ask.claim.namespace}.svc"
        authority = slot.resource("ca")
        binding = postgresql.binding(
            ask,
            seen,
            provider="cloudnative-pg",
            host=host,
            secret=secret,
            certificates=status.certificates(seen.found(authority)),
        )
        ready = status.Readiness(seen, slot)
        bound = postgresql.bound_to(ask, seen, host) or ready.login()
        resources = self._resources(place, secret, ready)
        return Rendered(
            resources={slot.resource(role): desired for role, desired in resources.items()},
            retired=frozenset(slot.resource(role) for role in OPTIONAL - resources.keys()),
            binding=binding if bound else None,
            facts=status.read(place, ready, host),
            given=postgresql.given(ask, ask.effective.failure_tolerance),
            footprint=_footprint(place),
            requires=_requires(ask, slot, authority),
            notices=() if "alerts" in resources or ask.knobs.monitoring is None else (UNWATCHED,),
        )

    def _resources(self, place: Place, secret: Manifest, ready: status.Readiness) -> dict[str, Desired]:
        seen = ready.seen
        cluster = cluster_of(place, seen.existing(place.slot.resource("cluster")))
        resources = {
            "cluster": Desired(cluster, ready.cluster(), guarded=True),
            "database": Desired(objects.database(place), ready.applied("database"), identity=objects.NAMED),
            "owner": Desired(objects.owner(place), ready.applied("owner")),
            "login-a": Desired(objects.active_login(place, secret), ready.applied("login-a")),
            "login-b": Desired(objects.resting_login(place), ready.applied("login-b")),
            "secret-a": Desired(objects.watched(secret), ready.exists("secret-a"), guarded=True),
            "network": Desired(objects.network(place), ready.exists("network")),
        }
        if place.target:
            store = objects.store(place, place.target)
            resources["store"] = Desired(store, ready.exists("store"), identity=objects.ARCHIVE)
            resources["backup"] = Desired(objects.backup(place), ready.exists("backup"))
        monitoring = place.ask.knobs.monitoring
        if monitoring and seen.installed(*MONITORING):
            resources["monitor"] = Desired(objects.monitor(place, monitoring), ready.exists("monitor"))
            resources["alerts"] = Desired(objects.alerts(place, monitoring), ready.exists("alerts"))
        return resources


def _requires(ask: Ask[DatabaseSpec, CnpgKnobs], slot: Slot, authority: str) -> dict[str, Requirement]:
    namespace = ask.claim.namespace
    wanted = {authority: Requirement(SECRET, f"{ask.claim.object(slot)}-ca", namespace)}
    if ask.effective.backups and ask.knobs.backup and ask.knobs.backup.secret:
        wanted["backup-credentials"] = Requirement(SECRET, ask.knobs.backup.secret, namespace)
    return wanted


def _backup_target(ask: Ask[DatabaseSpec, CnpgKnobs], seen: Observation) -> BackupTarget:
    """Return where backups go.

    Raises:
        Refusal: EngineNotInstalled without the plugin; EnvironmentIncomplete, when the environment names no target or
        the Secret it names is missing or lacks an entry.
    """
    target, environment = ask.knobs.backup, ask.claim.environment
    if not seen.installed(OBJECT_STORE):
        raise Refusal(
            Reason.ENGINE_NOT_INSTALLED,
            f"CloudNativePG is not installed whole: the API server has no {OBJECT_STORE.crd}, or Crossplane may not"
            " manage it, and the claim's backups need it (the Barman Cloud plugin). Ask the platform team to install"
            " it; for tier Development an environment may waive Backup instead.",
        )
    if target is None:
        raise Refusal(
            Reason.ENVIRONMENT_INCOMPLETE,
            f"environment {environment}: backup.bucket is missing, and the claim's backups must go somewhere. Ask the"
            f" platform team to set it in EnvironmentConfig {environment}; for tier Development it may waive Backup"
            " instead.",
        )
    if target.secret and "backup-credentials" in seen.required:
        found = seen.found("backup-credentials")
        missing = [key for key in objects.CREDENTIAL_KEYS if not (found and found.secret(key))]
        if missing:
            lacks = f"has no entry {' and '.join(missing)}" if found else "does not exist"
            raise Refusal(
                Reason.ENVIRONMENT_INCOMPLETE,
                f"Secret {target.secret} in namespace {ask.claim.namespace} {lacks}. Environment {environment} keeps"
                f" the credentials of the backup target there, in entries {' and '.join(objects.CREDENTIAL_KEYS)}. Ask"
                " the platform team to provide it.",
            )
    return target


def _footprint(place: Place) -> Footprint:
    cpu, memory = postgresql.compute(place.ask)
    days = place.ask.effective.retention_days
    kept = f"a base backup a day and the log, kept {days} day{'' if days == 1 else 's'}" if place.target else ""
    return Footprint(place.instances, f"{cpu} CPU, {memory} memory", place.ask.spec.storage.size, kept)


ENGINE: Final = CloudNativePG()
