"""What the operators of the engines make of composed objects: a status, and Secrets of their own."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from groundplane.core.manifest import SECRET, Manifest, at, digest

_BODY = "bm90IGEgcmVhbCBjZXJ0aWZpY2F0ZSwgYnV0IGFzIGxvbmcgYXMgb25lIGlzCg==\n"
CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{_BODY * 11}-----END CERTIFICATE-----\n"


@functools.cache
def moment(minutes_ago: int = 0) -> str:
    """Return the time that many minutes before the first question for it, as an API server writes times."""
    return (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def played(found: Manifest) -> Manifest:
    """Return *found* with the status that its operator writes once all is well; kinds without a status stay as is."""
    group = str(found["apiVersion"]).rpartition("/")[0]
    play = _STATUS.get((group, found["kind"]))
    if play is None and ".m." in f".{group}":
        play = _managed_resource
    return {**found, "status": play(found)} if play else found


def secrets_made_for(objects: Iterable[Manifest]) -> Iterator[Manifest]:
    """Yield the Secrets that operators make beside *objects*."""
    for found in objects:
        namespace, name = found["metadata"]["namespace"], found["metadata"]["name"]
        if found["kind"] == "Cluster":
            yield _secret(namespace, f"{name}-ca", {"ca.crt": CERTIFICATE, "ca.key": "made up for the benchmark"})
        login = at(found, "spec", "writeConnectionSecretToRef", "name")
        if login:
            host = f"{name}.c0ffee.eu-central-1.rds.amazonaws.com"
            user = str(at(found, "spec", "forProvider", "username"))
            entries = {"endpoint": f"{host}:5432", "host": host, "port": "5432", "username": user}
            yield _secret(namespace, login, {**entries, "password": "made-up-for-the-benchmark"})


def _secret(namespace: str, name: str, entries: dict[str, str]) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in entries.items()}
    made = SECRET.manifest(name, data=data)
    made["metadata"]["namespace"] = namespace
    return made


def condition(kind: str, reason: str, message: str = "") -> Manifest:
    """Return a condition that has been True for a day."""
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": moment(1440)}


def _cluster(found: Manifest) -> Manifest:
    name, count = found["metadata"]["name"], found["spec"]["instances"]
    instances = [f"{name}-{number + 1}" for number in range(count)]
    certificates = {
        key: f"{name}-{kind}"
        for key, kind in (
            ("clientCASecret", "ca"),
            ("serverCASecret", "ca"),
            ("serverTLSSecret", "server"),
            ("replicationTLSSecret", "replication"),
        )
    }
    return {
        "availableArchitectures": [{"goArch": arch, "hash": arch * 12} for arch in ("amd64", "arm64")],
        "certificates": {**certificates, "expirations": dict.fromkeys(certificates.values(), moment(-60 * 24 * 80))},
        "cloudNativePGCommitHash": "4b5e244a7",
        "cloudNativePGOperatorHash": "9f" * 32,
        "conditions": [
            condition("Ready", "ClusterIsReady", "Cluster is Ready"),
            condition("Initialized", "ClusterInitialized", "Cluster has been initialized"),
            condition("ConsistentSystemID", "Unique", "A single, unique system ID was found"),
            condition("ContinuousArchiving", "ContinuousArchivingSuccess", "Continuous archiving is working"),
            condition("LastBackupSucceeded", "LastBackupSucceeded", "Backup was successful"),
        ],
        "configMapResourceVersion": {"metrics": {"cnpg-default-monitoring": "811204"}},
        "currentPrimary": instances[0],
        "currentPrimaryTimestamp": moment(1440),
        "healthyPVC": instances,
        "image": f"{found['spec'].get('imageName', 'ghcr.io/cloudnative-pg/postgresql:17.6')}",
        "instanceNames": instances,
        "instances": count,
        "instancesReportedState": {
            one: {"isPrimary": one == instances[0], "timeLineID": 1, "ip": f"10.8.{number}.17"}
            for number, one in enumerate(instances)
        },
        "instancesStatus": {"healthy": instances},
        "latestGeneratedNode": count,
        "managedRolesStatus": {},
        "pgDataImageInfo": {"image": f"{found['spec'].get('imageName', '')}", "majorVersion": 17},
        "phase": "Cluster in healthy state",
        "pluginStatus": [
            {
                "name": plugin["name"],
                "version": "0.14.0",
                "capabilities": ["TYPE_RECONCILER_HOOKS", "TYPE_LIFECYCLE_SERVICE"],
            }
            for plugin in found["spec"].get("plugins", [])
        ],
        "poolerIntegrations": {"pgBouncerIntegration": {}},
        "pvcCount": count,
        "readService": f"{name}-r",
        "readyInstances": count,
        "secretsResourceVersion": {"applicationSecretVersion": "811377", "clientCaSecretVersion": "811301"},
        "switchReplicaClusterStatus": {},
        "systemID": "7561283123123125274",
        "targetPrimary": instances[0],
        "targetPrimaryTimestamp": moment(1441),
        "timelineID": 1,
        "topology": {
            "instances": {one: {"topology.kubernetes.io/zone": "eu-central-1a"} for one in instances},
            "nodesUsed": count,
            "successfullyExtracted": True,
        },
        "writeService": f"{name}-rw",
    }


def _applied(found: Manifest) -> Manifest:
    extensions = found["spec"].get("extensions", [])
    reported = {"extensions": [{"name": one["name"], "applied": True} for one in extensions]} if extensions else {}
    return {"applied": True, "observedGeneration": 1, **reported}


def _store(found: Manifest) -> Manifest:
    owner = found["metadata"]["ownerReferences"][0]
    window = {"firstRecoverabilityPoint": moment(60 * 24 * 7), "lastSuccessfulBackupTime": moment(300)}
    # Every life of a claim writes an archive of its own, named after its uid.
    return {"serverRecoveryWindow": {f"{found['metadata']['name']}-{digest(owner['uid'])}": window}}


def _schedule(_found: Manifest) -> Manifest:
    return {"lastCheckTime": moment(300), "lastScheduleTime": moment(300), "nextScheduleTime": moment(-1140)}


def _managed_resource(found: Manifest) -> Manifest:
    """Return what a Crossplane provider reports: everything asked for, and that all is in sync."""
    asked = at(found, "spec", "forProvider") or {}
    plain = {key: value for key, value in asked.items() if not key.endswith(("Ref", "Refs", "Selector"))}
    return {
        "atProvider": {**plain, "id": f"{found['metadata']['name']}-0a1b2c3d4e"},
        "conditions": [
            condition("Ready", "Available"),
            condition("Synced", "ReconcileSuccess"),
            condition("LastAsyncOperation", "Success"),
        ],
        "observedGeneration": 1,
    }


def _sql_object(_found: Manifest) -> Manifest:
    return {"conditions": [condition("Ready", "Available"), condition("Synced", "ReconcileSuccess")]}


def _provider_config(_found: Manifest) -> Manifest:
    return {"users": 7}


def _instance(found: Manifest) -> Manifest:
    status = _managed_resource(found)
    asked, name = status["atProvider"], found["metadata"]["name"]
    asked.pop("autoGeneratePassword", None)  # an instruction to the provider, not a property
    host = f"{asked.get('identifier', name)}.c0ffee.{asked.get('region', 'eu-central-1')}.rds.amazonaws.com"
    major = str(asked.get("engineVersion", "17")).split(".")[0]
    status["atProvider"] = {
        **asked,
        "address": host,
        "endpoint": f"{host}:5432",
        "port": 5432,
        "hostedZoneId": "Z1RLNUO7B9Q6NB",
        "arn": f"arn:aws:rds:eu-central-1:111122223333:db:{name}",
        "resourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "status": "available",
        "engineVersionActual": f"{major}.6",
        "latestRestorableTime": moment(4),
    }
    return status


def _process(found: Manifest) -> Manifest:
    """Return what the local provider writes of a Process that answers and serves."""
    names = [one["name"] for one in found["spec"].get("ports", [])]
    ports = [{"name": name, "number": 49152 + number} for number, name in enumerate(names)]
    return {
        "observedGeneration": 1,
        "conditions": [condition("Ready", "Running"), condition("Serving", "Serving")],
        "pid": 4242,
        "startedAt": moment(1440),
        "restarts": 0,
        "ports": ports,
        "authority": CERTIFICATE,
    }


def _task(found: Manifest) -> Manifest:
    """Return what the local provider writes of a Task that was done."""
    result = {"version": "17.10", "archiving": "working"}
    if found["metadata"]["name"].endswith("-backup"):
        result = {"firstRecoverableTime": moment(60 * 24 * 7), "lastSuccessTime": moment(300)}
    return {
        "observedGeneration": 1,
        "conditions": [condition("Succeeded", "Succeeded")],
        "done": "5586e52d621c6b13",
        "lastSuccessTime": moment(300),
        "result": result,
    }


_STATUS: dict[tuple[str, str], Callable[[Manifest], Manifest]] = {
    ("postgresql.cnpg.io", "Cluster"): _cluster,
    ("postgresql.cnpg.io", "Database"): _applied,
    ("postgresql.cnpg.io", "DatabaseRole"): _applied,
    ("postgresql.cnpg.io", "ScheduledBackup"): _schedule,
    ("barmancloud.cnpg.io", "ObjectStore"): _store,
    ("rds.aws.m.upbound.io", "Instance"): _instance,
    ("local.groundplane.dev", "Process"): _process,
    ("local.groundplane.dev", "Task"): _task,
    ("postgresql.sql.m.crossplane.io", "ProviderConfig"): _provider_config,
    ("postgresql.sql.m.crossplane.io", "Role"): _sql_object,
    ("postgresql.sql.m.crossplane.io", "Grant"): _sql_object,
    ("postgresql.sql.m.crossplane.io", "Database"): _sql_object,
    ("postgresql.sql.m.crossplane.io", "Extension"): _sql_object,
    ("postgresql.sql.m.crossplane.io", "Schema"): _sql_object,
}
