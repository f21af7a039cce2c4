"""Origin: what a claim's first data come from, and whether that can be brought back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from groundplane.core import moment
from groundplane.core.manifest import at
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.slot import Slot
from groundplane.engines.interface import Source

if TYPE_CHECKING:
    from datetime import datetime

    from groundplane.contracts.common import Restore
    from groundplane.core.claim import Claim
    from groundplane.core.manifest import Manifest
    from groundplane.core.observation import Observed
    from groundplane.engines.interface import Archive

LEAD: Final = timedelta(minutes=1)  # that a person's clock may be ahead of the API server's


def check_not_to_come(restore: Restore, born: datetime) -> None:
    """Return if *restore* asks for a moment before its claim was created, at *born*: later ones hold nothing yet.

    Raises:
        Refusal: RestoreSourceNotFound, with both moments.
    """
    asked = moment.known(restore.point_in_time or "")
    if asked is not None and asked > born + LEAD:
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.pointInTime: {restore.point_in_time} is yet to come: this claim was created at"
            f" {moment.written(born.replace(microsecond=0))}, both in UTC. Create a claim with a moment that has"
            " passed; a time of another zone says so, such as 2026-11-24T10:00:00+02:00.",
        )


def check_held(restore: Restore, source: Source) -> None:
    """Return if *source* holds the moment that *restore* asks for, as far as its claim tells.

    Raises:
        Refusal: RestoreSourceNotFound, with both moments.
    """
    asked = moment.known(restore.point_in_time or "")
    first, created = moment.known(source.first_recoverable), moment.known(source.created)
    begin, what = (first, "the first that its backups hold is") if first else (created, "it was created at")
    if asked is not None and begin is not None and asked < begin:
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.pointInTime: {restore.point_in_time} is before what {source.claim.name} holds:"
            f" {what} {moment.written(begin)}. Create a claim with a later moment.",
        )


def source(claim: Claim, name: str, engine: str, other: Claim | None, found: Observed | None) -> Source:
    """Return what a copy by *engine* must know of the claim *name*, which is *other* and was *found* like this.

    Raises:
        Refusal: RestoreSourceNotFound, when there is none, or another engine holds its data.
    """
    if other is None or found is None:
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.claimRef: there is no {claim.kind} {name} in namespace {claim.namespace}. Correct the name; if"
            " the claim is gone, use restore.from: Backup with the status.backup.id it had.",
        )
    live = Slot.parse(str(found.at("status", "slot") or ""))
    if live is None or live.engine != engine:
        state = f"is served by {live.engine}" if live else "has no data yet"
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.claimRef: {name} {state}, and a copy is made by the engine that holds the data; this claim's"
            f" engine is {engine}. Name another claim, or wait until that one serves.",
        )
    runs = str(found.at("status", "version") or found.at("spec", "version") or "")
    written = found.at("spec", "parameters")
    return Source(
        other,
        live,
        database=str(found.at("spec", "database", "name") or "app"),
        version=runs.partition(".")[0],
        storage=str(found.at("spec", "storage", "size") or ""),
        parameters={str(key): str(value) for key, value in written.items()} if isinstance(written, dict) else {},
        archive=str(found.at("status", "backup", "id") or ""),
        created=str(found.at("metadata", "creationTimestamp") or ""),
        first_recoverable=str(found.at("status", "backup", "firstRecoverableTime") or ""),
    )


def check_place(claim: Claim, source: Source, archive: Archive, wanted: Manifest | None) -> None:
    """Return if the copy *claim* looks for backups where those of *source* are.

    *wanted* is its own object of *archive*. Claims keep the environment that they were created in, and an environment
    may change: the object that the engine composed for the source tells. Where it cannot be found, the names of the
    environments do.

    Raises:
        Refusal: RestoreSourceNotFound, naming both environments and both places.
    """
    theirs, ours = source.claim.environment, claim.environment
    if source.place is None or wanted is None:
        different = "" if theirs == ours else f"its backups are where {theirs} keeps them, and {ours} looks elsewhere"
    else:
        there = {".".join(path): (source.place.at(*path), at(wanted, *path)) for path in archive.paths}
        different = "; ".join(
            f"{field} of its {archive.kind.kind} is {then or 'not set'}, and this claim's would be {now or 'not set'}"
            for field, (then, now) in there.items()
            if then != now
        )
    if different:
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"restore.claimRef: {source.claim.name} is of environment {theirs}, this claim of environment {ours}:"
            f" {different}. A copy is made where the data are. Ask the platform team to serve the copy in an"
            f" environment with the same place as {source.claim.name}.",
        )
