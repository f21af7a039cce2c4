"""Which of the objects at hand the claim composed, found as Crossplane finds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.render.cluster import Cluster
from groundplane.render.naming import uid_of
from groundplane.render.problem import BadInputError
from groundplane.render.protobuf import struct

RESOURCE_NAME = "crossplane.io/composition-resource-name"
COMPOSITE_LABEL = "crossplane.io/composite"


@dataclass(frozen=True, slots=True)
class Observed:
    """What the claim composed already, by composition-resource-name, and what was left out."""

    resources: dict[str, Manifest]
    notes: tuple[str, ...]

    def state(self, xr: Manifest, cluster: Cluster) -> fnv1.State:
        """Return it as the function is sent it, with the connection Secrets that are known."""
        state = fnv1.State(composite=fnv1.Resource(resource=struct(xr)))
        for name, found in self.resources.items():
            state.resources[name].CopyFrom(
                fnv1.Resource(resource=struct(found), connection_details=_details(found, cluster))
            )
        return state


def controller_of(found: Manifest) -> Manifest | None:
    """Return the owner reference of the controller, if the object has one."""
    for owner in at(found, "metadata", "ownerReferences") or []:
        if owner.get("controller"):
            return dict(owner)
    return None


def observe(xr: Manifest, objects: Iterable[Manifest]) -> Observed:
    """Return those of *objects* that Crossplane would count as composed by *xr*.

    An object that something else controls, or that is in another namespace, is left out; a note
    says so, because a claim file without its uid is the usual reason.

    Raises:
        BadInputError: When an object has no composition-resource-name, or two have the same.
    """
    found: dict[str, Manifest] = {}
    notes = []
    for one in objects:
        reason = _stranger(xr, one)
        if reason:
            notes.append(f"observed {_words(one)} is left out: {reason}")
            continue
        name = at(one, "metadata", "annotations", RESOURCE_NAME)
        if not name:
            raise BadInputError(
                f"observed {_words(one)}: metadata.annotations: {RESOURCE_NAME} is missing; "
                "Crossplane would fail the whole claim. Take the object from the cluster as it is"
            )
        if name in found:
            raise BadInputError(
                f"observed {_words(one)} and {_words(found[name])} are both {name!r} "
                f"({RESOURCE_NAME}); keep the one that the claim controls"
            )
        found[name] = _placed(one, xr)
    return Observed({name: found[name] for name in sorted(found)}, tuple(notes))


def _stranger(xr: Manifest, one: Manifest) -> str:
    """Return why *one* is none of *xr*'s, or nothing."""
    controller = controller_of(one)
    if controller is not None and controller.get("uid") != uid_of(xr):
        words = f"{controller.get('kind')} {controller.get('name')}"
        return f"{words} with uid {controller.get('uid')} controls it, the claim's is {uid_of(xr)}"
    namespace = at(one, "metadata", "namespace")
    if namespace not in (None, xr["metadata"]["namespace"]):
        return f"it is in namespace {namespace}"
    label = at(one, "metadata", "labels", COMPOSITE_LABEL)
    if controller is None and label not in (None, xr["metadata"]["name"]):
        return f"its label {COMPOSITE_LABEL} says {label}"
    return ""


def _placed(one: Manifest, xr: Manifest) -> Manifest:
    metadata = {"namespace": xr["metadata"]["namespace"], **one["metadata"]}
    return {**one, "metadata": metadata}


def _details(found: Manifest, cluster: Cluster) -> dict[str, bytes]:
    reference: JSON = at(found, "spec", "writeConnectionSecretToRef")
    name = at(reference, "name")
    if not isinstance(name, str) or not name:
        return {}
    own = at(found, "metadata", "namespace")
    return cluster.secret(own or at(reference, "namespace") or "", name)


def _words(one: Manifest) -> str:
    return f"{one['kind']} {one['metadata']['name']}"
