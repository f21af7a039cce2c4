"""Parameter groups: one for each major version, because RDS binds a group to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal
from groundplane.engines import _aws as aws
from groundplane.engines.database.rds._place import PARAMETER_GROUP, Place, major
from groundplane.engines.database.rds._units import bare

if TYPE_CHECKING:
    from groundplane.core.manifest import JSON, Manifest
    from groundplane.core.observation import Observation, Observed

PREFIX: Final = "parameters-"
IDENTITY: Final = (*aws.IDENTITY, ("spec", "forProvider", "family"), ("spec", "forProvider", "description"))

# What RDS sets itself and lets nobody change, and what TLS rests on.
MANAGED: Final = frozenset(
    {
        "archive_cleanup_command",
        "archive_command",
        "archive_library",
        "archive_mode",
        "archive_timeout",
        "config_file",
        "data_directory",
        "external_pid_file",
        "fsync",
        "full_page_writes",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "log_directory",
        "log_file_mode",
        "log_truncate_on_rotation",
        "logging_collector",
        "port",
        "primary_conninfo",
        "primary_slot_name",
        "rds.force_ssl",
        "recovery_end_command",
        "recovery_target",
        "recovery_target_action",
        "recovery_target_inclusive",
        "recovery_target_lsn",
        "recovery_target_name",
        "recovery_target_time",
        "recovery_target_timeline",
        "recovery_target_xid",
        "restore_command",
        "ssl",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_crl_dir",
        "ssl_crl_file",
        "ssl_key_file",
        "superuser_reserved_connections",
        "syslog_facility",
        "syslog_ident",
        "syslog_sequence_numbers",
        "syslog_split_messages",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
        "wal_level",
        "wal_sync_method",
        "zero_damaged_pages",
    }
)

# Read by the server only when it starts, which RDS does not do because of them.
STATIC: Final = frozenset(
    {
        "autovacuum_freeze_max_age",
        "autovacuum_multixact_freeze_max_age",
        "autovacuum_worker_slots",
        "commit_timestamp_buffers",
        "cron.database_name",
        "cron.host",
        "cron.max_running_jobs",
        "cron.use_background_workers",
        "huge_page_size",
        "huge_pages",
        "io_max_concurrency",
        "io_method",
        "max_active_replication_origins",
        "max_connections",
        "max_files_per_process",
        "max_locks_per_transaction",
        "max_logical_replication_workers",
        "max_notify_queue_pages",
        "max_pred_locks_per_transaction",
        "max_prepared_transactions",
        "max_replication_slots",
        "max_wal_senders",
        "max_worker_processes",
        "min_dynamic_shared_memory",
        "multixact_member_buffers",
        "multixact_offset_buffers",
        "notify_buffers",
        "old_snapshot_threshold",
        "pg_stat_statements.max",
        "rds.logical_replication",
        "reserved_connections",
        "serializable_buffers",
        "shared_buffers",
        "shared_preload_libraries",
        "subtransaction_buffers",
        "track_activity_query_size",
        "track_commit_timestamp",
        "transaction_buffers",
        "wal_buffers",
        "wal_decode_buffer_size",
    }
)


def group(place: Place, version: str, parameters: list[Manifest]) -> Manifest:
    """Return the parameter group for major *version*."""
    settings: Manifest = {
        "family": f"postgres{version}",
        "description": f"Parameters of {place.identifier}",
        "parameter": parameters,
        "tags": aws.tags(place.ask.claim, place.ask.knobs.aws),
    }
    external_name = place.parameter_group(version)
    name = place.companion(f"{PREFIX}{version}")
    return aws.managed(PARAMETER_GROUP, name, place.ask.knobs.aws, settings, external_name=external_name)


def wanted(place: Place) -> list[Manifest]:
    """Return the parameters that the claim asks for, and forced TLS.

    The method of each parameter never changes: RDS takes no note of a change in the method alone, and the provider
    would ask for ever.

    Raises:
        Refusal: NotOffered, when a value has a unit that cannot be told in numbers.
    """
    asked = {**(place.ask.spec.parameters or {}), "rds.force_ssl": "1"}
    waiting = STATIC | {"rds.force_ssl"}  # what equals the default keeps the default's method
    return [
        {"name": name, "value": bare(name, value), "applyMethod": "pending-reboot" if name in waiting else "immediate"}
        for name, value in sorted(asked.items())
    ]


def groups(place: Place, seen: Observation) -> dict[str, Manifest]:
    """Return the groups by role: the one asked for, and those that the instance has not left yet, as they are."""
    version = place.ask.spec.version
    found = {f"{PREFIX}{version}": group(place, version, wanted(place))}
    if not _left(place, seen.existing(place.slot.resource("instance"))):
        for older, observed in _others(place, seen).items():
            found[f"{PREFIX}{older}"] = group(place, older, observed.at("spec", "forProvider", "parameter") or [])
    return found


def refuse_restart(place: Place, seen: Observation) -> None:
    """Return if no parameter changes that only a restart would bring into force.

    Raises:
        Refusal: NotOffered, naming the parameters and the value they have.
    """
    observed = seen.existing(place.slot.resource(f"{PREFIX}{place.ask.spec.version}"))
    if observed is None or not _started(place, seen.existing(place.slot.resource("instance"))):
        return
    before = _static(observed.at("spec", "forProvider", "parameter") or [])
    after = _static(wanted(place))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        then = ", ".join(f"{name} {f'to {before[name]}' if name in before else 'to absent'}" for name in changed)
        raise Refusal(
            Reason.NOT_OFFERED,
            f"parameters: {', '.join(changed)} can be set on rds only when the claim is created or its version is"
            f" raised: the server reads it when it starts, and RDS does not restart it for that. Set {then}.",
        )


def _started(place: Place, instance: Observed | None) -> bool:
    """Whether the server runs the version asked for, as far as is known: one that is yet to start reads the group."""
    running = major(instance)
    if instance is None or running is not None:
        return running == place.ask.spec.version
    return instance.annotation(aws.EXTERNAL_NAME) is not None


def _static(entries: JSON) -> dict[str, str]:
    listed = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {name: str(entry.get("value")) for entry in listed if (name := str(entry.get("name"))) in STATIC}


def _others(place: Place, seen: Observation) -> dict[str, Observed]:
    stem = place.slot.resource(PREFIX)
    versions = {name.removeprefix(stem): found for name, found in seen.composed.items() if name.startswith(stem)}
    return {version: found for version, found in sorted(versions.items()) if version != place.ask.spec.version}


def _left(place: Place, instance: Observed | None) -> bool:
    """Whether the instance runs the version asked for, with its group."""
    version = place.ask.spec.version
    uses = instance.at("status", "atProvider", "parameterGroupName") if instance else None
    return major(instance) == version and uses == place.parameter_group(version)
