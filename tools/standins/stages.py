"""What an operator writes while it works, one stage after the other, until all is well.

CloudNativePG 1.30: phases of `api/v1/cluster_types.go`, conditions of `api/v1/cluster_conditions.go`. Managed resources
of Crossplane providers: conditions of crossplane-runtime's `apis/common/v1/condition.go`; the RDS states are AWS' own.
"""

from collections.abc import Iterator

from groundplane.core.manifest import Manifest, at
from standins.served import condition, played

CLUSTER = "Cluster"
CREATING = {"type": "Ready", "status": "False", "reason": "Creating", "message": ""}


def statuses(found: Manifest) -> list[Manifest]:
    """Return the statuses that the operator of *found* writes, in order; none where a kind has no status."""
    last = played(found)
    if last is found:
        return []
    return [*_before(found, last["status"]), last["status"]]


def _before(found: Manifest, last: Manifest) -> Iterator[Manifest]:
    if found["kind"] == CLUSTER:
        yield from _cluster(found, last)
    elif ".rds.aws." in f".{found['apiVersion']}" and found["kind"] == "Instance":
        yield _creating(last, atProvider={"status": "creating", "id": at(last, "atProvider", "id")})
    elif ".m." in f".{found['apiVersion']}" and "conditions" in last:
        yield _creating(last)
    elif last.get("applied"):
        yield {"applied": False, "message": "cluster is not ready yet, requeuing"}


def _cluster(found: Manifest, last: Manifest) -> Iterator[Manifest]:
    begun = [condition("ConsistentSystemID", "Unique", "A single, unique system ID was found")]
    not_ready = {**condition("Ready", "ClusterIsNotReady", "Cluster Is Not Ready"), "status": "False"}
    # Restored clusters begin with a recovery, which has the same phase.
    yield {"phase": "Setting up primary", "phaseReason": f"Creating primary instance {found['metadata']['name']}-1"}
    if last["instances"] > 1:
        some = {name: last[name] for name in ("certificates", "image", "currentPrimary", "writeService", "readService")}
        initialised = condition("Initialized", "ClusterInitialized", "Cluster has been initialized")
        yield {
            **some,
            "phase": "Creating a new replica",
            "instances": last["instances"],
            "readyInstances": 1,
            "conditions": [not_ready, initialised, *begun],
        }


def _creating(last: Manifest, **more: Manifest) -> Manifest:
    since = last["conditions"][0]["lastTransitionTime"]
    others = [one for one in last["conditions"] if one["type"] == "Synced"]
    return {**more, "conditions": [{**CREATING, "lastTransitionTime": since}, *others]}
