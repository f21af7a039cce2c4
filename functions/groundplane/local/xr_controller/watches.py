"""Who depends on what: the objects that each composite is composed of, and those that its functions required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest, at
from groundplane.local.apiserver.kinds.catalogue import Catalogue
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.storage.records import Change, Key


def asked_namespace(resource: Resource, selector: fnv1.ResourceSelector) -> str:
    """Return where *selector* looks: a namespace means nothing for a kind that lies in none."""
    return selector.namespace if resource.namespaced else ""


@dataclass(frozen=True, slots=True)
class _Labelled:
    """Objects that were required by their labels."""

    resource: str
    namespace: str
    labels: tuple[tuple[str, str], ...]

    def selects(self, key: Key, manifest: Manifest | None) -> bool:
        if manifest is None or self.resource != key.resource or self.namespace not in {"", key.namespace}:
            return False
        labels = at(manifest, "metadata", "labels") or {}
        return all(labels.get(name) == value for name, value in self.labels)


@dataclass(slots=True)
class _Wants:
    """What one composite depends on."""

    keys: set[Key] = field(default_factory=set)
    labelled: set[_Labelled] = field(default_factory=set)
    required: Mapping[str, fnv1.Requirements] = field(default_factory=dict)


class Tracker:
    """Remembers, for as long as the plane runs, what each composite depends on."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._wants: dict[Key, _Wants] = {}
        self._dependents: dict[Key, set[Key]] = {}

    def track(
        self, xr: Key, composed: list[Manifest], required: Mapping[str, fnv1.Requirements], kinds: Catalogue
    ) -> None:
        """Remember that *xr* is *composed* of objects, and that each of its steps *required* others."""
        self.forget(xr)
        wants = _Wants(required=required)
        for one in composed:
            if resource := kinds.of_kind(one["apiVersion"], one["kind"]):
                wants.keys.add(resource.key(xr.namespace, one["metadata"]["name"]))
        for requirements in required.values():
            for selector in requirements.resources.values():
                self._add(wants, selector, kinds)
        self._wants[xr] = wants
        for key in wants.keys:
            self._dependents.setdefault(key, set()).add(xr)

    def _add(self, wants: _Wants, selector: fnv1.ResourceSelector, kinds: Catalogue) -> None:
        resource = kinds.of_kind(selector.api_version, selector.kind)
        if resource is None:
            return
        if selector.WhichOneof("match") == "match_name":
            wants.keys.add(resource.key(asked_namespace(resource, selector), selector.match_name))
        else:
            labels = tuple(sorted(selector.match_labels.labels.items()))
            wants.labelled.add(_Labelled(resource.name, asked_namespace(resource, selector), labels))

    def forget(self, xr: Key) -> None:
        """Forget *xr*."""
        for key in self._wants.pop(xr, _Wants()).keys:
            dependents = self._dependents[key]
            dependents.discard(xr)
            if not dependents:
                del self._dependents[key]

    def required(self, xr: Key) -> Mapping[str, fnv1.Requirements]:
        """Return what the steps of *xr* required last."""
        return self._wants[xr].required if xr in self._wants else {}

    def dependents(self, change: Change) -> Iterator[Key]:
        """Yield each composite that *change* is about."""
        yield from [*self._dependents.get(change.key, ())]
        states: list[Manifest | None] = []
        for xr, wants in [*self._wants.items()]:
            if wants.labelled:
                states = states or [change.manifest(), change.before()]
                if any(one.selects(change.key, state) for one in wants.labelled for state in states):
                    yield xr
