"""What an answer must be told first, and what is refused when the world lacks it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from groundplane.compose.kinds import composing, granted, not_installed, observed_kinds
from groundplane.compose.request import claim_of
from groundplane.core import moment
from groundplane.core.answer import Requirements
from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.manifest import CLAIM_LABEL, ENVIRONMENT_CONFIG, ENVIRONMENT_LABEL, GRANTS, SECRET, Kind
from groundplane.core.observation import Requirement, Unresolved
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.slot import Slot
from groundplane.engines import load, names
from groundplane.engines.interface import all_kinds
from groundplane.engines.sections import unread
from groundplane.lifecycle import origin, placement, protection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from groundplane.compose.request import Request
    from groundplane.contracts.common import CommonSpec
    from groundplane.core.observation import Observed
    from groundplane.core.rendered import Desired
    from groundplane.engines.interface import Engine, Source


class Inquiry:
    """Collects what a request depends on. The same request asks for the same, whatever it was told already."""

    def __init__(self, request: Request) -> None:
        """Begin with what every claim depends on: its environment and the grants."""
        self.request = request
        self.claim = request.claim
        self.observed = observed_kinds(composing(request), request.seen)
        # What is observed is installed, and need not be asked for: a settled claim asks for no schema at all.
        self.seen = replace(request.seen, schemas=dict.fromkeys(self.observed, True) | dict(request.seen.schemas))
        self.anchors: list[str] = []
        self.schemas: tuple[Kind, ...] = ()
        self.objects: dict[str, Requirement] = {
            "environment": Requirement(ENVIRONMENT_CONFIG, self.claim.environment),
            "grants": Requirement(ENVIRONMENT_CONFIG, GRANTS),
        }

    @cached_property
    def engines(self) -> list[Engine[Any, Any]]:
        """Every engine of the contract: whose data may there be of a claim of which nothing is known?

        A claim that is served needs its own engine alone, and imports no other.
        """
        return [load(self.request.contract.name, name) for name in names(self.request.contract.name)]

    @property
    def wanted(self) -> Requirements:
        """What the next call must be told."""
        return Requirements(self.objects, self.schemas, self.request.seen.schemas)

    def require(self, name: str, requirement: Requirement | None = None) -> Observed | None:
        """Return what *name* brought; None when nothing was found.

        Raises:
            Unresolved: it was not resolved yet.
        """
        if requirement is not None:
            self.objects[name] = requirement
        if name not in self.seen.required:
            raise Unresolved
        return self.seen.found(name)

    def probe(self, *engines: Engine[Any, Any]) -> None:
        """Ask whether *engines* are installed: a kind that is not would fail the whole claim, whatever else is right.

        An engine whose data are observed is. What else it composes is asked for once it is composed, see `compose`.
        While nothing is known of the claim, the anchor of every engine is asked for too: data may be there.

        Raises:
            Unresolved: it was not told yet.
        """
        kinds = [kind for one in engines if one.anchor.kind.crd not in self.observed for kind in all_kinds(one)]
        if placement.known(self.seen) is None:
            kinds += [one.anchor.kind for one in self.engines]
        self.seen.installed(*kinds)

    def ask(self, kinds: Iterable[Kind]) -> None:
        """Ask for the schema of each of *kinds*, and of all that its engine may come to need, lest calls run out."""
        wanted = {kind.crd: kind for kind in kinds}
        serving = [one for one in composing(self.request) if one.anchor.kind.crd in self.observed]
        for every in (all_kinds(one) for one in serving if wanted.keys() & {kind.crd for kind in all_kinds(one)}):
            wanted |= {kind.crd: kind for kind in every if not kind.builtin and kind.crd not in self.seen.schemas}
        self.schemas = tuple(wanted.values())

    def check_kinds(self, engine: Engine[Any, Any], resources: Mapping[str, Desired]) -> None:
        """Return if every kind of *resources* is installed, those that *engine* composes for the first time too.

        Raises:
            Refusal: EngineNotInstalled.
            Unresolved: it was not told yet.
        """
        composed = {(one.manifest["apiVersion"], one.manifest["kind"]) for one in resources.values()}
        kinds = [kind for kind in all_kinds(engine) if (kind.api_version, kind.kind) in composed]
        if not self.seen.installed(*kinds):
            raise not_installed(engine, [kind for kind in kinds if not self.seen.installed(kind)])

    def lost_slot(self, engine: Engine[Any, Any], expected: Slot) -> Slot | None:
        """Return the slot of data of this very claim that nothing observes or records; None when there are none.

        Status and references can be lost together, and with them engine and number of the slot, while the Composition
        asks for another engine: the claim's label still tells, on whatever engine the data are.

        Raises:
            Unresolved: it was not looked for yet.
        """
        if placement.known(self.seen):
            return None
        self._look_early(engine, expected)
        readable = [other for other in self.engines if self._may_read(other.anchor.kind)]
        for other in readable:
            self.objects[f"lives-{other.name}"] = self._lives(other)
        if any(f"lives-{other.name}" not in self.seen.required for other in readable):
            raise Unresolved
        owners = {slot: other for other in readable for slot in self._slots_of(other)}
        lost = max(owners, key=lambda slot: slot.number, default=None)
        if lost:  # asked for in any case, and the calls of a reconcile are few
            self._want_anchor(owners[lost], lost)
        return lost

    def find_anchor(self, engine: Engine[Any, Any], slot: Slot, *, given_up: bool) -> None:
        """Find the data of *slot*, by name where they are not observed, and whose they are.

        Raises:
            Refusal: they are another claim's, or cannot be found.
            Unresolved: they were not looked for yet.
        """
        name = slot.resource(engine.anchor.role)
        self.anchors.append(name)
        if name not in self.seen.composed and self.seen.schemas.get(engine.anchor.kind.crd):
            if not self._may_read(engine.anchor.kind):
                return  # what is not granted is refused next, and by its own name
            self.require(self._want_anchor(engine, slot))
        self.claim = protection.check_anchor(self.claim, self.seen, slot, name, given_up=given_up)

    def _look_early(self, engine: Engine[Any, Any], expected: Slot) -> None:
        """Ask at once for what will be asked for in any case, to save calls."""
        grants, kind = self.seen.found("grants"), engine.anchor.kind
        if grants and self.seen.schemas.get(kind.crd) and {"*", kind.crd} & granted(grants):
            self._want_anchor(engine, expected)
            self.objects[f"lives-{engine.name}"] = self._lives(engine)

    def _want_anchor(self, engine: Engine[Any, Any], slot: Slot) -> str:
        """Ask for the data of *slot* by name, and return what the answer is called."""
        name = slot.resource(engine.anchor.role)
        self.objects[name] = Requirement(engine.anchor.kind, self.claim.object(slot), self.claim.namespace)
        return name

    def _lives(self, engine: Engine[Any, Any]) -> Requirement:
        labels = {CLAIM_LABEL: self.claim.label}
        return Requirement(engine.anchor.kind, namespace=self.claim.namespace, labels=labels)

    def _slots_of(self, engine: Engine[Any, Any]) -> list[Slot]:
        """Return the slots of all data with the claim's label; whose they are, `find_anchor` tells."""
        stem = f"{self.claim.name}-{self.claim.stem}-"
        names = [one.name for one in self.seen.required[f"lives-{engine.name}"]]
        return [Slot(engine.name, int(number)) for name in names if (number := name.removeprefix(stem)).isdigit()]

    def _may_read(self, kind: Kind) -> bool:
        """Whether objects of *kind* can be asked for: installed and granted. Otherwise asking fails the whole claim."""
        if not self.seen.schemas.get(kind.crd):
            return False
        grants = self.require("grants")
        return grants is not None and bool({"*", kind.crd} & granted(grants))

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

    def unread(self, engine: Engine[Any, Any]) -> tuple[str, ...]:
        """Return a notice for every section of the environment that no engine of this release reads."""
        found = self.seen.found("environment")
        return unread(self.claim.environment, found.at("data") if found else None, [engine])

    def check_installed(self, engine: Engine[Any, Any]) -> None:
        """Return if every kind of *engine* is installed and granted; optional kinds that are not are left out.

        Raises:
            Refusal: EngineNotInstalled, NotPermitted, or EnvironmentIncomplete without the companion set.
        """
        missing = [kind for kind in engine.kinds if self.seen.schemas.get(kind.crd) is False]
        if missing:
            raise not_installed(engine, missing)
        grants = self.require("grants")
        if grants is None:
            raise Refusal(
                Reason.ENVIRONMENT_INCOMPLETE,
                f"EnvironmentConfig {GRANTS} does not exist: the companion set, which protects data, is not installed."
                " Ask the platform team for: kubectl apply -k package/companion",
            )
        allowed = granted(grants)
        if "*" in allowed:
            return
        ungranted = [kind.crd for kind in engine.kinds if kind.crd not in allowed]
        if ungranted:
            raise Refusal(
                Reason.NOT_PERMITTED,
                f"Crossplane may not manage {', '.join(ungranted)}: the companion set is older than this release. Ask"
                " the platform team for: kubectl apply -k package/companion",
            )
        left_out = {kind.crd: False for kind in engine.optional_kinds if kind.crd not in allowed}
        self.seen = replace(self.seen, schemas={**self.seen.schemas, **left_out})

    def source(self, engine: Engine[Any, Any], slot: Slot, spec: CommonSpec) -> Source | None:
        """Return the claim that a restore copies; None when there is none to copy, or the copy was made long ago.

        Raises:
            Refusal: RestoreSourceNotFound, also for a moment that is yet to come or that the source does not hold.
            Unresolved: it was not read yet.
        """
        restore = spec.restore
        if restore is None or self.seen.existing(slot.resource(engine.anchor.role)):
            return None
        born = self.request.manifest.at("metadata", "creationTimestamp")
        origin.check_not_to_come(restore, moment.known(str(born)) or self.request.now)
        if restore.claim_ref is None:
            return None
        name, namespace = restore.claim_ref.name, self.claim.namespace
        kind = Kind(str(self.request.manifest.at("apiVersion")), self.claim.kind, self.request.contract.plural)
        if (archive := engine.archive) and self._may_read(archive.kind):
            labels = {CLAIM_LABEL: f"{self.claim.stem}.{name}"}
            self.objects["restore-archive"] = Requirement(archive.kind, namespace=namespace, labels=labels)
        found = self.require("restore-source", Requirement(kind, name, namespace))
        other = claim_of(self.request.contract, found) if found else None
        copied = origin.source(self.claim, name, engine.name, other, found)
        archives = self.seen.required.get("restore-archive", ())
        place = next((one for one in archives if one.name == other.object(copied.slot)), None) if other else None
        copied = replace(copied, place=place)
        origin.check_held(restore, copied)
        return copied

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
        self.objects |= wanted
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
