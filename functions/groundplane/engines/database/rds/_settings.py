"""What this engine reads from an environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from groundplane.contracts.database import SIZES
from groundplane.contracts.environment import Knobs, Section
from groundplane.core.capability import AtLeast
from groundplane.core.quantity import parse
from groundplane.engines._environment import Aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.capability import Capability

# Restorable time lags five minutes behind, and is as old as the provider's last poll on top: ten minutes, or one.
RPO_SECONDS: Final = 1200
RPO_SECONDS_POLLED_EVERY_MINUTE: Final = 600


class InstanceClass(Section):
    """A class of instances, and what one has."""

    name: Annotated[str, Field(pattern=r"^db\.[a-z0-9.-]+$")]
    """Its name, such as db.m7g.large."""
    cpu: int
    """Virtual cores."""
    memory: Annotated[str, Field(pattern=r"^[0-9]+Gi$")]
    """Memory, as a quantity, such as 8Gi."""

    def holds(self, cpu: str, memory: str) -> bool:
        """Whether it has at least *cpu* cores and *memory*."""
        return self.cpu >= parse(cpu) and parse(self.memory) >= parse(memory)


# In order of price, which is the order of choice.
CLASSES: Final = [
    InstanceClass(name=f"db.{name}", cpu=cpu, memory=f"{memory}Gi")
    for name, cpu, memory in (
        ("t4g.micro", 2, 1),
        ("t4g.small", 2, 2),
        ("t4g.medium", 2, 4),
        ("m7g.large", 2, 8),
        ("r7g.large", 2, 16),
        ("m7g.xlarge", 4, 16),
        ("r7g.xlarge", 4, 32),
        ("m7g.2xlarge", 8, 32),
        ("r7g.2xlarge", 8, 64),
        ("m7g.4xlarge", 16, 64),
        ("r7g.4xlarge", 16, 128),
        ("m7g.8xlarge", 32, 128),
        ("r7g.8xlarge", 32, 256),
        ("m7g.16xlarge", 64, 256),
        ("r7g.16xlarge", 64, 512),
    )
]


# As RDS keeps it: small letters, whatever it was given, so that there is no difference for ever.
_SUBNET_GROUP: Final = re.compile(r"[a-z][a-z0-9._ -]{0,254}", re.ASCII)
# The authorities of today: RDS's user guide, 2026. Those before, such as rds-ca-2019, have expired.
_AUTHORITY: Final = re.compile(r"rds-ca-(rsa2048|rsa4096|ecc384)-g[1-9][0-9]*", re.ASCII)


def _subnet_group(name: str) -> str:
    if not _SUBNET_GROUP.fullmatch(name):
        msg = (
            f"{name[:64]} is no name of a DB subnet group: a small letter, then up to 254 small letters, digits,"
            " periods, underscores, spaces and hyphens"
        )
        raise ValueError(msg)
    return name


def _authority(identifier: str) -> str:
    if not _AUTHORITY.fullmatch(identifier):
        msg = (
            f"{identifier[:64]} is no authority that signs today: there are rds-ca-rsa2048-g1, rds-ca-rsa4096-g1 and"
            " rds-ca-ecc384-g1"
        )
        raise ValueError(msg)
    return identifier


class Rds(Section):
    """How this account runs RDS."""

    db_subnet_group_name: Annotated[str, AfterValidator(_subnet_group)]
    """Name of the DB subnet group, in the VPC of aws.vpcId. failureTolerance Zone needs subnets of it in two zones."""
    ca_bundle: Annotated[str, Field(pattern=r"^\s*-----BEGIN CERTIFICATE-----")]
    """Certificates of RDS's authority for the region, PEM. Clients check the server against them."""
    ca_certificate_identifier: Annotated[str, AfterValidator(_authority)] = "rds-ca-rsa2048-g1"
    """The authority that signs servers' certificates; caBundle must hold it."""
    instance_classes: dict[str, str] = Field(default_factory=dict)
    """Class for each size, such as Small: db.t4g.small. Default: the first of classes that is large enough."""
    classes: Annotated[list[InstanceClass], Field(min_length=1)] = Field(default_factory=CLASSES.copy)  # no deep copy
    """The classes to choose from, the preferred first. Default: those of db.t4g, db.m7g and db.r7g that the region
    has, as far as is known."""
    sql_ssl_mode: Literal["require", "verify-ca", "verify-full"] = "require"
    """How provider-sql checks the server. The verify modes need RDS's authority among what its pod trusts."""
    polled_every_minute: bool = False
    """Whether the AWS provider runs with --poll=1m. Then rpoSeconds from 600 can be kept, else from 1200."""

    @model_validator(mode="after")
    def _sizes_are_floors(self) -> Rds:
        known = {entry.name: entry for entry in self.classes}
        for size, name in self.instance_classes.items():
            if size not in SIZES:
                msg = f"instanceClasses.{size}: there is no such size; there are {', '.join(SIZES)}"
                raise ValueError(msg)
            if name not in known:
                msg = f"instanceClasses.{size}: {name} is not among classes"
                raise ValueError(msg)
            if not known[name].holds(*SIZES[size]):
                cpu, memory = SIZES[size]
                msg = f"instanceClasses.{size}: {name} has less than the size's floor, {cpu} CPU and {memory}"
                raise ValueError(msg)
        return self


class RdsKnobs(Knobs):
    """What this engine reads from an environment."""

    aws: Aws
    """The account and network."""
    rds: Rds
    """How this account runs RDS."""

    def capabilities(self) -> Mapping[str, Capability]:
        """Return the recovery point that can be kept: it cannot be newer than what the provider last saw."""
        least = RPO_SECONDS_POLLED_EVERY_MINUTE if self.rds.polled_every_minute else RPO_SECONDS
        return {"objectives.rpoSeconds": AtLeast(least)}
