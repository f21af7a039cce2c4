"""What one reconcile did, or would have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from groundplane.core.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Gone:
    """An object that the claim had and will not have any more."""

    resource_name: str
    """Its name inside the claim: the annotation ``crossplane.io/composition-resource-name``."""
    api_version: str
    kind: str
    name: str

    def __str__(self) -> str:
        # An annotation may hold a line break; this stands in one-line comments.
        return " ".join(f"{self.kind} {self.name} ({self.resource_name})".split())


@dataclass(frozen=True, slots=True)
class Result:
    """One result of the function, which Crossplane makes an event."""

    step: str
    severity: str
    """``Fatal``, ``Warning`` or ``Normal``."""
    reason: str
    """Empty when the function gives none."""
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One reconcile of one claim. After a fatal result nothing is applied and nothing deleted."""

    xr: Manifest
    """The claim afterwards: composition, references to what it composes, status, conditions."""
    composition: str
    engine: str
    """The engine of the Composition's label; empty when it has none."""
    resources: Mapping[str, Manifest]
    """What is applied, by composition-resource-name, sorted; ready to be observed next time."""
    ready: frozenset[str]
    """The names among *resources* that the function calls ready."""
    deleted: tuple[Gone, ...]
    leaked: tuple[Gone, ...]
    """What stays without anybody knowing: another kind took its name inside the claim."""
    forgotten: tuple[Gone, ...]
    """What stays because the claim does not control it, and is not observed any more."""
    results: tuple[Result, ...]
    conditions: Mapping[str, Manifest]
    """Every condition of the claim afterwards, by type."""
    refused: bool
    """The function answered with a fatal result, or with ``Accepted`` False."""
    fatal: bool
    footprint: Manifest
    """What the function says it costs; empty when it does not say."""
    iterations: int
    """How often the function was called, over all steps."""
    notes: tuple[str, ...] = ()
    """What a person should know besides: objects left out, namespaces overridden."""

    @property
    def broken(self) -> str:
        """What the function says when it failed instead of answering; empty when it answered.

        A refusal has a reason. A fatal result without one is the function's own failure.
        """
        fatal = [found for found in self.results if found.severity == "Fatal"]
        return "" if any(found.reason for found in fatal) else "; ".join(f.message for f in fatal)

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Return status, reason and message of a condition; ``Unknown`` when there is none."""
        found = self.conditions.get(kind, {})
        return found.get("status", "Unknown"), found.get("reason", ""), found.get("message", "")
