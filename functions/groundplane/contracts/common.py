"""The common part of every claim: demands of durability, recovery and custody (contract, section 6.1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from groundplane.contracts._base import Model, Rule, keyed
from groundplane.core import moment

DIGITS = r"^[0-9]{1,9}$"


class Tier(StrEnum):
    """A named preset of demands."""

    DEVELOPMENT = "Development"
    STANDARD = "Standard"
    CRITICAL = "Critical"


Days = Annotated[int, Field(ge=1, le=365)]
Seconds = Annotated[int, Field(ge=60, le=604800)]


class Objectives(Model):
    """What loss and what outage are tolerated."""

    failure_tolerance: Literal["None", "Node", "Zone"] | None = None
    """The largest loss the service survives by itself. An engine may do more, never less. Default: by tier."""
    rpo_seconds: Seconds | None = None
    """The most data, in seconds of writes, that restoring from backup may lose.

    Not the loss of a failover. Default: by tier.
    """
    rto_seconds: Seconds | None = None
    """The longest time, in seconds, from the start of a restore until the restored data are verified.

    Default: by tier.
    """


class Backup(Model):
    """How far back the service can be brought."""

    retention_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """The service can be brought back as of any point of the last N days. Default: by tier."""


class Drill(Model):
    """Whether and how often recovery is rehearsed."""

    policy: Literal["Scheduled", "Never"] | None = None
    """Scheduled: a backup is restored beside the service, checked and measured. Default: by tier."""
    interval_days: Annotated[int, Field(ge=1, le=90)] | None = None
    """Days between two drills. Default: by tier."""


class Check(Model):
    """A question put to the restored copy."""

    rules = (Rule("has(self.equals) != has(self.atLeast)", "give equals or atLeast, one of them"),)

    name: Annotated[str, Field(min_length=1, max_length=63)]
    """What the check is called in the verdict."""
    sql: Annotated[str, Field(min_length=1, max_length=4096)]
    """A query with one row and one column, run on the restored copy with a read-only login."""
    equals: Annotated[str, Field(max_length=256)] | None = None
    """The answer, as text."""
    at_least: int | None = None
    """The smallest answer that passes."""


class Recovery(Model):
    """How recovery is proven."""

    drill: Drill | None = None
    """The rehearsal. Default: by tier."""
    checks: Annotated[list[Check], Field(max_length=20, json_schema_extra=keyed("name"))] | None = None
    """What must hold of the restored copy. A check that cannot run has failed."""


class ClaimRef(Model):
    """A claim of the same kind in the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=63)]
    """Name of the claim."""


def _in_utc(text: str) -> str:
    """Return *text* in UTC: engines never see another form."""
    try:
        return moment.written(moment.parse(text))
    except ValueError as error:
        raise PydanticCustomError("moment", str(error)) from None


class Restore(Model):
    """Where the first data come from."""

    atomic = True
    rules = (
        Rule(
            "(self.from == 'Claim') == has(self.claimRef) && (self.from == 'Backup') == has(self.backupID)",
            "from: Claim needs claimRef, from: Backup needs backupID, from: Retained neither",
        ),
        Rule(
            "!has(self.pointInTime) || self.from != 'Retained'",
            "pointInTime goes with Claim or Backup",
        ),
    )

    source: Annotated[Literal["Claim", "Backup", "Retained"], Field(alias="from")]
    """Claim: a copy of a claim that is there. Backup: from a backup whose claim is gone. Retained: take over what a
    deleted claim left."""
    claim_ref: ClaimRef | None = None
    """The claim to copy, with from: Claim."""
    backup_id: Annotated[
        str | None,
        Field(
            alias="backupID",
            min_length=1,
            max_length=253,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        ),
    ] = None
    """The backup, with from: Backup, as status.backup.id of its claim showed it."""
    point_in_time: (
        Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"}), AfterValidator(_in_utc)] | None
    ) = None
    """The moment to restore, RFC 3339. Without it: the latest that can be had."""


class Credentials(Model):
    """How long a credential lives."""

    rotation_days: Days | None = None
    """Days until new credentials are made; the old ones stay valid until the next rotation. Default: by tier."""


class Consumer(Model):
    """Who must be able to connect."""

    namespace: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """A namespace whose pods must be able to connect, beside the claim's own."""


class MaintenanceWindow(Model):
    """When a change that interrupts may happen, UTC. At least an hour; the engine may take longer."""

    atomic = True

    day: Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    """Day of the week."""
    start_hour: Annotated[int, Field(ge=0, le=23)]
    """Hour of the day at which the window opens, UTC."""


Slots = Annotated[
    list[Annotated[str, Field(max_length=63, pattern=r"^[a-z][a-z0-9]*-[1-9][0-9]*$")]],
    Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}),
]
Entries = Annotated[
    list[Annotated[str, Field(max_length=128, pattern=r"^[a-z][A-Za-z]*/.+$")]],
    Field(max_length=128, json_schema_extra={"x-kubernetes-list-type": "set"}),
]


class Migration(Model):
    """Consent. It names what may go, so it can stay in git for ever and never fires twice."""

    approved_slot: Annotated[str, Field(max_length=63, pattern=r"^[a-z][a-z0-9]*-[1-9][0-9]*$")] | None = None
    """The slot to move to, as the refusal of the swap named it."""
    retired_slots: Slots | None = None
    """Slots whose data may be destroyed, as a refusal or status.migration named them."""
    retired_entries: Entries | None = None
    """Entries, as <list>/<name>, that are no longer managed, such as extensions/vector."""
    keep_source_days: Annotated[int, Field(ge=1, le=90)] | None = None
    """Days the old slot is kept after a move."""
    max_write_pause_seconds: Annotated[int, Field(ge=0, le=86400)] | None = None
    """The longest time writes may pause during a move."""


class CommonSpec(Model):
    """The fields every kind has."""

    tier: Tier = Tier.STANDARD
    """The preset for everything below that is not written: Development, Standard or Critical."""
    deletion_policy: Literal["Protect", "Retain", "Delete"] | None = None
    """Protect: the API refuses to delete the claim. Retain: service and data stay, adopted only by restore.from:
    Retained. Delete: both go, backups stay for their retention. Default: by tier."""
    objectives: Objectives | None = None
    """Demands on loss and outage."""
    backup: Backup | None = None
    """Demands on backups."""
    recovery: Recovery | None = None
    """Demands on the proof of recovery."""
    restore: Restore | None = None
    """Start from existing data. Only when the claim is created; may be removed later."""
    credentials: Credentials | None = None
    """Demands on credentials."""
    consumers: Annotated[list[Consumer], Field(max_length=32, json_schema_extra=keyed("namespace"))] | None = None
    """Other namespaces that must be able to connect.

    Where an engine cannot tell namespaces apart the boundary is the network.
    """
    maintenance_window: MaintenanceWindow | None = None
    """When changes that interrupt may happen. Default: at once."""
    migration: Migration | None = None
    """Consent to moves and to what they destroy."""


ROOT_RULES = (
    Rule(
        "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",
        "name: 1 to 40 lower-case letters, digits or '-', starting with a letter; engines add suffixes",
    ),
)
SPEC_RULES = (
    Rule(
        "!has(self.restore) || (has(oldSelf.restore) && self.restore == oldSelf.restore)",
        "restore can only be set when the claim is created; create a new claim",
    ),
    Rule(
        "!has(oldSelf.crossplane) || !has(oldSelf.crossplane.compositionRef) || (has(self.crossplane) &&"
        " has(self.crossplane.compositionRef))",
        "keep spec.crossplane.compositionRef: without it another engine could be chosen",
    ),
)
PROTOCOL_FIXED = Rule(
    "self == oldSelf",
    "protocol is fixed for the life of a claim; create a new claim and move the data",
)
