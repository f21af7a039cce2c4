"""All the kinds that are served now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.kinds.builtin import BUILTIN
from groundplane.local.apiserver.kinds.builtin_admission import ADMISSION
from groundplane.local.apiserver.kinds.builtin_crossplane import CROSSPLANE_KINDS
from groundplane.local.apiserver.kinds.resource import Resource, defined


class Catalogue:
    """The kinds of one moment: the built-in ones, and those that definitions define."""

    def __init__(self, definitions: Iterable[Manifest]) -> None:
        """Read *definitions*, CustomResourceDefinitions as they are stored."""
        custom = [resource for definition in definitions for resource in defined(definition)]
        every = (*BUILTIN, *ADMISSION, *CROSSPLANE_KINDS, *custom)
        self._resources = {(one.group, one.version, one.plural): one for one in every}
        self._kinds = {(one.api_version, one.kind): one for one in self._resources.values()}
        self._names = {one.name: one for one in every if one.version == one.storage and one.alias is None}

    def __iter__(self) -> Iterator[Resource]:
        """Yield every version of every kind."""
        return iter(self._resources.values())

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the resource that a path names, or None."""
        return self._resources.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of an object's kind, or None."""
        return self._kinds.get((api_version, kind))

    def named(self, name: str) -> Resource | None:
        """Return the resource called ``plural.group``, in the version it is stored in, or None."""
        return self._names.get(name)

    def as_stored(self, resource: Resource, manifest: Manifest) -> Manifest:
        """Return *manifest*, in the version of *resource*, as it is stored: with what that version alone adds."""
        stored = resource.kept(manifest)
        storage = self.named(resource.name)
        return storage.schema.default(stored) if storage and resource.version != resource.storage else stored

    def groups(self) -> dict[str, dict[str, list[Resource]]]:
        """Return the resources by group and version, the preferred version first."""
        found: dict[str, dict[str, list[Resource]]] = {}
        for one in self._resources.values():
            found.setdefault(one.group, {}).setdefault(one.version, []).append(one)
        return {
            group: {version: versions[version] for version in sorted(versions, key=_rank)}
            for group, versions in found.items()
        }


def _rank(version: str) -> tuple[int, int, int, str]:
    # Stable versions first, then beta, then alpha; within each the highest number first.
    number, _, rest = version.removeprefix("v").partition("alpha" if "alpha" in version else "beta")
    stage = 2 if "alpha" in version else 1 if "beta" in version else 0
    major = int(number) if number.isdigit() else 0
    return stage, -major, -(int(rest) if rest.isdigit() else 0), version
