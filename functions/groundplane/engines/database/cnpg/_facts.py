"""What the objects of one slot say: ready or not, serving or not, backed up or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status, Verdict
from groundplane.core.manifest import JSON, at
from groundplane.core.rendered import Backups, Endpoint, Facts
from groundplane.engines.database import _postgresql as postgresql

if TYPE_CHECKING:
    from groundplane.core.observation import Observation, Observed
    from groundplane.core.slot import Slot
    from groundplane.engines.database.cnpg._place import Place

HEALTHY: Final = "Cluster in healthy state"
FATAL: Final = frozenset(
    {
        "Cluster is unrecoverable and needs manual intervention",
        "Invalid cluster definition",
        "Unable to create required cluster objects",
        "Cluster has incomplete or invalid image catalog",
        "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
        "Cluster cannot proceed to reconciliation due to an error while interacting with plugins",
    }
)
_UPGRADING: Final = re.compile("upgrad", re.IGNORECASE)
_VERSION: Final = re.compile(r":(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
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

    def cluster(self) -> bool:
        """Whether a primary answers. The operator's own Ready falls at every switchover and would flap."""
        observed = self.seen.existing(self.slot.resource("cluster"))
        return observed is not None and _answers(observed)

    def login(self) -> bool:
        """Whether the application can log in."""
        return self.cluster() and all(self.applied(role) for role in ("database", "owner", "login-a"))


def extensions(database: Observed | None) -> list[str]:
    """Return the extensions that the Database manages now."""
    entries = database.at("spec", "extensions") if database else None
    return [str(at(entry, "name")) for entry in entries] if isinstance(entries, list) else []


def certificates(authority: Observed | None) -> str | None:
    """Return the certificate of the cluster's authority.

    Its Secret holds the private key as well, which goes nowhere.
    """
    return authority.secret("ca.crt") if authority else None


def read(place: Place, seen: Observation, host: str) -> Facts:
    """Return how the service in *place* is, reachable at *host*."""
    observed = seen.existing(place.slot.resource("cluster"))
    if observed is None:
        return Facts(backups=Backups(id=place.server_name if place.target else None))
    ready = Readiness(seen, place.slot)
    return Facts(
        version=_version(observed),
        endpoint=Endpoint("primary", host, postgresql.PORT),
        serving=_serving(observed, place.instances, ready),
        settled=_settled(observed, place.instances, ready),
        backups=_backups(place, observed, seen.existing(place.slot.resource("store"))),
    )


def _answers(cluster: Observed) -> bool:
    return bool(cluster.at("status", "currentPrimary")) and _count(cluster) >= 1


def _count(cluster: Observed) -> int:
    count = cluster.at("status", "readyInstances")
    return count if isinstance(count, int) else 0


def _serving(cluster: Observed, instances: int, ready: Readiness) -> Verdict:
    phase = str(cluster.at("status", "phase") or "")
    if phase in FATAL:
        return Verdict.no("EngineFailed", f"{phase}. {cluster.at('status', 'phaseReason') or ''}".strip())
    if not _answers(cluster):
        began = cluster.condition("Initialized").holds
        reason = "Unreachable" if began else "Provisioning"
        return Verdict.no(reason, phase or "the operator has not begun")
    if not ready.login():
        return Verdict.no("AwaitingCredentials", "the application's login is not in the server yet")
    if _count(cluster) < instances:
        return Verdict.yes("ReducedRedundancy", f"{_count(cluster)} of {instances} instances are ready")
    return Verdict.yes("Serving")


def _settled(cluster: Observed, instances: int, ready: Readiness) -> Verdict:
    phase = str(cluster.at("status", "phase") or "")
    if phase == HEALTHY and _count(cluster) == instances and ready.login() and not cluster.at("status", "resizingPVC"):
        return Verdict.yes("AsDeclared")
    if phase == "Waiting for user action":
        return Verdict.no("AwaitingApproval", phase)
    if _UPGRADING.search(phase):
        return Verdict.no("Upgrading", phase)
    if cluster.at("status", "resizingPVC"):
        return Verdict.no("Resizing", "volumes are being resized")
    if cluster.at("spec", "bootstrap", "recovery") and not cluster.condition("Initialized").holds:
        return Verdict.no("Restoring", phase)
    return Verdict.no("Provisioning", phase)


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
