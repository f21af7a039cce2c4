"""Observation: everything a decision may depend on."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status, Verdict
from groundplane.core.manifest import CLAIM_LABEL, CLAIM_UID, JSON, Kind, at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from groundplane.core.claim import Claim
    from groundplane.core.manifest import Manifest


_STATUSES: Final = {str(status): status for status in Status}


class Unresolved(Exception):  # noqa: N818  # No error: the next call of the same reconcile knows more.
    """Something that was asked for cannot be read yet, or whether *kinds* are installed was not told yet."""

    def __init__(self, *kinds: Kind) -> None:
        """Say which kinds to ask for; none when what is missing is asked for already."""
        super().__init__(*(kind.crd for kind in kinds))
        self.kinds = kinds


@dataclass(frozen=True, slots=True)
class Requirement:
    """Objects the answer depends on: one by *name*, or all with *labels*; cluster-scoped without a namespace."""

    kind: Kind
    name: str = ""
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """One object as the API server has it, read where it lies: converting it whole is what costs most."""

    read: Callable[[tuple[str, ...]], JSON] = field(repr=False)
    conditions: Callable[[], Mapping[str, Mapping[str, JSON]]] = field(repr=False)  # by type: status, reason, message

    @classmethod
    def of(cls, manifest: Manifest) -> Observed:
        """Return *manifest* as an observed object."""
        return cls(lambda path: at(manifest, *path), lambda: _conditions(at(manifest, "status", "conditions")))

    def at(self, *path: str) -> JSON:
        """Return what stands at *path*, or None when any step is missing."""
        return self.read(path)

    @property
    def name(self) -> str:
        """The object's own name."""
        return str(self.at("metadata", "name") or "")

    @property
    def group_kind(self) -> str:
        """``Kind.group``: what must never change under one composed name. The version may."""
        group = str(self.at("apiVersion") or "").rpartition("/")[0]
        return f"{self.at('kind')}.{group}"

    def label(self, key: str) -> str | None:
        """Return the value of label *key*, or None."""
        return _text(self.at("metadata", "labels", key))

    def annotation(self, key: str) -> str | None:
        """Return the value of annotation *key*, or None."""
        return _text(self.at("metadata", "annotations", key))

    def condition(self, kind: str) -> Verdict:
        """Return the condition of type *kind*; Unknown when the object does not have it."""
        entry = self.conditions().get(kind)
        return Verdict.unknown("NotObserved") if entry is None else _verdict(entry)

    def ready(self) -> bool:
        """Whether its condition Ready is True."""
        return self.condition("Ready").holds

    def secret(self, key: str) -> str | None:
        """Return entry *key* of an observed Secret as text; None when it is missing, empty or not text."""
        raw = self.at("data", key)
        try:
            return base64.b64decode(raw, validate=True).decode() or None if raw else None
        except (ValueError, TypeError):
            return None

    def belongs_to(self, claim: Claim) -> bool:
        """Whether this object carries the label of *claim*'s kind and name."""
        return self.label(CLAIM_LABEL) == claim.label

    def same_life(self, claim: Claim) -> bool:
        """Whether it is of this very claim, or of the one whose data it takes over, not of an earlier one of the name.

        An object without the mark is told by its controller.
        """
        mark = self.annotation(CLAIM_UID)
        if mark is None:
            owners = self.at("metadata", "ownerReferences")
            controllers = [one for one in owners if at(one, "controller") is True] if isinstance(owners, list) else []
            return any(at(one, "uid") == claim.uid for one in controllers)
        return mark in {claim.uid, claim.taken_from} - {""}


@dataclass(frozen=True, slots=True)
class Observation:
    """What one call was told.

    In *required* a missing key is not resolved yet; an empty entry is resolved, none found. In *schemas* a missing
    key is not told yet.
    """

    composed: Mapping[str, Observed] = field(default_factory=dict)
    required: Mapping[str, Sequence[Observed]] = field(default_factory=dict)
    schemas: Mapping[str, bool] = field(default_factory=dict)  # by name of the CRD: is the kind installed?
    status: Manifest = field(default_factory=dict)  # our own last words; may be lost, so only a hint

    def get(self, name: str) -> Observed | None:
        """Return the composed resource called *name*, or None."""
        return self.composed.get(name)

    def found(self, requirement: str) -> Observed | None:
        """Return the object that *requirement* brought, or None when none was found or it is not resolved."""
        objects = self.required.get(requirement)
        return objects[0] if objects else None

    def installed(self, *kinds: Kind) -> bool:
        """Whether the API server has all of *kinds*.

        Raises:
            Unresolved: with those that nobody told about yet.
        """
        asked = [kind for kind in kinds if not kind.builtin]
        if untold := [kind for kind in asked if kind.crd not in self.schemas]:
            raise Unresolved(*untold)
        return all(self.schemas[kind.crd] for kind in asked)

    def known(self, name: str) -> bool:
        """Whether it is settled that composed resource *name* exists or not: observed, or looked for by its name."""
        return name in self.composed or name in self.required

    def existing(self, name: str) -> Observed | None:
        """Return the object of composed resource *name*, observed or found by its name before it was adopted."""
        return self.composed.get(name) or self.found(name)


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) else None


def _conditions(entries: JSON) -> dict[str, dict[str, JSON]]:
    """Return *entries* by their type; of two of one type the first counts."""
    listed = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {str(entry.get("type")): entry for entry in reversed(listed)}


def _verdict(entry: Mapping[str, JSON]) -> Verdict:
    status = _text(entry.get("status"))
    return Verdict(
        _STATUSES.get(status or "", Status.UNKNOWN),
        str(entry.get("reason") or "Unknown"),
        str(entry.get("message") or ""),
    )
