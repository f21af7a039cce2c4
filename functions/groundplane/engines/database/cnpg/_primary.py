"""What a Cluster says of its primary: whether one is there that takes writes. Never a count of pods that are ready.

The phases are those of the operator's `api/v1/cluster_types.go`, release 1.30, and the two that it writes elsewhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import JSON

if TYPE_CHECKING:
    from groundplane.core.observation import Observed

HEALTHY: Final = "Cluster in healthy state"
NO_SPACE: Final = "Not enough disk space"
UNRECOVERABLE: Final = "Cluster is unrecoverable and needs manual intervention"
# The operator stops before it looks at the instances: what its status says of them is old, and nobody fails over.
STOPPED: Final = frozenset(
    {
        "Invalid cluster definition",
        "Unable to create required cluster objects",
        "Cluster has incomplete or invalid image catalog",
        "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
        "Cluster cannot proceed to reconciliation due to an error while interacting with plugins",
    }
)
_SWITCHOVER: Final = "Switchover in progress"
_PROMOTION: Final = "Promoting to primary cluster"
# The server goes down and comes back inside its pod, whose probe does not look meanwhile.
_RESTART_IN_PLACE: Final = "Primary instance is being restarted in-place"
_PENDING: Final = "pending"  # as the target: which instance becomes the primary is not decided
_HIBERNATION: Final = "cnpg.io/hibernation"
_FENCED: Final = "cnpg.io/fencedInstances"
_LOOP: Final = "cnpg.io/reconciliationLoop"
_EVERY: Final = "*"


def phase(cluster: Observed) -> str:
    """Return the phase, which is empty before the operator begins."""
    return str(cluster.at("status", "phase") or "")


def unwatched(cluster: Observed) -> str:
    """Return that the operator was told not to look at the Cluster: its status is old then; empty when it was not."""
    if cluster.annotation(_LOOP) != "disabled":
        return ""
    return f"annotation {_LOOP} of the Cluster says disabled: nobody looks at its instances, nobody fails over"


def hindrance(cluster: Observed) -> str | None:
    """Return in words why no write is taken; None while a primary is there that takes writes."""
    return _by_intent(cluster) or _by_primary(cluster) or _by_standbys(cluster)


def ready_instances(cluster: Observed) -> int:
    """Return how many instances run: ready, as the kubelet sees it, and not fenced."""
    healthy = _healthy(cluster)
    if healthy is None:
        return _counted(cluster)
    return min(_counted(cluster), len([one for one in healthy if not _fenced(cluster, one)]))


def _by_intent(cluster: Observed) -> str | None:
    """Return what somebody asked for that keeps every instance from writes."""
    if cluster.at("metadata", "deletionTimestamp"):
        return "the Cluster is being deleted"
    if _follows(cluster):
        return "it follows another cluster and only reads: spec.replica of the Cluster says so"
    if phase(cluster) == _PROMOTION or _promotion_waits(cluster):
        return f"{_PROMOTION}: it only reads until then"
    stopping = cluster.condition(_HIBERNATION)
    if stopping.holds or (cluster.annotation(_HIBERNATION) == "on" and stopping.reason != "WaitingForHealthy"):
        return f"it hibernates: annotation {_HIBERNATION} of the Cluster says on; set it to off"
    return None


def _by_primary(cluster: Observed) -> str | None:
    now, primary = phase(cluster), cluster.at("status", "currentPrimary")
    if not isinstance(primary, str) or not primary:
        return now or "the operator has not begun"
    if _fenced(cluster, primary):
        return f"instance {primary}, the primary, is fenced: annotation {_FENCED} of the Cluster names it; lift that"
    target = cluster.at("status", "targetPrimary") or primary
    if target == _PENDING or (target != primary and now != _SWITCHOVER):
        return f"{now}: instance {primary} is the primary no more, and no other is yet"
    healthy = _healthy(cluster)
    if _counted(cluster) < 1 or (healthy is not None and primary not in healthy):
        remedy = "; there is no room on its volume: raise storage.size" if now == NO_SPACE else ""
        return f"{now}: instance {primary}, the primary, is not ready{remedy}"
    return now if now == _RESTART_IN_PLACE else None


def _by_standbys(cluster: Observed) -> str | None:
    """Return that too few standbys run where every write waits for one."""
    synchronous = cluster.at("spec", "postgresql", "synchronous")
    healthy = _healthy(cluster)
    if not isinstance(synchronous, dict) or healthy is None or synchronous.get("dataDurability") == "preferred":
        return None
    number, primary = synchronous.get("number"), cluster.at("status", "currentPrimary")
    there = [one for one in healthy if one != primary and not _fenced(cluster, one)]
    if not isinstance(number, int | float) or len(there) >= number:
        return None
    return f"{phase(cluster)}: no standby is ready, and every write waits until one has it"


def _counted(cluster: Observed) -> int:
    """Return how many instances the operator counts as ready, fenced or not."""
    count = cluster.at("status", "readyInstances")
    return count if isinstance(count, int) else 0


def _follows(cluster: Observed) -> bool:
    replica = cluster.at("spec", "replica")
    if not isinstance(replica, dict):
        return False
    enabled = replica.get("enabled")
    if isinstance(enabled, bool):
        return enabled
    return (replica.get("self") or cluster.name) != replica.get("primary")


def _promotion_waits(cluster: Observed) -> bool:
    token = cluster.at("spec", "replica", "promotionToken")
    return bool(token) and token != cluster.at("status", "lastPromotionToken")


def _healthy(cluster: Observed) -> list[str] | None:
    """Return the instances whose pods are ready; None where the status does not tell instances apart."""
    states = cluster.at("status", "instancesStatus")
    if not isinstance(states, dict):
        return None
    names: JSON = states.get("healthy")
    return [str(one) for one in names] if isinstance(names, list) else []


def _fenced(cluster: Observed, instance: str) -> bool:
    """Whether *instance* is kept down. A list that cannot be read fences nothing: the operator sees it so, too."""
    try:
        names = json.loads(cluster.annotation(_FENCED) or "[]")
    except ValueError:
        return False
    return isinstance(names, list) and (_EVERY in names or instance in names)
