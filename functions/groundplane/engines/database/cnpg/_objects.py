"""What stands around the Cluster: roles, database, backups, network, monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import JSON, Manifest, digest, without_none
from groundplane.engines import _kubernetes as kubernetes
from groundplane.engines.database import _access as access
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.cnpg._names import DATABASE, OBJECT_STORE, PLUGIN, ROLE, SCHEDULED_BACKUP, Place

if TYPE_CHECKING:
    from groundplane.engines._environment import BackupTarget, Monitoring

# Another place would be another archive: what was backed up before could no longer be restored.
ARCHIVE: Final = (("spec", "configuration", "destinationPath"), ("spec", "configuration", "endpointURL"))
NAMED: Final = (("spec", "name"),)
CREDENTIAL_KEYS: Final = ("access-key-id", "secret-access-key")
BASE_BACKUP_SECONDS: Final = 36 * 60 * 60  # one a day, and half a day of patience


def watched(secret: Manifest) -> Manifest:
    """Return *secret* with the label that makes the operator notice a change at once."""
    secret["metadata"]["labels"] = {"cnpg.io/reload": "true"}
    return secret


def database(place: Place) -> Manifest:
    """Return the Database: it adopts what the Cluster made first, and keeps the extensions."""
    spec = {
        "cluster": {"name": place.name},
        "name": place.ask.spec.database.name,
        "owner": postgresql.OWNER,
        "databaseReclaimPolicy": "retain",
        "extensions": [{"name": name} for name in postgresql.extensions(place.ask.spec)] or None,
    }
    return DATABASE.manifest(place.name, spec=without_none(spec))


def owner(place: Place) -> Manifest:
    """Return the role that owns everything and cannot log in.

    It may see and end sessions: the operator takes from a role what its object does not list, so SQL could not say it.
    """
    return _role(place, "owner", postgresql.OWNER, disablePassword=True, inRoles=list(access.SESSIONS))


def active_login(place: Place, secret: Manifest) -> Manifest:
    """Return the login that the application uses, with the password in *secret*."""
    password = {"name": secret["metadata"]["name"]}
    return _role(
        place, "login-a", postgresql.LOGINS[0], login=True, passwordSecret=password, inRoles=[postgresql.OWNER]
    )


def resting_login(place: Place) -> Manifest:
    """Return the other login. It cannot log in; a rotation will wake it."""
    return _role(place, "login-b", postgresql.LOGINS[1], disablePassword=True, inRoles=[postgresql.OWNER])


def store(place: Place, target: BackupTarget) -> Manifest:
    """Return where backups go, and how long they are kept."""
    configuration = {
        "destinationPath": target.path(place.ask.claim.namespace),
        "endpointURL": target.endpoint_url,
        "s3Credentials": _keys(target.secret) if target.secret else {"inheritFromIAMRole": True},
        "wal": {"compression": "gzip", "maxParallel": 4},
        "data": {"compression": "gzip"},
    }
    spec = {
        "configuration": without_none(configuration),
        "retentionPolicy": f"{place.ask.effective.retention_days}d",
        "instanceSidecarConfiguration": _sidecar(target),
    }
    return OBJECT_STORE.manifest(place.name, spec=without_none(spec))


def backup(place: Place) -> Manifest:
    """Return the daily base backup, at an hour that differs from claim to claim.

    The schedule has six fields, seconds first.
    """
    moment = int(digest(place.ask.claim.origin, "backup"), 16) % (24 * 60)
    spec = {
        "cluster": {"name": place.name},
        "schedule": f"0 {moment % 60} {moment // 60} * * *",
        "immediate": True,
        "method": "plugin",
        "pluginConfiguration": {"name": PLUGIN},
        "backupOwnerReference": "cluster",
    }
    return SCHEDULED_BACKUP.manifest(place.name, spec=spec)


def network(place: Place) -> Manifest:
    """Return who may reach the pods: consumers, the operator, the pods themselves, and Prometheus."""
    knobs = place.ask.knobs
    consumers = [place.ask.claim.namespace, *(entry.namespace for entry in place.ask.spec.consumers or ())]
    ingress = [
        kubernetes.from_namespaces(consumers, postgresql.PORT),
        kubernetes.from_namespaces([knobs.cnpg.operator_namespace], postgresql.PORT, 8000),
        kubernetes.from_pods(place.pods, postgresql.PORT, 8000),
    ]
    if knobs.monitoring:
        ingress.append(kubernetes.from_namespaces([knobs.monitoring.namespace], 9187))
    return kubernetes.network_policy(place.name, place.pods, ingress)


def monitor(place: Place, monitoring: Monitoring) -> Manifest:
    """Return the PodMonitor; the one the operator would make is deprecated."""
    return kubernetes.pod_monitor(place.name, place.pods, "metrics", monitoring)


def alerts(place: Place, monitoring: Monitoring) -> Manifest:
    """Return the alerts, each with its runbook."""
    namespace = place.ask.claim.namespace
    service = f'namespace="{namespace}",pod=~"{place.name}-[0-9]+"'
    volume = f'namespace="{namespace}",persistentvolumeclaim=~"{place.name}-[0-9]+"'
    rules = [
        kubernetes.Alert(
            "GroundplaneDatabaseDown",
            f"absent(cnpg_collector_up{{{service}}} == 1)",
            "2m",
            "critical",
            f"No instance of database {place.name} answers.",
        ),
        kubernetes.Alert(
            "GroundplaneDatabaseStorageLow",
            f"kubelet_volume_stats_available_bytes{{{volume}}} / kubelet_volume_stats_capacity_bytes{{{volume}}} <"
            " 0.15",
            "15m",
            "warning",
            f"Less than 15 % of the storage of database {place.name} is left.",
        ),
    ]
    if place.instances > 1:
        rules.append(
            kubernetes.Alert(
                "GroundplaneDatabaseReplicaMissing",
                f"count(cnpg_collector_up{{{service}}} == 1) < {place.instances}",
                "15m",
                "warning",
                f"Database {place.name} runs with fewer instances than its failure tolerance needs.",
            )
        )
    if place.target:
        rules += _backup_alerts(place, service)
    return kubernetes.prometheus_rule(place.name, rules, monitoring)


def _backup_alerts(place: Place, service: str) -> list[kubernetes.Alert]:
    """Return the alerts on base backups and on the log; *service* selects the instances."""
    base = f"barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{{{service}}}"
    return [
        kubernetes.Alert(
            "GroundplaneDatabaseBaseBackupMissing",
            # It is 0 before the first, and missing where the plugin does not run.
            f"time() - max({base}) > {BASE_BACKUP_SECONDS} or absent({base})",
            "2h",
            "warning",
            f"Database {place.name} has no base backup of the last {BASE_BACKUP_SECONDS // 3600} hours.",
        ),
        kubernetes.Alert(
            "GroundplaneDatabaseBackupTooOld",
            # Not the age of the last segment: an idle server archives nothing, and loses nothing.
            f"max(cnpg_pg_stat_archiver_last_failed_time{{{service}}} -"
            f" cnpg_pg_stat_archiver_last_archived_time{{{service}}}) > 1",
            f"{place.ask.effective.rpo_seconds}s",
            "critical",
            f"More writes of database {place.name} than its rpoSeconds allows are in no backup.",
        ),
    ]


def _role(place: Place, role: str, name: str, **attributes: JSON) -> Manifest:
    """Return a role that may do what *attributes* say.

    One that may not log in says nothing about it: the operator drops the word, and each apply would put it back.
    """
    spec = {
        "cluster": {"name": place.name},
        "name": name,
        "ensure": "present",
        "databaseRoleReclaimPolicy": "retain",
        **attributes,
    }
    return ROLE.manifest(place.ask.claim.object(place.slot, role), spec=spec)


def _keys(secret: str) -> Manifest:
    fields = zip(("accessKeyId", "secretAccessKey"), CREDENTIAL_KEYS, strict=True)
    return {field: {"name": secret, "key": key} for field, key in fields}


def _sidecar(target: BackupTarget) -> Manifest | None:
    """Stores that only resemble S3 reject the checksums of newer clients; a region comes by variable."""
    env: list[Manifest] = []
    if target.endpoint_url:
        env += [
            {"name": name, "value": "when_required"}
            for name in ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION")
        ]
    if target.region:
        env.append({"name": "AWS_DEFAULT_REGION", "value": target.region})
    return {"env": env} if env else None
