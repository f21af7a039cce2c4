"""The Cluster: servers, storage, replication, and how it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import Manifest, without_none
from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database import _access as access
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.cnpg import _build as build
from groundplane.engines.database.cnpg import _parameters as parameters
from groundplane.engines.database.cnpg._names import CLUSTER, PLUGIN, Place

if TYPE_CHECKING:
    from groundplane.core.observation import Observed

ORIGIN: Final = "origin"
QUORUM: Final = 3  # from this many instances on, one can be lost while every write still waits for another

# Set by the operator or by us; the operator's own list is in its configuration of PostgreSQL, release 1.30.
MANAGED_PARAMETERS: Final = frozenset(
    """
    allow_alter_system archive_cleanup_command archive_command archive_library archive_mode archive_timeout
    bonjour bonjour_name cluster_name config_file data_directory dynamic_library_path event_source
    extension_control_path external_pid_file hba_file hot_standby ident_file jit_provider listen_addresses
    local_preload_libraries log_destination log_directory log_file_mode log_filename log_rotation_age
    log_rotation_size log_truncate_on_rotation logging_collector password_encryption
    pg_failover_slots.primary_dsn pg_failover_slots.standby_slot_names port primary_conninfo primary_slot_name
    promote_trigger_file recovery_end_command recovery_min_apply_delay recovery_target recovery_target_action
    recovery_target_inclusive recovery_target_lsn recovery_target_name recovery_target_time
    recovery_target_timeline recovery_target_xid restart_after_crash restore_command shared_preload_libraries
    ssl ssl_ca_file ssl_cert_file ssl_crl_dir ssl_crl_file ssl_dh_params_file ssl_key_file
    ssl_passphrase_command ssl_passphrase_command_supports_reload ssl_prefer_server_ciphers stats_temp_directory
    synchronized_standby_slots synchronous_standby_names syslog_facility syslog_ident syslog_sequence_numbers
    syslog_split_messages temp_tablespaces unix_socket_directories unix_socket_group unix_socket_permissions
    """.split()  # noqa: SIM905  # Sixty quoted names would take sixty lines.
)

# The roles stand before the operator adopts them, because only SQL can make a login become the owner. A restored copy
# has them already.
_ROLES: Final = [
    f"ALTER ROLE {postgresql.OWNER} NOLOGIN",
    *(
        statement
        for login in postgresql.LOGINS
        for statement in (
            f"CREATE ROLE {login} NOLOGIN IN ROLE {postgresql.OWNER}",
            f"ALTER ROLE {login} SET role TO {postgresql.OWNER}",
        )
    ),
]


def cluster(place: Place, observed: Observed | None) -> Manifest:
    """Return the Cluster. How it began is history: it is read back from *observed*, whatever became of its source."""
    cpu, memory = postgresql.compute(place.ask)
    compute = {"cpu": cpu, "memory": memory}
    image = _image(place)
    spec = {
        "instances": place.instances,
        **image,
        "enableSuperuserAccess": False,
        "bootstrap": (observed and observed.at("spec", "bootstrap")) or _bootstrap(place),
        "externalClusters": observed.at("spec", "externalClusters") if observed else _origin(place),
        "postgresql": _postgresql(place, parameters.wanted(place, observed), _held_back(image, observed)),
        "resources": {"requests": compute, "limits": compute},
        "storage": _storage(place),
        "affinity": _affinity(place),
        "topologySpreadConstraints": _zones(place),
        "primaryUpdateMethod": "switchover" if place.instances > 1 else "restart",
        "primaryUpdateStrategy": "unsupervised",
        "plugins": _plugins(place),
        "serviceAccountTemplate": _identity(place),
    }
    return CLUSTER.manifest(place.name, spec=without_none(spec))


def _image(place: Place) -> Manifest:
    catalog, major = place.ask.knobs.cnpg.image_catalog, place.ask.spec.version
    if catalog is None:
        return {"imageName": f"ghcr.io/cloudnative-pg/postgresql:{major}-standard-trixie"}
    reference = {"apiGroup": "postgresql.cnpg.io", "kind": "ClusterImageCatalog"}
    return {"imageCatalogRef": {**reference, "name": catalog, "major": int(major)}}


def _held_back(image: Manifest, observed: Observed | None) -> Manifest | None:
    """Return the parameters to keep for one turn: the operator refuses a new image and new parameters at once."""
    if observed is None:
        return None
    key, wanted = next(iter(image.items()))
    running: Manifest | None = observed.at("spec", "postgresql", "parameters")
    return running if observed.at("spec", key) != wanted else None


def _bootstrap(place: Place) -> Manifest:
    restore, database = place.ask.spec.restore, place.ask.spec.database.name
    if restore is None:
        initdb = {
            "database": database,
            "owner": postgresql.OWNER,
            "dataChecksums": True,
            "encoding": "UTF8",
            "postInitSQL": list(_ROLES),
        }
        return {"initdb": initdb}
    recovery: Manifest = {"source": ORIGIN, "database": database, "owner": postgresql.OWNER}
    if restore.point_in_time:
        recovery["recoveryTarget"] = {"targetTime": restore.point_in_time}
    return {"recovery": recovery}


def _origin(place: Place) -> list[Manifest] | None:
    """Return the archive to restore from: the claim's own folder, another server's name.

    Raises:
        Refusal: there is no backup target, or the source is another database.
    """
    restore, source = place.ask.spec.restore, place.ask.source
    if restore is None:
        return None
    if place.target is None:
        raise Refusal(
            Reason.ENVIRONMENT_INCOMPLETE,
            f"restore: backups are read from the backup target, and environment {place.ask.claim.environment} waives"
            " Backup. Ask the platform team for a backup target.",
        )
    postgresql.refuse_other_source(place.ask)
    postgresql.refuse_smaller_copy(place.ask)
    archive = source.backups if source else restore.backup_id
    where = {"barmanObjectName": place.name, "serverName": archive}
    return [{"name": ORIGIN, "plugin": {"name": PLUGIN, "parameters": where}}]


def _postgresql(place: Place, asked: Manifest, held_back: Manifest | None) -> Manifest:
    wanted = {**build.parameters(place), **asked}
    if place.target and place.ask.effective.rpo_seconds:
        # Half of what may be lost: a segment must also be shipped before it counts.
        wanted["archive_timeout"] = f"{min(300, place.ask.effective.rpo_seconds // 2)}s"
    settings: Manifest = {
        "parameters": wanted if held_back is None else held_back,
        # They stand before the operator's own last line, which would let everybody into every database.
        "pg_hba": access.rules(place.ask.spec.database.name),
    }
    if preloaded := build.libraries(place):
        settings["shared_preload_libraries"] = preloaded
    if place.instances > 1:
        settings["synchronous"] = {
            "method": "any",
            "number": 1,
            "dataDurability": "required" if place.instances >= QUORUM else "preferred",
            "failoverQuorum": place.instances >= QUORUM,
        }
    return settings


def _storage(place: Place) -> Manifest:
    return without_none(
        {
            "size": place.ask.spec.storage.size,
            "storageClass": place.ask.knobs.kubernetes.storage_class,
            "resizeInUseVolumes": True,
        }
    )


def _affinity(place: Place) -> Manifest:
    return {
        "enablePodAntiAffinity": True,
        "topologyKey": "kubernetes.io/hostname",
        "podAntiAffinityType": "preferred" if place.instances == 1 else "required",
    }


def _zones(place: Place) -> list[Manifest] | None:
    if place.ask.effective.failure_tolerance != "Zone":
        return None
    # Three zones, not two: with two of three instances in one zone, losing it could lose the only copy of a write.
    constraint = {
        "maxSkew": 1,
        "minDomains": 3,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": place.pods},
    }
    return [constraint]


def _plugins(place: Place) -> list[Manifest] | None:
    if place.target is None:
        return None
    where = {"barmanObjectName": place.name, "serverName": place.server_name}
    return [{"name": PLUGIN, "isWALArchiver": True, "parameters": where}]


def _identity(place: Place) -> Manifest | None:
    if place.target is None or not place.target.service_account_annotations:
        return None
    annotations = {
        key: value.replace("{namespace}", place.ask.claim.namespace)
        for key, value in place.target.service_account_annotations.items()
    }
    return {"metadata": {"annotations": annotations}}
