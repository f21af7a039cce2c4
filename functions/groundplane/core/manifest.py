"""Kubernetes objects as plain data, and the few ways we look at them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = Any  # what JSON can say: None, bool, int, float, str, list, dict
Manifest = dict[str, JSON]

GROUP = "groundplane.dev"
VERSION = "v1alpha1"

CLAIM_LABEL = f"{GROUP}/claim"
ENVIRONMENT_LABEL = f"{GROUP}/environment"
GUARDED_LABEL = f"{GROUP}/guarded"
CLAIM_UID = f"{GROUP}/claim-uid"
DELETION_POLICY = f"{GROUP}/deletion-policy"
RETENTION_DAYS = f"{GROUP}/retention-days"
RETIRE_CONSENT = f"{GROUP}/retire-consent"
SLOT = f"{GROUP}/slot"
DATA_UID = f"{GROUP}/data-uid"  # the claim that the data were made for, where another one took them over
TAKEOVER = f"{GROUP}/takeover-from"  # consent on the data: a new claim may take them over from the one of this uid


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object, with the plural that RBAC rules and CRD names use."""

    api_version: str
    kind: str
    plural: str
    group: str = field(init=False)  # empty for the core group
    crd: str = field(init=False)  # <plural>.<group>: the name of its CustomResourceDefinition and of its grant
    builtin: bool = field(init=False)  # every API server has it, so that nobody needs to ask

    def __post_init__(self) -> None:
        """Work the names out once: they are asked for hundreds of times a call."""
        group = self.api_version.rpartition("/")[0]
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "crd", f"{self.plural}.{group}" if group else self.plural)
        object.__setattr__(self, "builtin", not group or group.endswith(".k8s.io"))

    def manifest(self, name: str, **sections: JSON) -> Manifest:
        """Return an object of this kind called *name* with *sections* (``spec=...``)."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {"name": name},
            **sections,
        }


SECRET = Kind("v1", "Secret", "secrets")
ENVIRONMENT_CONFIG = Kind("apiextensions.crossplane.io/v1beta1", "EnvironmentConfig", "environmentconfigs")
GRANTS = "groundplane-grants"  # the EnvironmentConfig that says what Crossplane may manage


def at(value: JSON, *path: str) -> JSON:
    """Return what stands at *path* inside nested mappings, or None when any step is missing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def secret_data(entries: Mapping[str, str]) -> dict[str, str]:
    """Return *entries* as the ``data`` of a Secret, which holds base64."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in entries.items()}


def without_none(value: Mapping[str, JSON]) -> Manifest:
    """Return *value* without its None entries, one level deep: absent and null differ to an API server."""
    return {key: entry for key, entry in value.items() if entry is not None}


@lru_cache(maxsize=1024)
def digest(*parts: str, length: int = 8) -> str:
    """Return the first *length* hex characters of a SHA-256 over *parts*, which cannot run into each other."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]
