"""The Instance: the server, its storage, its backups, and how it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core import moment as moments
from groundplane.core.manifest import Manifest, digest
from groundplane.core.quantity import gibibytes
from groundplane.core.refusal import Reason, Refusal
from groundplane.engines import _aws as aws
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.rds._classes import COMPUTE, chosen, compute
from groundplane.engines.database.rds._names import INSTANCE, Place, administrator, major
from groundplane.engines.database.rds._whose import Whose, external_name, relied_on, whose

if TYPE_CHECKING:
    from groundplane.core.observation import Observed

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
SMALLEST_GIB: Final = 20
LARGEST_GIB: Final = 65536

IDENTITY: Final = (
    *aws.IDENTITY,
    *(
        ("spec", "forProvider", field)
        for field in ("identifier", "engine", "username", "storageEncrypted", "dbSubnetGroupName")
    ),
)
_BORN_WITH: Final = ("kmsKeyId", "snapshotIdentifier", "restoreToPointInTime")


def instance(place: Place, observed: Observed | None) -> Manifest:
    """Return the Instance. What it was born with is history: read back from *observed*, whatever became of its source.

    Raises:
        Refusal: no class or disk is large enough, or the restore cannot be.
    """
    policies, named = _policies(place, observed), external_name(place, observed)
    observed = relied_on(place, observed)
    delete = place.ask.effective.deletion_policy == "Delete"
    settings: Manifest = {
        "identifier": place.identifier,
        "engine": "postgres",
        **_version(place, observed),
        **_capacity(place, observed),
        **_access(place, observed),
        **_backups(place),
        **_windows(place),
        "deletionProtection": not delete,
        "tags": aws.tags(place.ask.claim, place.ask.knobs.aws),
        **_birth(place, observed),
    }
    manifest = aws.managed(
        INSTANCE,
        place.name,
        place.ask.knobs.aws,
        settings,
        policies=policies,
        external_name=named,
        writeConnectionSecretToRef={"name": place.admin_secret},
    )
    manifest["metadata"].setdefault("annotations", {})[COMPUTE] = compute(place)
    return manifest


def _policies(place: Place, observed: Observed | None) -> tuple[str, ...]:
    if whose(place, observed) is not Whose.OURS:
        return aws.SEEN
    return aws.RELEASED if place.ask.effective.deletion_policy == "Delete" else aws.KEPT


def storage_gib(place: Place, observed: Observed | None) -> int:
    """Return the disk in GiB: what is asked, at least 20, never less than what is there.

    RDS rounds growth up to a tenth, and a disk cannot shrink: asking again for less would fail for ever.

    Raises:
        Refusal: NotOffered, when no disk is that large.
    """
    asked = gibibytes(place.ask.spec.storage.size)
    if asked > LARGEST_GIB:
        raise Refusal(
            Reason.NOT_OFFERED,
            f"storage.size: {place.ask.spec.storage.size} is not offered by rds (at most 64Ti). Lower it.",
        )
    there = observed.at("status", "atProvider", "allocatedStorage") if observed else None
    return max(SMALLEST_GIB, asked, int(there) if isinstance(there, int | float) else 0)


def _version(place: Place, observed: Observed | None) -> Manifest:
    wanted, running = place.ask.spec.version, major(observed)
    return {
        "engineVersion": wanted,
        "autoMinorVersionUpgrade": True,
        "allowMajorVersionUpgrade": running is not None and running != wanted,
        # By its own name, not by reference: a resolved reference would stay with the old major's group.
        "parameterGroupName": place.parameter_group(wanted),
    }


def _capacity(place: Place, observed: Observed | None) -> Manifest:
    return {
        "instanceClass": chosen(place, observed).name,
        "allocatedStorage": storage_gib(place, observed),
        "storageType": "gp3",
        "storageEncrypted": True,
        "multiAz": place.zones,
    }


def _access(place: Place, observed: Observed | None) -> Manifest:
    rds = place.ask.knobs.rds
    return {
        "username": administrator(observed),
        # Both, or the provider sends an empty password and the cloud refuses it.
        "autoGeneratePassword": True,
        "passwordSecretRef": {"name": place.companion("master"), "key": "password"},
        "dbSubnetGroupName": rds.db_subnet_group_name,
        "vpcSecurityGroupIdRefs": [aws.reference(place.companion("clients"))],
        "publiclyAccessible": False,
        "port": postgresql.PORT,
        "caCertIdentifier": rds.ca_certificate_identifier,
    }


def _backups(place: Place) -> Manifest:
    effective = place.ask.effective
    return {
        "backupRetentionPeriod": (effective.retention_days or 1) if effective.backups else 0,
        "deleteAutomatedBackups": False,
        "copyTagsToSnapshot": True,
        "skipFinalSnapshot": False,
        "finalSnapshotIdentifier": place.final_snapshot,
    }


def _windows(place: Place) -> Manifest:
    """Return both windows, an hour each. The backup begins 2 to 21.5 hours after the maintenance: they never meet."""
    window, spread = place.ask.spec.maintenance_window, int(digest(place.ask.claim.origin, "windows"), 16)
    day, hour = (DAYS.index(window.day), window.start_hour) if window else (spread % 7, spread % 24)
    minute = (hour + 2) * 60 + (spread // 24 % 40) * 30
    return {
        # With a window the provider repeats its request until the change is made; RDS takes it for the same one.
        "applyImmediately": window is None,
        "maintenanceWindow": f"{_weekly(day, hour)}-{_weekly(day, hour + 1)}",
        "backupWindow": f"{_daily(minute)}-{_daily(minute + 60)}",
    }


def _weekly(day: int, hour: int) -> str:
    return f"{DAYS[(day + hour // 24) % 7][:3].lower()}:{hour % 24:02}:00"


def _daily(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _birth(place: Place, observed: Observed | None) -> Manifest:
    if observed is not None:
        return {field: observed.at("spec", "forProvider", field) for field in _BORN_WITH}
    return {"kmsKeyId": place.ask.knobs.aws.kms_key_id, **_restore(place)}


def _restore(place: Place) -> Manifest:
    restore, source = place.ask.spec.restore, place.ask.source
    if restore is None:
        return {}
    if restore.source == "Backup":
        return {"snapshotIdentifier": _snapshot(place, str(restore.backup_id), restore.point_in_time)}
    if source is None:
        return {}
    postgresql.refuse_other_source(place.ask)
    postgresql.refuse_smaller_copy(place.ask)
    origin = {"sourceDbInstanceIdentifier": source.claim.cloud_name(source.slot)}
    moment = (
        {"restoreTime": _utc(restore.point_in_time)} if restore.point_in_time else {"useLatestRestorableTime": True}
    )
    return {"restoreToPointInTime": {**origin, **moment}}


def _snapshot(place: Place, backup: str, moment: str | None) -> str:
    """Return *backup*, proven to be of this namespace: the provider may read every team's snapshots.

    Raises:
        Refusal: it is not, or it holds a database of another name, or a moment is asked.
    """
    claim, database = place.ask.claim, place.ask.spec.database.name
    if moment:
        raise Refusal(
            Reason.NOT_OFFERED,
            "restore.pointInTime: rds offers it only with restore.from: Claim. Once a claim is gone its log is kept"
            " under a name that does not tell whose it was. Remove pointInTime: the backup holds what was there when"
            " the claim was deleted.",
        )
    if not backup.startswith(claim.cloud_prefix):
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.backupID: {backup} is not a backup of namespace {claim.namespace}. Use the status.backup.id that"
            " the claim showed.",
        )
    if not backup.endswith(f"-{digest(database)}"):
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.backupID: the database in {backup} is not called {database}. Set database.name to the name it"
            " had.",
        )
    return backup


def _utc(text: str) -> str:
    """Return the moment *text* as RDS reads it, whole seconds, never later than asked."""
    return moments.written(moments.parse(text).replace(microsecond=0))
