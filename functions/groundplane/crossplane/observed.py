"""Which of the objects at hand the claim composed, found as Crossplane finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.crossplane.errors import BadInputError
from groundplane.crossplane.lookup import Lookup
from groundplane.crossplane.naming import uid_of
from groundplane.crossplane.structs import struct

RESOURCE_NAME = "crossplane.io/composition-resource-name"
COMPOSITE_LABEL = "crossplane.io/composite"


@dataclass(frozen=True, slots=True)
class Observed:
    """What the claim composed already, by composition-resource-name, and what was left out."""

    resources: dict[str, Manifest]
    notes: tuple[str, ...]

    def state(self, xr: Manifest, cluster: Lookup) -> fnv1.State:
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


def referenced(xr: Manifest, objects: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """Return those of *objects* that ``spec.crossplane.resourceRefs`` of *xr* names."""
    references = at(xr, "spec", "crossplane", "resourceRefs") or []
    names = {(one.get("apiVersion"), one.get("kind"), one.get("name")) for one in references}
    own = xr["metadata"]["namespace"]
    return tuple(
        one
        for one in objects
        if (one["apiVersion"], one["kind"], one["metadata"]["name"]) in names
        and at(one, "metadata", "namespace") in {None, own}
    )


def observe(xr: Manifest, objects: Iterable[Manifest]) -> Observed:
    """Return those of *objects* that Crossplane would count as composed by *xr*.

    What plainly belongs to something else is passed over. What looks like the claim's own and is
    not gets a note, because a claim file without its uid is the usual reason.

    Raises:
        BadInputError: When an object has no composition-resource-name, or two have the same.
    """
    found: dict[str, Manifest] = {}
    strangers: dict[str, list[str]] = {}
    for one in objects:
        name = at(one, "metadata", "annotations", RESOURCE_NAME)
        # A claim is no composed resource; it stands in what an earlier render printed.
        if _of_another(xr, one) or (not name and one["apiVersion"] == xr["apiVersion"]):
            continue
        doubt = _doubt(xr, one)
        if doubt:
            strangers.setdefault(doubt, []).append(_words(one))
        else:
            _add(found, one, name, xr)
    return Observed({name: found[name] for name in sorted(found)}, _notes(strangers))


def _add(found: dict[str, Manifest], one: Manifest, name: JSON, xr: Manifest) -> None:
    if not name:
        raise BadInputError(
            f"observed {_words(one)}: metadata.annotations: {RESOURCE_NAME} is missing; Crossplane would fail the"
            " whole claim. Take the object from the cluster as it is"
        )
    if name in found:
        raise BadInputError(
            f"observed {_words(one)} and {_words(found[name])} are both {name!r} ({RESOURCE_NAME}); keep the one that"
            " the claim controls"
        )
    found[name] = _placed(one, xr)


def _of_another(xr: Manifest, one: Manifest) -> bool:
    """Whether *one* says itself that something of another name composed or controls it."""
    controller = controller_of(one)
    own = (xr["kind"], xr["metadata"]["name"])
    if controller is not None:
        return (controller.get("kind"), controller.get("name")) != own
    return at(one, "metadata", "labels", COMPOSITE_LABEL) not in {None, xr["metadata"]["name"]}


def _doubt(xr: Manifest, one: Manifest) -> str:
    """Return why Crossplane would not count *one* as composed by *xr*, or nothing."""
    controller = controller_of(one)
    if controller is not None and controller.get("uid") != uid_of(xr):
        return (
            f"a claim of this name with uid {controller.get('uid')} controls it and this one has uid {uid_of(xr)};"
            " take the claim from the cluster too, with its metadata.uid"
        )
    namespace = at(one, "metadata", "namespace")
    if namespace not in {None, xr["metadata"]["namespace"]}:
        return f"it is in namespace {namespace}"
    return ""


def _notes(strangers: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(
        f"observed {names[0]}{f' and {len(names) - 1} more' if names[1:] else ''} left out: {doubt}"
        for doubt, names in strangers.items()
    )


def _placed(one: Manifest, xr: Manifest) -> Manifest:
    metadata = {"namespace": xr["metadata"]["namespace"], **one["metadata"]}
    return {**one, "metadata": metadata}


def _details(found: Manifest, cluster: Lookup) -> dict[str, bytes]:
    reference: JSON = at(found, "spec", "writeConnectionSecretToRef")
    name = at(reference, "name")
    if not isinstance(name, str) or not name:
        return {}
    own = at(found, "metadata", "namespace")
    return cluster.secret(own or at(reference, "namespace") or "", name)


def _words(one: Manifest) -> str:
    return f"{one['kind']} {one['metadata']['name']}"
