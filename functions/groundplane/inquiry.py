"""What an answer must be told first, and what is refused when the world lacks it."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from groundplane import contracts
from groundplane.contracts.environment import Environment, Knobs
from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.manifest import CLAIM_LABEL, ENVIRONMENT_CONFIG, ENVIRONMENT_LABEL, GRANTS, SECRET, Kind
from groundplane.core.observation import Requirement
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.slot import Slot
from groundplane.engines import load, names
from groundplane.engines._engine import Source
from groundplane.lifecycle import placement, protection
from groundplane.turn import claim_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from groundplane.contracts.common import CommonSpec
    from groundplane.core.observation import Observed
    from groundplane.core.rendered import Desired
    from groundplane.engines._engine import Engine
    from groundplane.turn import Turn


class Unresolved(Exception):  # noqa: N818  # No error: the next call of the same reconcile knows more.
    """Something that was asked for cannot be read yet."""


class Inquiry:
    """Asks for what a turn depends on. The same turn asks for the same, whatever it was told already."""

    def __init__(self, turn: Turn) -> None:
        """Begin with what every claim depends on: its environment and the grants."""
        self.turn = turn
        self.claim = turn.claim
        self.seen = turn.seen
        self.anchors: list[str] = []
        self.schemas: tuple[Kind, ...] = ()
        self.wanted: dict[str, Requirement] = {
            "environment": Requirement(ENVIRONMENT_CONFIG, self.claim.environment),
            "grants": Requirement(ENVIRONMENT_CONFIG, GRANTS),
        }

    def require(self, name: str, requirement: Requirement | None = None) -> Observed | None:
        """Return what *name* brought; None when nothing was found.

        Raises:
            Unresolved: it was not resolved yet.
        """
        if requirement is not None:
            self.wanted[name] = requirement
        if name not in self.seen.required:
            raise Unresolved
        return self.seen.found(name)

    def probe(self, *kinds: Kind) -> None:
        """Ask which of *kinds* are installed: one that is not would fail the whole claim, whatever else is right.

        Raises:
            Unresolved: it was not told yet.
        """
        asked = {kind.crd: kind for kind in (*self.schemas, *kinds) if not kind.builtin}
        self.schemas = tuple(asked.values())
        if not asked.keys() <= self.seen.schemas.keys():
            raise Unresolved

    def lost_slot(self, engine: Engine[Any, Any], expected: Slot) -> Slot | None:
        """Return the slot of data of this very claim that nothing observes or records; None when there are none.

        Status and references can be lost together, and with them engine and number of the slot, while the Composition
        asks for another engine: the claim's label still tells, on whatever engine the data are.

        Raises:
            Unresolved: it was not looked for yet.
        """
        if placement.known(self.seen):
            return None
        contract = self.turn.contract.name
        every = [engine, *(load(contract, name) for name in names(contract) if name != engine.name)]
        self._look_early(engine, expected)
        self.probe(*(other.anchor.kind for other in every))
        readable = [other for other in every if self._may_read(other.anchor.kind)]
        for other in readable:
            self.wanted[f"lives-{other.name}"] = self._lives(other)
        if any(f"lives-{other.name}" not in self.seen.required for other in readable):
            raise Unresolved
        owners = {slot: other for other in readable for slot in self._slots_of(other)}
        lost = max(owners, key=lambda slot: slot.number, default=None)
        if lost:  # asked for in any case, and the calls of a reconcile are few
            self._want_anchor(owners[lost], lost)
        return lost

    def find_anchor(self, engine: Engine[Any, Any], slot: Slot, *, given_up: bool) -> None:
        """Find the data of *slot* by name where they are not observed: that does not mean that nothing is there."""
        name = slot.resource(engine.anchor.role)
        self.anchors.append(name)
        if name in self.seen.composed:
            return
        if self.seen.schemas.get(engine.anchor.kind.crd):
            if not self._may_read(engine.anchor.kind):
                return  # what is not granted is refused next, and by its own name
            self.require(self._want_anchor(engine, slot))
        protection.check_anchor(self.claim, self.seen, slot, name, given_up=given_up)

    def _look_early(self, engine: Engine[Any, Any], expected: Slot) -> None:
        """Ask at once for what will be asked for in any case, to save calls."""
        grants, kind = self.seen.found("grants"), engine.anchor.kind
        if grants and self.seen.schemas.get(kind.crd) and {"*", kind.crd} & _granted(grants):
            self._want_anchor(engine, expected)
            self.wanted[f"lives-{engine.name}"] = self._lives(engine)

    def _want_anchor(self, engine: Engine[Any, Any], slot: Slot) -> str:
        """Ask for the data of *slot* by name, and return what the answer is called."""
        name = slot.resource(engine.anchor.role)
        self.wanted[name] = Requirement(engine.anchor.kind, self.claim.object(slot), self.claim.namespace)
        return name

    def _lives(self, engine: Engine[Any, Any]) -> Requirement:
        labels = {CLAIM_LABEL: self.claim.label}
        return Requirement(engine.anchor.kind, namespace=self.claim.namespace, labels=labels)

    def _slots_of(self, engine: Engine[Any, Any]) -> list[Slot]:
        stem = f"{self.claim.name}-{self.claim.stem}-"
        return [
            Slot(engine.name, int(number))
            for found in self.seen.required[f"lives-{engine.name}"]
            if found.same_life(self.claim) and (number := found.name.removeprefix(stem)).isdigit()
        ]

    def _may_read(self, kind: Kind) -> bool:
        """Whether objects of *kind* can be asked for: installed and granted. Otherwise asking fails the whole claim."""
        if not self.seen.schemas.get(kind.crd):
            return False
        grants = self.require("grants")
        return grants is not None and bool({"*", kind.crd} & _granted(grants))

    def environment(self) -> Any:
        """Return the data of the claim's environment.

        Raises:
            Refusal: EnvironmentIncomplete, when there is no such environment.
        """
        found = self.require("environment")
        if found is None:
            name, namespace = self.claim.environment, self.claim.namespace
            raise Refusal(
                Reason.ENVIRONMENT_INCOMPLETE,
                f"EnvironmentConfig {name} does not exist. It says where claims of namespace {namespace} are served."
                f" Ask the platform team to create it, or to label the namespace: kubectl label namespace {namespace}"
                f" {ENVIRONMENT_LABEL}=<environment>",
            )
        return found.at("data")

    def unread(self) -> tuple[str, ...]:
        """Return a notice for every section of the environment that no engine of this release reads."""
        found = self.seen.found("environment")
        return unread(self.claim.environment, found.at("data") if found else None)

    def check_installed(self, engine: Engine[Any, Any]) -> None:
        """Return if every kind of *engine* is installed and granted; optional kinds that are not are left out.

        Raises:
            Refusal: EngineNotInstalled, NotPermitted, or EnvironmentIncomplete without the companion set.
        """
        missing = [kind.crd for kind in engine.kinds if not kind.builtin and not self.seen.schemas[kind.crd]]
        if missing:
            raise Refusal(
                Reason.ENGINE_NOT_INSTALLED,
                f"{engine.product} is not installed, or not whole: the API server has no {', '.join(missing)}. Ask the"
                " platform team to install it, or choose another environment.",
            )
        grants = self.require("grants")
        if grants is None:
            raise Refusal(
                Reason.ENVIRONMENT_INCOMPLETE,
                f"EnvironmentConfig {GRANTS} does not exist: the companion set, which protects data, is not installed."
                " Ask the platform team for: kubectl apply -k package/companion",
            )
        granted = _granted(grants)
        if "*" in granted:
            return
        ungranted = [kind.crd for kind in engine.kinds if kind.crd not in granted]
        if ungranted:
            raise Refusal(
                Reason.NOT_PERMITTED,
                f"Crossplane may not manage {', '.join(ungranted)}: the companion set is older than this release. Ask"
                " the platform team for: kubectl apply -k package/companion",
            )
        left_out = {kind.crd: False for kind in engine.optional_kinds if kind.crd not in granted}
        self.seen = replace(self.seen, schemas={**self.seen.schemas, **left_out})

    def source(self, engine: Engine[Any, Any], slot: Slot, spec: CommonSpec) -> Source | None:
        """Return the claim that a restore copies; None when there is none to copy, or the copy was made long ago.

        Raises:
            Refusal: RestoreSourceNotFound.
        """
        restore = spec.restore
        begun = self.seen.existing(slot.resource(engine.anchor.role))
        if restore is None or restore.claim_ref is None or begun:
            return None
        name = restore.claim_ref.name
        kind = Kind(str(self.turn.manifest.at("apiVersion")), self.claim.kind, self.turn.contract.plural)
        found = self.require("restore-source", Requirement(kind, name, self.claim.namespace))
        if found is None:
            raise Refusal(
                Reason.RESTORE_SOURCE_NOT_FOUND,
                f"restore.claimRef: there is no {self.claim.kind} {name} in namespace {self.claim.namespace}. Correct"
                " the name; if the claim is gone, use restore.from: Backup with the status.backup.id it had.",
            )
        live = Slot.parse(str(found.at("status", "slot") or ""))
        if live is None or live.engine != engine.name:
            state = f"is served by {live.engine}" if live else "has no data yet"
            raise Refusal(
                Reason.RESTORE_SOURCE_NOT_FOUND,
                f"restore.claimRef: {name} {state}, and a copy is made by the engine that holds the data; this claim's"
                f" engine is {engine.name}. Name another claim, or wait until that one serves.",
            )
        runs = str(found.at("status", "version") or found.at("spec", "version") or "")
        database = str(found.at("spec", "database", "name") or "app")
        return Source(claim_of(self.turn.contract, found), live, database, runs.partition(".")[0])

    def check_names(self, resources: Mapping[str, Desired], requires: Mapping[str, Requirement]) -> None:
        """Return if no name about to be used is somebody else's: Crossplane would take the object over without a word.

        Raises:
            Refusal: NameTaken or RetainedDataExists.
            Unresolved: not all of it was read yet.
        """
        wanted = dict(requires)
        for name, desired in resources.items():
            if name not in self.seen.composed:
                wanted[name] = self._by_name(desired)
        if BINDING not in self.seen.composed:
            wanted[BINDING] = Requirement(SECRET, self.claim.binding, self.claim.namespace)
        self.wanted |= wanted
        if any(name not in self.seen.required for name in wanted):
            raise Unresolved
        for name in {**resources, BINDING: None}:  # the binding's name is needed later, if not now
            found = None if name in self.seen.composed else self.seen.found(name)
            if found is not None:
                guarded = name in resources and resources[name].guarded
                protection.check_found(self.claim, found, guarded=guarded)

    def _by_name(self, desired: Desired) -> Requirement:
        manifest = desired.manifest
        kind = Kind(manifest["apiVersion"], manifest["kind"], "")
        return Requirement(kind, manifest["metadata"]["name"], self.claim.namespace)


@cache
def sections() -> frozenset[str]:
    """Return the names of all sections that an environment may have: the common ones, and every engine's."""
    read = (load(contract, name).knobs for contract in contracts.names() for name in names(contract))
    models: tuple[type[Knobs], ...] = (Environment, *read)
    return frozenset(field.alias or name for model in models for name, field in model.model_fields.items())


def unread(environment: str, data: Any) -> tuple[str, ...]:
    """Return a notice for every section in the *data* of *environment* that no engine of this release reads.

    A notice, no refusal: the section may be for a release to come, and must not stop the claims of today.
    """
    known = sections()
    unknown = sorted(set(data) - known) if isinstance(data, dict) else []
    return tuple(
        f"environment {environment}: {name} is read by no engine of this release{_near(name, known)}"
        for name in unknown
    )


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _granted(grants: Observed) -> set[str]:
    kinds = grants.at("data", "kinds")
    return {str(kind) for kind in kinds} if isinstance(kinds, list) else set()
