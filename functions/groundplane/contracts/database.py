"""XDatabase: a relational database that speaks the PostgreSQL protocol (contract, section 1)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from groundplane.contracts import _quantities as quantities
from groundplane.contracts._base import Column, Contract, Model, Rule, keyed, ruled
from groundplane.contracts.common import PROTOCOL_FIXED, SPEC_RULES, CommonSpec
from groundplane.contracts.status import COLUMNS, CommonStatus

Size = Literal["XSmall", "Small", "Medium", "Large", "XLarge"]
QUANTITY = r"^[1-9][0-9]*(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"

# Floors that the platform maps to its own classes: cores and memory.
SIZES: Final[dict[str, tuple[str, str]]] = {
    "XSmall": ("500m", "1Gi"),
    "Small": ("1", "2Gi"),
    "Medium": ("2", "8Gi"),
    "Large": ("4", "16Gi"),
    "XLarge": ("8", "32Gi"),
}


class Resources(Model):
    """Compute, stated exactly. At least this much is given."""

    atomic = True

    cpu: Annotated[str, Field(max_length=32, pattern=QUANTITY), AfterValidator(quantities.cores)]
    """Cores, as a quantity, such as 500m or 2."""
    memory: Annotated[str, Field(max_length=32, pattern=QUANTITY), AfterValidator(quantities.memory)]
    """Memory, as a quantity, such as 4Gi."""


class Storage(Model):
    """Room for data."""

    size: Annotated[
        str,
        Field(
            max_length=32,
            pattern=r"^[1-9][0-9]*(Gi|Ti)$",
            json_schema_extra=ruled(
                Rule(
                    "quantity(self).compareTo(quantity(oldSelf)) >= 0",
                    "storage cannot shrink; create a new claim with less and move the data with pg_dump and pg_restore",
                )
            ),
        ),
        AfterValidator(quantities.storage),
    ]
    """Bytes the database may fill, as a quantity, such as 20Gi. May grow, never shrink."""


class Extension(Model):
    """A PostgreSQL extension."""

    name: Annotated[str, Field(min_length=1, max_length=63)]
    """Its name, as CREATE EXTENSION takes it."""


class DatabaseObject(Model):
    """The database inside the server."""

    name: Annotated[
        str,
        Field(
            max_length=63,
            pattern=r"^[a-z][a-z0-9_]{0,62}$",
            json_schema_extra=ruled(
                Rule(
                    "self == oldSelf",
                    "the database's name is fixed for the life of a claim; create a new claim and move the data",
                ),
                Rule(
                    "!(self in ['postgres', 'template0', 'template1', 'rdsadmin', 'cloudsqladmin'])",
                    "this name belongs to the server; choose another",
                ),
            ),
        ),
    ] = "app"
    """Name of the database. Fixed for the life of the claim."""
    extensions: Annotated[list[Extension], Field(max_length=32, json_schema_extra=keyed("name"))] | None = None
    """Extensions that must be there. Removing one is refused until migration.retiredEntries names it; then it is no
    longer managed, never dropped."""


class DatabaseSpec(CommonSpec):
    """What an application demands of its database."""

    rules = (
        *SPEC_RULES,
        Rule("!(has(self.size) && has(self.resources))", "set size or resources, not both"),
    )

    protocol: Annotated[Literal["postgresql"], Field(json_schema_extra=ruled(PROTOCOL_FIXED))] = "postgresql"
    """The wire protocol clients speak. Fixed for the life of the claim."""
    version: Annotated[
        str,
        Field(
            max_length=2,
            pattern=r"^[1-9][0-9]$",
            json_schema_extra=ruled(
                Rule(
                    "int(self) >= int(oldSelf)",
                    "version can only rise; to go back, restore into a new claim",
                )
            ),
        ),
    ]
    """PostgreSQL major version, such as "17". May rise, never fall."""
    size: Size | None = None
    """Compute, in five floors: XSmall 500m/1Gi, Small 1/2Gi, Medium 2/8Gi, Large 4/16Gi, XLarge 8/32Gi.
    Default: by tier."""
    resources: Resources | None = None
    """Compute, stated exactly, instead of size."""
    storage: Storage
    """Room for data."""
    database: DatabaseObject = DatabaseObject()
    """The database inside the server."""
    parameters: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=64)] | None = None
    """Settings of the server, as in postgresql.conf. An engine refuses those it manages itself, by name."""


class DatabaseStatus(CommonStatus):
    """What the platform says of the database."""


POSTGRESQL_KEYS = (
    "host",
    "port",
    "database",
    "username",
    "password",
    "uri",
    "sslmode",
    "sslrootcert",
    "certificates",
    "root.crt",
)

CONTRACT: Final = Contract(
    name="database",
    kind="XDatabase",
    plural="xdatabases",
    short_name="xdb",
    stem="db",
    summary="A PostgreSQL database with backups, failover and a binding, whatever engine serves it.",
    default_engine="cnpg",
    spec=DatabaseSpec,
    status=DatabaseStatus,
    binding_types={"postgresql": POSTGRESQL_KEYS},
    columns=(
        Column("ENGINE", ".status.engine"),
        Column("VERSION", ".status.version"),
        *COLUMNS,
    ),
)
