"""What an operator writes while it works, one stage after the other, until all is well.

CloudNativePG 1.30: phases of `api/v1/cluster_types.go`, conditions of `api/v1/cluster_conditions.go`. Managed resources
of Crossplane providers: conditions of crossplane-runtime's `apis/common/v1/condition.go`.
"""

import re
from collections.abc import Iterator
from typing import Final

from groundplane.core.manifest import JSON, Manifest
from standins.served import condition, played

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CLUSTER = "Cluster"
CREATING = {"type": "Ready", "status": "False", "reason": "Creating", "message": ""}


def statuses(found: Manifest) -> list[Manifest]:
    """Return the statuses that the operator of *found* writes, in order; none where a kind has no status."""
    last = played(found)
    if last is found:
        return []
    return [*_before(found, last["status"]), last["status"]]


def reached(found: Manifest, stages: list[Manifest]) -> int:
    """Return the number of the last of *stages* that *found* is in, whatever its times; -1 when it is in none."""
    status = _timeless(found.get("status", {}))
    stages = [_timeless(stage) for stage in stages]
    held = (number for number, stage in enumerate(stages) if all(status.get(key) == stage[key] for key in stage))
    return max(held, default=-1)


def _timeless(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _timeless(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_timeless(entry) for entry in value]
    return "a time" if isinstance(value, str) and _TIME.fullmatch(value) else value


def _before(found: Manifest, last: Manifest) -> Iterator[Manifest]:
    if found["kind"] == CLUSTER:
        yield from _cluster(found, last)
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
        told = ("certificates", "image", "currentPrimary", "targetPrimary", "writeService", "readService")
        some = {name: last[name] for name in told}
        initialised = condition("Initialized", "ClusterInitialized", "Cluster has been initialized")
        yield {
            **some,
            "phase": "Creating a new replica",
            "instances": last["instances"],
            "readyInstances": 1,
            "instancesStatus": {"healthy": [last["currentPrimary"]]},
            "conditions": [not_ready, initialised, *begun],
        }


def _creating(last: Manifest) -> Manifest:
    since = last["conditions"][0]["lastTransitionTime"]
    others = [one for one in last["conditions"] if one["type"] == "Synced"]
    return {"conditions": [{**CREATING, "lastTransitionTime": since}, *others]}
