"""Parameter groups: one for each major version, because RDS binds a group to one."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal
from groundplane.engines import _aws as aws
from groundplane.engines.database import _pg_settings as settings
from groundplane.engines.database._pg_values import number, plain, truth
from groundplane.engines.database.rds import _extensions as extensions
from groundplane.engines.database.rds._names import PARAMETER_GROUP, Place, major

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
        "hba_file",
        "hot_standby",
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
    }
)

# What PostgreSQL's own list cannot tell: read by the server only when it starts, too.
STATIC: Final = frozenset(
    {
        "cron.database_name",
        "cron.host",
        "cron.max_running_jobs",
        "cron.use_background_workers",
        "pg_prewarm.autoprewarm",
        "pg_stat_statements.max",
        "rds.custom_dns_resolution",
        "rds.logical_replication",
        "rds.rds_superuser_reserved_connections",
        "rds.restrict_password_commands",
    }
)

UNCONFIRMED: Final = {"synchronous_commit": ["off"]}
UNCONFIRMED_WHY: Final = "would lose acknowledged writes with one server, which objectives.failureTolerance rules out."

# RDS works some values out itself, as in {DBInstanceClassMemory/32768} or LEAST({DBInstanceClassMemory/9531392},5000).
_WITH_UNIT: Final = re.compile(r"-?[0-9.]+\s*(B|kB|MB|GB|TB|us|ms|s|min|h|d)", re.ASCII)
COMPUTED: Final = re.compile(r"[{}]|^\s*(GREATEST|LEAST|SUM)\s*\(", re.IGNORECASE)


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


def wanted(place: Place, seen: Observation) -> list[Manifest]:
    """Return the parameters that the claim asks for, and forced TLS.

    The method of a parameter that RDS has taken never changes: RDS takes no note of a change in the method alone, and
    the provider would ask for ever. A static one with another method RDS has never taken.

    Raises:
        Refusal: NotOffered, when a value has a unit that cannot be told in numbers, or an extension needs a library
            that the running server did not load.
    """
    version = place.ask.spec.version
    written = settings.parameters(place.ask.spec)
    loaded = extensions.preload(place, written, _loaded(place, seen))
    asked = {**written, **loaded, "rds.force_ssl": "1"}
    waiting = _static_names(version) | {"rds.force_ssl"}  # what equals the default keeps the default's method
    return [
        {
            "name": name,
            "value": told(name, value, version),
            "applyMethod": "pending-reboot" if name in waiting else "immediate",
        }
        for name, value in sorted(asked.items())
    ]


def told(name: str, value: str, version: str) -> str:
    """Return *value* of parameter *name* as RDS tells it back, or the provider would see a difference for ever.

    A number has no unit but the parameter's own, and what is on or off is 1 or 0.

    Raises:
        Refusal: NotOffered, when the value has a unit and the parameter's own is not known.
    """
    setting = settings.known(version).get(name)
    if setting is None and _WITH_UNIT.fullmatch(value):
        raise Refusal(
            Reason.NOT_OFFERED,
            f"parameters.{name}: rds takes a number without a unit, and {value} has one. Write it in the parameter's"
            " own unit, as column unit of pg_settings tells it.",
        )
    if setting is None or COMPUTED.search(value):
        return value
    if setting.kind == "bool":
        meaning = truth(value)
        return value if meaning is None else str(int(meaning))
    if setting.kind in {"integer", "real"}:
        read = number(value, setting.unit, whole=setting.kind == "integer")
        return value if read is None else plain(read)
    return setting.shown(value) if setting.kind == "enum" else value


def groups(place: Place, seen: Observation) -> dict[str, Manifest]:
    """Return the groups by role: the one asked for, and those that the instance has not left yet, as they are."""
    version = place.ask.spec.version
    found = {f"{PREFIX}{version}": group(place, version, wanted(place, seen))}
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
    version = place.ask.spec.version
    before = _static(observed.at("spec", "forProvider", "parameter") or [], version)
    after = _static(wanted(place, seen), version)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        then = ", ".join(f"{name} {f'to {before[name]}' if name in before else 'to absent'}" for name in changed)
        raise Refusal(
            Reason.NOT_OFFERED,
            f"parameters: {', '.join(changed)} can be set on rds only when the claim is created or its version is"
            f" raised: the server reads it when it starts, and RDS does not restart it for that. Set {then}.",
        )


def _loaded(place: Place, seen: Observation) -> str | None:
    """Return the libraries that the running server was told to load, empty for none of ours; None before it started."""
    version = place.ask.spec.version
    observed = seen.existing(place.slot.resource(f"{PREFIX}{version}"))
    if observed is None or not _started(place, seen.existing(place.slot.resource("instance"))):
        return None
    found = observed.at("spec", "forProvider", "parameter")
    listed = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return next((str(entry.get("value")) for entry in listed if entry.get("name") == extensions.PRELOADED), "")


def _started(place: Place, instance: Observed | None) -> bool:
    """Whether the server runs the version asked for, as far as is known: one that is yet to start reads the group."""
    running = major(instance)
    if instance is None or running is not None:
        return running == place.ask.spec.version
    return instance.annotation(aws.EXTERNAL_NAME) is not None


def _static(entries: JSON, version: str) -> dict[str, str]:
    """Return the static parameters of *entries* that RDS can have taken: it takes none that is to hold at once."""
    names, listed = _static_names(version), entries if isinstance(entries, list) else []
    found = {
        settings.folded(str(entry.get("name")), version): str(entry.get("value"))
        for entry in listed
        if isinstance(entry, dict) and entry.get("applyMethod") == "pending-reboot"
    }
    return {name: told(name, value, version) for name, value in found.items() if name in names}


@cache
def _static_names(version: str) -> frozenset[str]:
    return STATIC | settings.static(version)


def _others(place: Place, seen: Observation) -> dict[str, Observed]:
    stem = place.slot.resource(PREFIX)
    versions = {name.removeprefix(stem): found for name, found in seen.composed.items() if name.startswith(stem)}
    return {version: found for version, found in sorted(versions.items()) if version != place.ask.spec.version}


def _left(place: Place, instance: Observed | None) -> bool:
    """Whether the instance runs the version asked for, with its group."""
    version = place.ask.spec.version
    uses = instance.at("status", "atProvider", "parameterGroupName") if instance else None
    return major(instance) == version and uses == place.parameter_group(version)
