"""Made-up objects: a claim, an environment, Secrets, and the constants that the small world of the tests is made of."""

import base64
from datetime import UTC, datetime
from typing import Any

Manifest = dict[str, Any]
Key = tuple[str, str]  # kind.group and name; there is one namespace

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UID = "0b9d5a52-6f2d-4a38-9a4c-3b1c9d1e7f00"
CA = "-----BEGIN CERTIFICATE-----\nmade up\n-----END CERTIFICATE-----\n"
CRDS = (
    "clusters.postgresql.cnpg.io",
    "databases.postgresql.cnpg.io",
    "databaseroles.postgresql.cnpg.io",
    "scheduledbackups.postgresql.cnpg.io",
    "objectstores.barmancloud.cnpg.io",
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
)
CONDITIONS = ("Accepted", "Serving", "Settled", "BackupCurrent", "RecoveryProven")
KUBERNETES: Manifest = {
    "engines": {"database": "cnpg"},
    "kubernetes": {"storageClass": "fast"},
    "backup": {"bucket": "acme-backups", "region": "eu-central-1"},
    "monitoring": {"runbookURL": "https://runbooks.example.com"},
}


def encoded(**entries: str) -> dict[str, str]:
    """Return *entries* as the data of a Secret; ``_`` in a key stands for ``-``."""
    return {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in entries.items()}


def decoded(secret: Manifest) -> dict[str, str]:
    """Return the entries of *secret* as text."""
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def claim(environment: str = "kubernetes", /, **spec: Any) -> Manifest:
    """Return the XDatabase ``orders`` of ``team-a`` with *spec*."""
    wanted = {"protocol": "postgresql", "version": "17", "tier": "Standard", "storage": {"size": "20Gi"}} | spec
    return {
        "apiVersion": "groundplane.dev/v1alpha1",
        "kind": "XDatabase",
        "metadata": {
            "name": "orders",
            "namespace": "team-a",
            "uid": UID,
            "generation": 1,
            "labels": {"groundplane.dev/environment": environment} if environment else {},
        },
        "spec": wanted,
    }


def key_of(manifest: Manifest) -> Key:
    """Return where *manifest* is kept."""
    return f"{manifest['kind']}.{manifest['apiVersion'].rpartition('/')[0]}", manifest["metadata"]["name"]


def environment_config(name: str, data: Manifest) -> Manifest:
    """Return an EnvironmentConfig."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v1beta1",
        "kind": "EnvironmentConfig",
        "metadata": {"name": name},
        "data": data,
    }
