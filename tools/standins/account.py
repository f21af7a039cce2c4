"""An AWS account, as far as engine rds needs one: it goes on, whatever becomes of the provider that asked for things.

Refusals and their codes are those of the EC2 and RDS APIs. `docs/adr/0021-external-names-by-the-function.md` says why
what the account makes up, and what it remembers, matters.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from groundplane.core.manifest import Manifest, digest

INSTANCE: Final = "Instance"
PARAMETER_GROUP: Final = "ParameterGroup"
SECURITY_GROUP: Final = "SecurityGroup"
RULE: Final = "SecurityGroupIngressRule"
KINDS: Final = (INSTANCE, PARAMETER_GROUP, SECURITY_GROUP, RULE)

_PREFIX: Final = {INSTANCE: "db-", SECURITY_GROUP: "sg-", RULE: "sgr-"}
_TAKEN: Final = {
    INSTANCE: "DBInstanceAlreadyExists: DB instance already exists",
    PARAMETER_GROUP: "DBParameterGroupAlreadyExists: Parameter group already exists",
    SECURITY_GROUP: "InvalidGroup.Duplicate: The security group already exists for the VPC",
    RULE: "InvalidPermission.Duplicate: the specified rule already exists",
}
_SINGLE: Final = {  # what no two of a kind have in common
    INSTANCE: ("identifier",),
    PARAMETER_GROUP: ("name",),
    SECURITY_GROUP: ("name", "vpcId"),
    RULE: ("securityGroupId", "cidrIpv4", "ipProtocol", "fromPort", "toPort"),
}
_ENGINE: Final = {"15": "15.14", "16": "16.10", "17": "17.6", "18": "18.1"}


class RefusedError(Exception):
    """The account does not do what it was asked; the text is its own."""


@dataclass
class Account:
    """What is there, by kind and id; written to *file* at every change, when there is one."""

    file: Path | None = None
    clock: Callable[[], float] = time.time
    birth_seconds: float = 0  # how long an instance is being made
    there: dict[str, dict[str, Manifest]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    snapshots: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)  # every creation, as `kind name`, for a test to count

    def __post_init__(self) -> None:
        """Go on where the file left off."""
        if self.file and self.file.exists():
            kept = json.loads(self.file.read_text())
            self.there, self.snapshots, self.made = kept["there"], kept["snapshots"], kept["made"]

    def create(self, kind: str, settings: Manifest) -> str:
        """Make something and return its id.

        Raises:
            RefusedError: there is one like it, or what it needs is missing.
        """
        if any(_same(kind, settings, one) for one in self.there[kind].values()):
            raise RefusedError(_TAKEN[kind])
        if kind == INSTANCE:
            self._check_needs(settings)
        identity = settings["name"] if kind == PARAMETER_GROUP else f"{_PREFIX[kind]}{self._token(kind)}"
        self.there[kind][identity] = {**settings, "id": identity, "since": self.clock()}
        if kind == INSTANCE:
            self._start(identity)
        self.made.append(" ".join([kind, *(str(settings[key]) for key in _SINGLE[kind])]))
        self._keep()
        return identity

    def find(self, kind: str, name: str) -> Manifest | None:
        """Return what has the id *name*; an instance is found by its identifier as well."""
        found = self.there[kind].get(name)
        if found is None and kind == INSTANCE:
            found = next((one for one in self.there[kind].values() if one["identifier"] == name), None)
        if found is None or kind != INSTANCE:
            return found
        return {**found, "status": "creating" if self._is_being_made(found) else found["status"]}

    def change(self, kind: str, identity: str, settings: Manifest) -> None:
        """Bring something to *settings*.

        Raises:
            RefusedError: it is still being made, or what it needs is missing.
        """
        found = self.there[kind][identity]
        if kind == INSTANCE and self._is_being_made(found):
            raise RefusedError("InvalidDBInstanceState: DB instance is not in available state")
        if kind == INSTANCE:
            self._check_needs(settings)
        found.update(settings)
        if kind == INSTANCE:
            self._start(identity)
        self._keep()

    def delete(self, kind: str, identity: str, settings: Manifest) -> None:
        """Delete something as *settings* say: an instance leaves the snapshot that they name.

        Raises:
            RefusedError: it is protected, or in use.
        """
        found = self.there[kind][identity]
        if kind == INSTANCE:
            if found.get("deletionProtection"):
                raise RefusedError("InvalidParameterCombination: Cannot delete protected DB Instance")
            if not settings.get("skipFinalSnapshot"):
                self.snapshots.append(settings["finalSnapshotIdentifier"])
        elif any(identity in self._used(kind, one) for one in self.there[INSTANCE].values()):
            raise RefusedError(f"DependencyViolation: {identity} is in use")
        elif kind == SECURITY_GROUP:
            rules = self.there[RULE]
            self.there[RULE] = {key: one for key, one in rules.items() if one["securityGroupId"] != identity}
        del self.there[kind][identity]
        self._keep()

    def names(self) -> list[str]:
        """Return everything that is there, as `kind name`."""
        return sorted(f"{kind} {one[_SINGLE[kind][0]]}" for kind, all_ in self.there.items() for one in all_.values())

    def is_busy(self) -> bool:
        """Tell whether an instance is being made."""
        return any(self._is_being_made(one) for one in self.there[INSTANCE].values())

    def _check_needs(self, settings: Manifest) -> None:
        if settings["parameterGroupName"] not in self.there[PARAMETER_GROUP]:
            raise RefusedError(f"DBParameterGroupNotFound: {settings['parameterGroupName']}")
        for group in settings.get("vpcSecurityGroupIds", []):
            if group not in self.there[SECURITY_GROUP]:
                raise RefusedError(f"InvalidParameterValue: {group} does not exist")

    def _start(self, identity: str) -> None:
        """Let an instance run what it was asked to."""
        found = self.there[INSTANCE][identity]
        address = f"{found['identifier']}.c0ffee.{found.get('region', 'eu-central-1')}.rds.amazonaws.com"
        version = str(found.get("engineVersion", "17")).split(".")[0]
        found |= {"status": "available", "address": address, "engineVersionActual": _ENGINE[version]}

    def _is_being_made(self, found: Manifest) -> bool:
        return bool(self.clock() - found["since"] < self.birth_seconds)

    def _used(self, kind: str, instance: Manifest) -> list[str]:
        groups: list[str] = instance.get("vpcSecurityGroupIds", [])
        return groups if kind == SECURITY_GROUP else [instance["parameterGroupName"]]

    def _token(self, kind: str) -> str:
        return (digest(kind, str(len(self.made))) * 3)[:17].upper()

    def _keep(self) -> None:
        if self.file:
            kept = {"there": self.there, "snapshots": self.snapshots, "made": self.made}
            self.file.write_text(json.dumps(kept))


def _same(kind: str, settings: Manifest, other: Manifest) -> bool:
    return all(settings.get(key) == other.get(key) for key in _SINGLE[kind])
