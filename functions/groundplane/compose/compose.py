"""The pure entry point: one observation in, one whole answer out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from groundplane import engines
from groundplane.compose.ownership import binding_secret, labelled
from groundplane.compose.requirements import Inquiry
from groundplane.compose.status import status_of
from groundplane.contracts.environment import Environment, read
from groundplane.contracts.resolve import Demand, resolve
from groundplane.core.answer import Answer
from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.condition import Type, Verdict
from groundplane.core.manifest import CLAIM_LABEL
from groundplane.core.observation import Unresolved
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.slot import Slot
from groundplane.engines.interface import Ask, check_capabilities
from groundplane.lifecycle import conditions, origin, placement, protection

if TYPE_CHECKING:
    from groundplane.compose.request import Request
    from groundplane.contracts.common import CommonSpec
    from groundplane.core.observation import Observation
    from groundplane.core.rendered import Desired, Rendered
    from groundplane.engines.interface import Engine

SETTLED_SECONDS: Final = 300  # a backstop: what is composed or required wakes the claim by itself
WAITING_SECONDS: Final = 30


def compose(request: Request) -> Answer:
    """Return the whole answer to *request*: everything the claim owns, or a refusal that changes nothing.

    It always holds every condition. A refusal is FATAL when something of the claim exists, and an answer without
    resources when nothing does: only an answer is written to status and woken when what it lacks appears.
    """
    return _Composition(request).answer()


class _Composition:
    """One request on its way to an answer."""

    def __init__(self, request: Request) -> None:
        self.request = replace(request, seen=_ours(request))
        self.inquiry = Inquiry(self.request)
        self.retired_slots: list[str] = []

    def answer(self) -> Answer:
        try:
            return self._compose()
        except Unresolved as unresolved:
            self.inquiry.ask(unresolved.kinds)
            return self._unchanged(Verdict.unknown("Resolving", "what the claim depends on is being read"))
        except Refusal as refusal:
            return self._refused(refusal)

    def _compose(self) -> Answer:
        engine, spec, seen = self._wanted_engine(), self._spec(), self.request.seen
        self.retired_slots = list((spec.migration and spec.migration.retired_slots) or ())
        placed = placement.place(engine.name, self.retired_slots, seen)
        self.inquiry.probe(self._engine(placed.live))
        if lost := self.inquiry.lost_slot(engine, placed.live):
            placed = placement.place(engine.name, self.retired_slots, seen, lost)
            self.inquiry.probe(self._engine(placed.live))
        live = self._engine(placed.live)
        self.inquiry.find_anchor(live, placed.live, given_up=placed.moving and placed.consented)
        if not placed.moving:
            return self._serve(placed.live, spec)
        if not placed.consented:
            raise self._swap_refusal(placed)
        self.inquiry.probe(engine)
        if not self._may_release(placed.live, spec):
            return self._serve(placed.live, spec, retiring_to=placed.target)
        self.inquiry.find_anchor(engine, placed.target, given_up=True)
        return self._serve(placed.target, spec)

    def _serve(self, slot: Slot, spec: CommonSpec, *, retiring_to: Slot | None = None) -> Answer:
        """Return the answer with *slot* serving, or about to make room for *retiring_to*."""
        engine = self._engine(slot)
        ask = self._ask(engine, slot, spec, giving_up=retiring_to is not None)
        seen = self.inquiry.seen
        try:
            rendered = engine.render(ask, slot, seen)
        except Refusal:
            self._repeat_requirements(engine, ask, slot)
            raise
        if ask.source and engine.archive:
            store = rendered.resources.get(slot.resource(engine.archive.role))
            origin.check_place(ask.claim, ask.source, engine.archive, store.manifest if store else None)
        anchor = seen.existing(slot.resource(engine.anchor.role))
        if retiring_to is None:
            protection.refuse_weakening(ask.effective, anchor)
        resources = self._resources(ask, slot, rendered, consent=slot if retiring_to else None)
        self.inquiry.check_kinds(engine, resources)
        self.inquiry.check_names(resources, rendered.requires)
        released = (
            placement.released(slot, self.retired_slots, self._held(), seen) if self.retired_slots else frozenset()
        )
        protection.retain(resources, seen, retired=rendered.retired, released=released)
        verdicts = conditions.of(
            ask.effective, rendered.facts, bound=rendered.binding is not None, now=self.request.now
        )
        if retiring_to:
            verdicts[Type.SETTLED] = Verdict.no("Retiring", f"slot {slot} is given up; {retiring_to} takes its place")
        return Answer(
            conditions=verdicts,
            requirements=self.inquiry.wanted,
            ttl=SETTLED_SECONDS if conditions.settled(verdicts) else WAITING_SECONDS,
            resources=resources,
            status=status_of(self.request, ask.effective, slot, rendered, anchor, retiring_to=retiring_to),
            ready=verdicts[Type.ACCEPTED].holds and verdicts[Type.SERVING].holds,
            notices=(*rendered.notices, *self.inquiry.unread(engine)),
            footprint=rendered.footprint,
        )

    def _repeat_requirements(self, engine: Engine[Any, Any], ask: Ask[Any, Any], slot: Slot) -> None:
        """Ask after a refusal for what the call before asked for: Crossplane never settles a list that changes."""
        inquiry = self.inquiry
        before = {name: found for name, found in inquiry.seen.required.items() if name in inquiry.objects}
        with suppress(Refusal, Unresolved):
            rendered = engine.render(ask, slot, replace(inquiry.seen, required=before))
            inquiry.check_names(self._resources(ask, slot, rendered, consent=None), rendered.requires)

    def _resources(
        self, ask: Ask[Any, Any], slot: Slot, rendered: Rendered, consent: Slot | None
    ) -> dict[str, Desired]:
        resources = {
            name: labelled(desired, ask.claim, ask.effective, consent) for name, desired in rendered.resources.items()
        }
        if rendered.binding:
            bound = self.request.seen.get(BINDING) is not None
            resources[BINDING] = binding_secret(rendered.binding, ask.claim, slot, bound=bound)
        return resources

    def _wanted_engine(self) -> Engine[Any, Any]:
        try:
            return engines.load(self.request.contract.name, self.request.engine)
        except LookupError as error:
            raise Refusal(
                Reason.NOT_OFFERED,
                "spec.crossplane.compositionRef: the Composition asks for an engine this release does not have:"
                f" {error}. Choose another Composition.",
            ) from None

    def _engine(self, slot: Slot) -> Engine[Any, Any]:
        try:
            return engines.load(self.request.contract.name, slot.engine)
        except LookupError as error:
            raise Refusal(
                Reason.WOULD_LOSE_DATA,
                f"slot {slot} holds the data of this claim, and this release does not have its engine: {error}."
                " Nothing was changed. Go back to the release before.",
            ) from None

    def _spec(self) -> CommonSpec:
        found = self.request.manifest.at("spec")
        written = {key: value for key, value in found.items() if key != "crossplane"} if isinstance(found, dict) else {}
        try:
            spec = self.request.contract.spec.model_validate(written)
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(['spec', *map(str, entry['loc'])])}: {entry['msg']}"
                for entry in error.errors(include_url=False)
            )
            raise Refusal(
                Reason.NOT_OFFERED, f"{found}. The claim does not fit this release's contract; correct the field."
            ) from None
        return spec  # type: ignore[return-value]  # A contract's spec is always a common one.

    def _ask(self, engine: Engine[Any, Any], slot: Slot, spec: CommonSpec, *, giving_up: bool) -> Ask[Any, Any]:
        request, claim, contract = self.request, self.inquiry.claim, self.request.contract.name
        self.inquiry.check_installed(engine)
        data = self.inquiry.environment()
        environment, knobs = read(Environment, claim.environment, data), read(engine.knobs, claim.environment, data)
        effective = resolve(contract, claim, spec, environment)
        if giving_up:  # what is about to be destroyed need not be able to do what its successor will
            effective = replace(effective, deletion_policy="Delete")
        else:
            check_capabilities(contract, engine, knobs, (*effective.demands, *_written(spec)))
        source = self.inquiry.source(engine, slot, spec)
        return Ask(claim, spec, effective, knobs, request.now, request.make_password, source)

    def _may_release(self, slot: Slot, spec: CommonSpec) -> bool:
        """Whether *slot*, given up by name, may be left out: its stored objects carry the consent, and can go."""
        engine, seen = self._engine(slot), self.inquiry.seen
        anchor = slot.resource(engine.anchor.role)
        if not placement.consent_stands(slot, self._held(), seen):
            return False
        if anchor not in seen.composed:
            return seen.found(anchor) is None  # lost, or gone already; found means it must first be owned again
        ask = self._ask(engine, slot, spec, giving_up=True)
        return engine.render(ask, slot, seen).facts.releasable

    def _held(self) -> set[str]:
        """Return the observed objects that go by consent only: what is guarded, and data whatever their labels say."""
        seen = self.inquiry.seen
        anchors = {slot.resource(self._engine(slot).anchor.role) for slot in placement.observed(seen)}
        return {*protection.guarded(seen), *(anchors & seen.composed.keys())}

    def _swap_refusal(self, placed: placement.Placement) -> Refusal:
        live, contract = placed.live, self.request.contract
        anchor = self.inquiry.seen.existing(live.resource(self._engine(live).anchor.role))
        held = f"{anchor.at('kind')} {anchor.name}" if anchor else "its objects"
        return Refusal(
            Reason.SWAP_NOT_APPROVED,
            f"the Composition asks for {self.request.engine}, and the data of this claim are in slot {live} ({held})."
            f" Nothing was changed, and {live.engine} goes on serving. To stay, set"
            f" spec.crossplane.compositionRef.name back to {contract.composition(live.engine)}. To give the data up"
            f" and start empty on {placed.target}, add {live} to spec.migration.retiredSlots: everything in {live} is"
            " then destroyed, and only its backups remain for their retention.",
        )

    def _refused(self, refusal: Refusal) -> Answer:
        fatal = protection.at_risk(self.inquiry.claim, self.inquiry.seen, self.inquiry.anchors)
        answer = self._unchanged(Verdict.no(refusal.reason, refusal.message))
        # Nothing that is watched tells of a kind that was installed, so an answer is asked for again in a while.
        ttl = 0 if fatal else answer.ttl
        return replace(answer, fatal=fatal, ttl=ttl, refusal=(refusal.reason, refusal.message))

    def _unchanged(self, verdict: Verdict) -> Answer:
        return Answer(
            conditions=conditions.refused(verdict, self.request.manifest),
            requirements=self.inquiry.wanted,
            ttl=WAITING_SECONDS,
            status={"observedGeneration": self.inquiry.claim.generation},
        )


def _ours(request: Request) -> Observation:
    """Return what *request* observes without what other functions of the pipeline compose, which is their business.

    A resource is ours by its name, when that names one of our engines, or by our label, when its engine is not in this
    release: then it still must not be lost.
    """
    known = engines.names(request.contract.name)
    ours = {
        name: found
        for name, found in request.seen.composed.items()
        if name == BINDING
        or (
            (slot := Slot.of_resource(name))
            and (slot.engine in known or found.label(CLAIM_LABEL) == request.claim.label)
        )
    }
    return replace(request.seen, composed=ours)


def _written(spec: CommonSpec) -> tuple[Demand, ...]:
    """Return every field that the claim itself writes, at every depth, as demands."""
    found: list[Demand] = []

    def walk(value: Any, path: str) -> None:
        found.append(Demand(path, value, "claim"))
        if isinstance(value, dict):
            for key, entry in value.items():
                walk(entry, f"{path}.{key}")
        elif isinstance(value, (list, tuple)):
            for entry in value:
                walk(entry, f"{path}[]")

    for key, value in spec.model_dump(by_alias=True, exclude_unset=True, exclude_none=True).items():
        walk(value, key)
    return tuple(found)
