"""Rendered: the whole answer of an engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groundplane.core.condition import Verdict
from groundplane.core.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.binding import Binding
    from groundplane.core.observation import Requirement


@dataclass(frozen=True, slots=True)
class Desired:
    """One object that must exist."""

    manifest: Manifest
    ready: bool = False
    guarded: bool = False  # stateful and not temporary: a policy denies its deletion without consent
    identity: tuple[tuple[str, ...], ...] = ()  # paths that must never change: another value is another object

    def __repr__(self) -> str:
        """Return kind and name only: a Secret holds a password."""
        return f"Desired({self.manifest.get('kind')}, {self.manifest['metadata']['name']})"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a consumer connects. Nothing secret."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Backups:
    """What the engine says of its backups. Times are RFC 3339, as the engine wrote them."""

    id: str | None = None  # what restore.backupID takes when the claim is gone
    last_success: str | None = None
    last_failure: str | None = None
    first_recoverable: str | None = None
    latest_recoverable: str | None = None
    archiving: bool | None = None  # the log is shipped continuously: recoverable up to now
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an engine reads from its objects: how the service is, not how it should be."""

    version: str | None = None
    endpoint: Endpoint | None = None
    serving: Verdict = field(default_factory=lambda: Verdict.no("Provisioning"))
    settled: Verdict = field(default_factory=lambda: Verdict.no("Provisioning"))
    backups: Backups = field(default_factory=Backups)
    releasable: bool = True  # with deletion policy Delete: nothing outside the objects still prevents it


@dataclass(frozen=True, slots=True)
class Given:
    """What the engine really gives, where that may be more than was asked."""

    cpu: str
    memory: str
    failure_tolerance: str
    size: str | None = None


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a claim costs, in the engine's own units; shown to people before they apply."""

    instances: int
    size: str  # instance class, or CPU and memory, of each
    storage: str  # of each instance
    backup: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Everything a slot owns, every time.

    Leaving a resource out is an order to destroy it. Whoever means that says so in *retired*; whoever cannot answer
    in full raises
    `Refusal` instead.
    """

    resources: Mapping[str, Desired]
    facts: Facts
    given: Given
    footprint: Footprint
    binding: Binding | None = None
    retired: frozenset[str] = frozenset()
    requires: Mapping[str, Requirement] = field(default_factory=dict)
    notices: tuple[str, ...] = ()  # worth a warning event, not worth refusing
