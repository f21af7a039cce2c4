"""What the objects of one slot say: ready or not, serving or not, backed up or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status, Verdict
from groundplane.core.manifest import JSON, at
from groundplane.core.rendered import Backups, Endpoint, Facts
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.cnpg import _database as databases
from groundplane.engines.database.cnpg import _primary as primary

if TYPE_CHECKING:
    from groundplane.core.observation import Observation, Observed
    from groundplane.core.slot import Slot
    from groundplane.engines.database.cnpg._names import Place

_UPGRADING: Final = re.compile("upgrad", re.IGNORECASE)
_VERSION: Final = re.compile(r":(\d+(?:\.\d+)?)")


@dataclass(frozen=True)  # no slots: what was found out once is kept
class Readiness:
    """Which objects of a slot do what they are for. An object that is merely there is not ready because of it."""

    seen: Observation
    slot: Slot

    def exists(self, role: str) -> bool:
        """Whether an object without a status of its own is there."""
        return self.seen.existing(self.slot.resource(role)) is not None

    def applied(self, role: str) -> bool:
        """Whether the operator has carried out a Database or DatabaseRole in the server."""
        observed = self.seen.existing(self.slot.resource(role))
        return observed is not None and observed.at("status", "applied") is True

    @cached_property
    def hindrance(self) -> str | None:
        """Why no write is taken, in words; None while a primary takes writes."""
        observed = self.seen.existing(self.slot.resource("cluster"))
        return primary.hindrance(observed) if observed else "the Cluster is not there"

    def cluster(self) -> bool:
        """Whether a primary takes writes. The operator's own Ready falls at every switchover and would flap."""
        observed = self.seen.existing(self.slot.resource("cluster"))
        if observed is None or primary.phase(observed) in primary.STOPPED:
            return False
        return self.hindrance is None

    def database(self) -> bool:
        """Whether the application's database is there; an extension that it lacks keeps nobody out."""
        return self.applied("database") or bool(databases.refused(self.seen.existing(self.slot.resource("database"))))

    def login(self) -> bool:
        """Whether the application can log in."""
        return self.cluster() and self.database() and all(self.applied(role) for role in ("owner", "login-a"))


def certificates(authority: Observed | None) -> str | None:
    """Return the certificate of the cluster's authority.

    Its Secret holds the private key as well, which goes nowhere.
    """
    return authority.secret("ca.crt") if authority else None


def read(place: Place, ready: Readiness, host: str) -> Facts:
    """Return how the service in *place* is, reachable at *host*."""
    seen = ready.seen
    observed = seen.existing(place.slot.resource("cluster"))
    if observed is None:
        return Facts(backups=Backups(id=place.server_name if place.target else None))
    lacking = databases.missing(seen.existing(place.slot.resource("database")), postgresql.extensions(place.ask.spec))
    serving = _serving(observed, place.instances, ready, served=postgresql.bound_to(place.ask, seen, host))
    settled = _settled(observed, place.instances, ready, lacking)
    return Facts(
        version=_version(observed),
        endpoint=Endpoint("primary", host, postgresql.PORT),
        serving=_watched(observed, serving),
        settled=_watched(observed, settled),
        backups=_backups(place, observed, seen.existing(place.slot.resource("store"))),
    )


def _watched(cluster: Observed, verdict: Verdict) -> Verdict:
    """Return *verdict*, unless it is good and nobody looked whether it still holds."""
    words = primary.unwatched(cluster)
    return Verdict.unknown("NotObserved", words) if words and verdict.holds else verdict


def _serving(cluster: Observed, instances: int, ready: Readiness, *, served: bool) -> Verdict:
    """Return whether the primary takes writes; *served* tells a service that once did from one being made."""
    phase, count = primary.phase(cluster), primary.ready_instances(cluster)
    hindrance, words = ready.hindrance, _words(cluster)
    if phase in primary.STOPPED or (hindrance and phase == primary.UNRECOVERABLE):
        return Verdict.no("EngineFailed", words)
    if hindrance:
        return Verdict.no("Unreachable" if served else "Provisioning", hindrance)
    if not ready.login():
        return Verdict.no("AwaitingCredentials", "the application's login is not in the server yet")
    if phase == primary.NO_SPACE:
        return Verdict.yes("StorageLow", f"{phase} on an instance that is not the primary: raise storage.size")
    if phase == primary.UNRECOVERABLE or count < instances:
        more = f". {words}" if phase == primary.UNRECOVERABLE else ""
        return Verdict.yes("ReducedRedundancy", f"{count} of {instances} instances are ready{more}")
    return Verdict.yes("Serving")


def _words(cluster: Observed) -> str:
    return f"{primary.phase(cluster)}. {cluster.at('status', 'phaseReason') or ''}".strip()


def _settled(cluster: Observed, instances: int, ready: Readiness, lacking: str) -> Verdict:
    phase, resizing = primary.phase(cluster), bool(cluster.at("status", "resizingPVC"))
    complete = ready.login() and primary.ready_instances(cluster) == instances
    if phase == primary.HEALTHY and complete and not resizing and not lacking:
        return Verdict.yes("AsDeclared")
    if phase == "Waiting for user action":
        return Verdict.no("AwaitingApproval", phase)
    if _UPGRADING.search(phase):
        return Verdict.no("Upgrading", phase)
    if resizing:
        return Verdict.no("Resizing", "volumes are being resized")
    if cluster.at("spec", "bootstrap", "recovery") and not cluster.at("status", "currentPrimary"):
        return Verdict.no("Restoring", phase)
    hindrance = ready.hindrance if phase == primary.HEALTHY else None
    return Verdict.no("Provisioning", hindrance or (lacking if ready.login() else "") or phase)


def _version(cluster: Observed) -> str | None:
    """Return the version that runs: by the image's tag, else the major that the data have."""
    image = str(cluster.at("status", "image") or "").partition("@")[0].rpartition("/")[2]  # a registry has a port
    match = _VERSION.search(image)
    major = cluster.at("status", "pgDataImageInfo", "majorVersion")
    return match[1] if match else (str(major) if major else None)


def _backups(place: Place, cluster: Observed, store: Observed | None) -> Backups:
    """Read the plugin's own record: the Cluster's fields of the same meaning are never set with plugins."""
    if place.target is None:
        return Backups()
    window = store.at("status", "serverRecoveryWindow", place.server_name) if store else None
    last = cluster.condition("LastBackupSucceeded")
    archiving = cluster.condition("ContinuousArchiving")
    return Backups(
        id=place.server_name,
        last_success=_time(window, "lastSuccessfulBackupTime"),
        last_failure=_time(window, "lastFailedBackupTime"),
        first_recoverable=_time(window, "firstRecoverabilityPoint"),
        archiving=None if archiving.status is Status.UNKNOWN else archiving.holds,
        # False is also what every backup begins with; only the reason tells a failure.
        failure=last.message if last.reason == "LastBackupFailed" else "",
    )


def _time(window: JSON, key: str) -> str | None:
    found = at(window, key)
    return found if isinstance(found, str) else None
