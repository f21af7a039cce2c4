"""What every builder of this engine needs to know: the ask, the slot, and the names that follow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import Kind, digest

if TYPE_CHECKING:
    from groundplane.contracts.database import DatabaseSpec
    from groundplane.core.observation import Observed
    from groundplane.core.slot import Slot
    from groundplane.engines.database.rds._settings import RdsKnobs
    from groundplane.engines.interface import Ask

INSTANCE: Final = Kind("rds.aws.m.upbound.io/v1beta1", "Instance", "instances")
PARAMETER_GROUP: Final = Kind("rds.aws.m.upbound.io/v1beta1", "ParameterGroup", "parametergroups")
SECURITY_GROUP: Final = Kind("ec2.aws.m.upbound.io/v1beta1", "SecurityGroup", "securitygroups")
INGRESS_RULE: Final = Kind("ec2.aws.m.upbound.io/v1beta1", "SecurityGroupIngressRule", "securitygroupingressrules")

_SQL = "postgresql.sql.m.crossplane.io/v1alpha1"
PROVIDER_CONFIG: Final = Kind(_SQL, "ProviderConfig", "providerconfigs")
DATABASE: Final = Kind(_SQL, "Database", "databases")
ROLE: Final = Kind(_SQL, "Role", "roles")
GRANT: Final = Kind(_SQL, "Grant", "grants")
SCHEMA: Final = Kind(_SQL, "Schema", "schemas")
EXTENSION: Final = Kind(_SQL, "Extension", "extensions")

ADMIN: Final = "gp_admin"  # RDS documents at most 16 characters


@dataclass(frozen=True, slots=True)
class Place:
    """One slot, for one ask."""

    ask: Ask[DatabaseSpec, RdsKnobs]
    slot: Slot

    @property
    def name(self) -> str:
        """Name of the Instance; its companions add their role."""
        return self.ask.claim.object(self.slot)

    def companion(self, role: str) -> str:
        """Return the name of the object that plays *role* beside the Instance."""
        return self.ask.claim.object(self.slot, role)

    @property
    def identifier(self) -> str:
        """Name of the instance in the account, at most 63 characters."""
        return self.ask.claim.cloud_name(self.slot)

    @property
    def admin_secret(self) -> str:
        """Name of the Secret with the address and the administrator's login, which the provider writes."""
        return self.companion("admin")

    def parameter_group(self, major: str) -> str:
        """Return the name in the account of the parameter group for *major*: a group belongs to one major for ever."""
        return f"{self.identifier}-{major}"

    @property
    def final_snapshot(self) -> str:
        """Name of the snapshot that deletion leaves: whose, of which life, and of a database of which name."""
        return f"{self.identifier}-{self.ask.claim.life}-{digest(self.ask.spec.database.name)}"

    @property
    def zones(self) -> bool:
        """Whether a standby runs in another zone."""
        return self.ask.effective.failure_tolerance != "None"


def administrator(instance: Observed | None) -> str:
    """Return the administrator's name: the one that the instance was born with, which never changes."""
    born_with = instance.at("spec", "forProvider", "username") if instance else None
    return str(born_with or ADMIN)


def major(instance: Observed | None) -> str | None:
    """Return the major version that runs, or None while nothing is known to run."""
    running = str((instance and instance.at("status", "atProvider", "engineVersionActual")) or "")
    match = re.match(r"(\d+)", running)
    return match[1] if match else None
