"""The server: a Process, and what it is configured with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.apis import processes
from groundplane.core.quantity import parse
from groundplane.engines.database import _extensions
from groundplane.engines.database import _pg_settings as pg_settings
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.local import _access as access
from groundplane.engines.database.local._names import CLUSTER, DISTRIBUTION, HOST, PORT, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.manifest import Manifest

MEBIBYTE: Final = 1024 * 1024
ARCHIVE_TIMEOUT: Final = 300  # seconds

# Set by us, or a way out of the folders that are the database's own.
MANAGED_PARAMETERS: Final = frozenset(
    """
    allow_alter_system archive_cleanup_command archive_command archive_library archive_mode archive_timeout
    basic_archive.archive_directory bonjour cluster_name config_file data_directory dynamic_library_path
    event_source extension_control_path external_pid_file hba_file hot_standby ident_file include include_dir
    include_if_exists jit_provider krb_server_keyfile listen_addresses local_preload_libraries log_destination
    log_directory log_filename log_min_error_statement log_statement logging_collector output_plugin_libraries
    password_encryption port primary_conninfo primary_slot_name promote_trigger_file recovery_end_command
    recovery_min_apply_delay recovery_target recovery_target_action recovery_target_inclusive recovery_target_lsn
    recovery_target_name recovery_target_time recovery_target_timeline recovery_target_xid restart_after_crash
    restore_command session_preload_libraries shared_preload_libraries ssl ssl_ca_file ssl_cert_file ssl_ciphers
    ssl_crl_dir ssl_crl_file ssl_dh_params_file ssl_ecdh_curve ssl_groups ssl_key_file ssl_max_protocol_version
    ssl_min_protocol_version ssl_passphrase_command ssl_passphrase_command_supports_reload ssl_prefer_server_ciphers
    ssl_tls13_ciphers unix_socket_directories unix_socket_group unix_socket_permissions wal_level
    """.split()  # noqa: SIM905  # Sixty quoted names would take sixty lines.
)


def server(place: Place, secret: str) -> Manifest:
    """Return the Process, which serves while one can log in with what *secret* says."""
    files = [
        processes.ConfigFile(name="postgresql.conf", content=_settings(place)),
        processes.ConfigFile(name="pg_hba.conf", content=access.hosts(place), changed="Reload"),
    ]
    args = ["-D", CLUSTER, "-c", "config_file=$(FILES)/postgresql.conf", "-c", "hba_file=$(FILES)/pg_hba.conf"]
    spec = processes.ProcessSpec(
        program=processes.Program(
            distribution=DISTRIBUTION, name="postgres", args=[*args, "-p", "$(PORT_PRIMARY)", "-k", "$(RUN)"]
        ),
        files=files,
        ports=[processes.Port(name=PORT)],
        certificate=True,
        probe=processes.Probe(name="pg_isready", args=["-q", "-t", "3", *access.SOCKET, *access.AS_SUPERUSER]),
        serving=access.serving(place, secret),
        stop=processes.Stop(signal="SIGINT", seconds=60),
        after=[place.task("init")],
        size=place.ask.spec.storage.size,
        data_policy="Delete" if place.ask.effective.deletion_policy == "Delete" else "Retain",
    )
    return processes.PROCESS.manifest(place.name, spec=processes.spec_of(spec))


def _settings(place: Place) -> str:
    own = {**_own(place), **_compute(place), **_archiving(place), **_loaded(place)}
    written = pg_settings.parameters(place.ask.spec)
    lines = [f"{name} = {quoted(value)}" for name, value in own.items()]
    lines += [f"{name} = {processes.literal(quoted(value))}" for name, value in written.items()]
    return "\n".join(lines) + "\n"


def _own(place: Place) -> dict[str, str]:
    return {
        "listen_addresses": HOST,
        "unix_socket_permissions": "0700",
        "cluster_name": place.name,
        "ssl": "on",
        "ssl_cert_file": "$(FILES)/tls.crt",
        "ssl_key_file": "$(FILES)/tls.key",
        "ssl_min_protocol_version": "TLSv1.3",
        "password_encryption": "scram-sha-256",
        "log_statement": "none",
        "wal_level": "replica",
        "max_wal_size": "256MB",
        "min_wal_size": "32MB",
    }


def _compute(place: Place) -> dict[str, str]:
    """Return what follows from cores and memory. Memory is touched only when it is needed."""
    cpu, memory = postgresql.compute(place.ask)
    mebibytes = int(parse(memory) // MEBIBYTE)
    workers = max(1, -int(-parse(cpu) // 1))
    return {
        "shared_buffers": f"{max(16, mebibytes // 4)}MB",
        "effective_cache_size": f"{max(16, mebibytes * 3 // 4)}MB",
        "max_parallel_workers": str(workers),
        "max_worker_processes": str(max(8, workers)),
    }


def _archiving(place: Place) -> Mapping[str, str]:
    rpo = place.ask.effective.rpo_seconds
    if rpo is None:
        return {"archive_mode": "off"}
    return {
        "archive_mode": "on",
        "archive_library": "basic_archive",
        "basic_archive.archive_directory": f"{place.archive}/wal",
        # Half of what may be lost: a segment must also be archived before it counts.
        "archive_timeout": f"{archive_timeout(rpo)}s",
    }


def _loaded(place: Place) -> Mapping[str, str]:
    """Return the libraries that extensions need from the start. A change of them is a restart."""
    found = _extensions.libraries(postgresql.extensions(place.ask.spec))
    return {"shared_preload_libraries": ",".join(found)} if found else {}


def archive_timeout(rpo_seconds: int) -> int:
    """Return the seconds until what was written is archived."""
    return min(ARCHIVE_TIMEOUT, rpo_seconds // 2)


def quoted(value: str) -> str:
    """Return *value* as a string of postgresql.conf."""
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
