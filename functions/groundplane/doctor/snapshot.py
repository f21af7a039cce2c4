"""What was read of a cluster, as plain data: all that the checks know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groundplane.core.observation import Observed
from groundplane.doctor.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.manifest import Kind, Manifest


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects to be read: all of *kind*, those that *selector* selects, or the one called *name*."""

    kind: Kind
    selector: str = ""
    name: str = ""
    scoped: bool = False  # only those in the namespace that the person named, if one was


@dataclass(frozen=True, slots=True)
class Reading:
    """What a listing brought. A kind that is not served brings nothing; *lack* says why what is there was not read."""

    items: tuple[Manifest, ...] = ()
    lack: str = ""
    remedy: str = ""

    @property
    def objects(self) -> list[Observed]:
        """The items, in order of their names."""
        found = [Observed.of(item) for item in self.items]
        return sorted(found, key=lambda one: (str(one.at("metadata", "namespace") or ""), one.name))

    def named(self, name: str) -> Observed | None:
        """Return the object called *name*, or None."""
        return next((found for found in self.objects if found.name == name), None)

    def unread(self, check: str, subject: str) -> list[Finding]:
        """Return what to say when it was not read; nothing when it was."""
        return [Finding(check, subject, State.UNKNOWN, self.lack, self.remedy)] if self.lack else []


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that RBAC allows or not. *resource* may be a subresource, such as ``pods/log``."""

    verb: str
    group: str
    resource: str

    @property
    def what(self) -> str:
        """Name of what it is about, as in the name of a CRD."""
        plural, slash, part = self.resource.partition("/")
        return f"{plural}.{self.group}{slash}{part}" if self.group else self.resource


@dataclass(frozen=True, slots=True)
class User:
    """Whose rights are asked for."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One cluster at one moment."""

    version: str
    crossplane: User
    namespace: str | None = None  # the only one whose claims were read; None: all
    served: Mapping[str, frozenset[str]] = field(default_factory=dict)  # plurals, by group/version
    undiscovered: Mapping[str, str] = field(default_factory=dict)  # why it is not known, by group/version
    readings: Mapping[Listing, Reading] = field(default_factory=dict)
    rights: Mapping[Right, bool] = field(default_factory=dict)  # of Crossplane's user; what is not here was not told
    rights_lack: Reading = Reading()

    def serves(self, kind: Kind) -> bool | None:
        """Whether the API server has *kind*; None when it did not tell."""
        if kind.api_version in self.undiscovered:
            return None
        return not kind.group or kind.plural in self.served.get(kind.api_version, ())

    def other_versions(self, kind: Kind) -> list[str]:
        """Return the versions that the API server has *kind* in, besides its own."""
        found = (
            version
            for group, _, version in (name.rpartition("/") for name in self.served)
            if group == kind.group and kind.plural in self.served[f"{group}/{version}"]
        )
        return sorted(version for version in found if f"{kind.group}/{version}" != kind.api_version)

    def read(self, listing: Listing) -> Reading:
        """Return what *listing* brought; nothing when it was never asked for."""
        return self.readings.get(listing, Reading())
