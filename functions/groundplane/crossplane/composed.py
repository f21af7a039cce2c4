"""What Crossplane makes of the desired resources: names, owners, deletions and leaks."""

from __future__ import annotations

from collections.abc import Mapping

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Kind, Manifest, at
from groundplane.crossplane.errors import ReconcileError
from groundplane.crossplane.lookup import Lookup
from groundplane.crossplane.naming import child_name, is_object_name, uid_of
from groundplane.crossplane.observed import COMPOSITE_LABEL, RESOURCE_NAME, controller_of
from groundplane.crossplane.outcome import Gone
from groundplane.crossplane.structs import manifest

CLAIM_LABELS = ("crossplane.io/claim-name", "crossplane.io/claim-namespace")


def compose(
    xr: Manifest, desired: fnv1.State, observed: Mapping[str, Manifest], cluster: Lookup
) -> tuple[dict[str, Manifest], tuple[str, ...]]:
    """Return what would be applied, by name and sorted, and notes about what was changed on it.

    Raises:
        ReconcileError: When a resource is invalid, so that Crossplane would apply none at all.
    """
    made: dict[str, Manifest] = {}
    notes: list[str] = []
    for name in sorted(desired.resources):
        wanted = manifest(desired.resources[name].resource)
        _check(name, wanted, cluster)
        namespace = at(wanted, "metadata", "namespace")
        if namespace not in (None, xr["metadata"]["namespace"]) and name not in observed:
            own = xr["metadata"]["namespace"]
            words = f'in namespace "{namespace}", using XR namespace "{own}" instead'
            notes.append(f'cannot create composed resource "{name}" {words}')
        made[name] = _owned(xr, name, wanted, observed.get(name))
    return made, tuple(notes)


def _owned(xr: Manifest, name: str, wanted: Manifest, live: Manifest | None) -> Manifest:
    metadata: Manifest = dict(at(wanted, "metadata") or {})
    if live is not None:
        # An object keeps its name for life, whatever the function would call it today.
        metadata.pop("generateName", None)
        metadata["name"] = live["metadata"]["name"]
        if live["metadata"].get("generateName"):
            metadata["generateName"] = live["metadata"]["generateName"]
    prefix = xr["metadata"]["labels"][COMPOSITE_LABEL]
    if not metadata.get("name"):
        metadata.setdefault("generateName", f"{prefix}-")
        metadata["name"] = child_name(metadata["generateName"], uid_of(xr), name)
    if not is_object_name(metadata["name"]):
        raise ReconcileError(
            f"composed resource {name!r} has the invalid name {metadata['name']!r}: it must be an RFC 1123 subdomain"
        )
    metadata["namespace"] = xr["metadata"]["namespace"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), RESOURCE_NAME: name}
    metadata["labels"] = {**(metadata.get("labels") or {}), COMPOSITE_LABEL: prefix, **_claim_labels(xr)}
    metadata["ownerReferences"] = _owners(xr, name, wanted)
    return {**wanted, "metadata": metadata}


def _claim_labels(xr: Manifest) -> Manifest:
    """Return what Crossplane hands on from a composite resource that a claim of its first kind once made."""
    found = {key: xr["metadata"]["labels"].get(key) for key in CLAIM_LABELS}
    return found if all(found.values()) else {}


def _owners(xr: Manifest, name: str, wanted: Manifest) -> list[Manifest]:
    controller = controller_of(wanted)
    if controller is not None and controller.get("uid") != uid_of(xr):
        raise ReconcileError(
            f"composed resource {name!r} says that {controller.get('kind')} {controller.get('name')} controls it:"
            " Crossplane refuses the whole claim"
        )
    own = {
        "apiVersion": xr["apiVersion"],
        "kind": xr["kind"],
        "name": xr["metadata"]["name"],
        "uid": uid_of(xr),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    owners = at(wanted, "metadata", "ownerReferences") or []
    if any(one.get("uid") == uid_of(xr) for one in owners):
        return [own if one.get("uid") == uid_of(xr) else one for one in owners]
    return [*owners, own]


def _check(name: str, wanted: Manifest, cluster: Lookup) -> None:
    api_version, kind = wanted.get("apiVersion"), wanted.get("kind")
    if not api_version or not kind:
        raise ReconcileError(
            f"composed resource {name!r} has no apiVersion or no kind: nothing would be applied. This is a bug of the"
            " function"
        )
    if not cluster.installed(api_version, kind):
        raise ReconcileError(
            f"composed resource {name!r} is a {kind} of {api_version}, which is not installed: Crossplane would stop"
            " half-way. This is a bug of the function"
        )


def removed(
    observed: Mapping[str, Manifest], wanted: Mapping[str, Manifest]
) -> tuple[tuple[Gone, ...], tuple[Gone, ...], tuple[Gone, ...]]:
    """Return what would be deleted, what would leak, and what would be forgotten.

    Crossplane compares names only. A name that is not wanted is deleted if the claim controls it
    and forgotten if nothing does; a name that is wanted with another kind leaks the old object.
    """
    deleted, leaked, forgotten = [], [], []
    for name, found in observed.items():
        one = Gone(name, found["apiVersion"], found["kind"], found["metadata"]["name"])
        if name in wanted and _group_kind(wanted[name]) != _group_kind(found):
            leaked.append(one)
        # Crossplane deletes only what it can prove to be the claim's.
        elif name not in wanted and controller_of(found) is None:
            forgotten.append(one)
        elif name not in wanted:
            deleted.append(one)
    return tuple(deleted), tuple(leaked), tuple(forgotten)


def _group_kind(found: Manifest) -> tuple[str, str]:
    return Kind(found["apiVersion"], found["kind"], "").group, found["kind"]


def references(resources: Mapping[str, Manifest]) -> list[Manifest]:
    """Return ``spec.crossplane.resourceRefs`` for *resources*, in Crossplane's order."""
    found = [
        {"apiVersion": one["apiVersion"], "kind": one["kind"], "name": one["metadata"]["name"]}
        for one in resources.values()
    ]
    return sorted(found, key=lambda one: one["apiVersion"] + one["kind"] + one["name"])
