"""Placement: which slot serves a claim, and which one is on its way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.manifest import RETIRE_CONSENT, SLOT
from groundplane.core.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from groundplane.core.observation import Observation


@dataclass(frozen=True, slots=True)
class Placement:
    """The slot that serves, the slot that shall serve, and whether the first may go."""

    live: Slot
    target: Slot
    consented: bool = False

    @property
    def moving(self) -> bool:
        """Whether another engine is asked for than the one that holds the data."""
        return self.live != self.target


def observed(seen: Observation) -> list[Slot]:
    """Return the slot of every observed object that has one, in the order of the objects."""
    return [slot for name in seen.composed if (slot := Slot.of_resource(name))]


def known(seen: Observation) -> Slot | None:
    """Return the slot that serves: recorded, else named by the binding, else the newest observed; None for none.

    A status can be lost, and beside the slot that serves there may be newer ones that do not.
    """
    bound = seen.get(BINDING)
    told = (seen.status.get("slot"), bound.annotation(SLOT) if bound else None)
    recorded = next((slot for text in told if (slot := Slot.parse(str(text or "")))), None)
    return recorded or max(observed(seen), key=lambda slot: slot.number, default=None)


def place(engine: str, retired: Iterable[str], seen: Observation, found: Slot | None = None) -> Placement:
    """Return where a claim that asks for *engine* stands. *retired* are the slots its owner gave up by name.

    *found* is the slot of data that nobody observes or recorded, but that are there. A slot's number is the highest
    ever used plus one, so that a consent that stays in git can never name a slot of later.
    """
    given_up = {slot for text in retired if (slot := Slot.parse(text))}
    live = known(seen) or found
    if live is None:
        new = Slot(engine, _next(given_up))
        return Placement(new, new)
    if live.engine == engine:
        return Placement(live, live)
    # Begun already, when only the status was not written since: a second one beside it would be one too many.
    there = observed(seen)
    begun = [slot for slot in there if slot.engine == engine and slot.number > live.number]
    target = max(begun, key=lambda slot: slot.number, default=Slot(engine, _next({*given_up, *there, live})))
    return Placement(live, target, consented=live in given_up)


def consent_stands(slot: Slot, guarded: Iterable[str], seen: Observation) -> bool:
    """Whether each of the *guarded* objects of *slot* carries the consent, stored one reconcile before the deed."""
    objects = [seen.composed[name] for name in guarded if Slot.of_resource(name) == slot]
    return all(found.annotation(RETIRE_CONSENT) == str(slot) for found in objects)


def released(serving: Slot, retired: Iterable[str], guarded: Collection[str], seen: Observation) -> frozenset[Slot]:
    """Return the observed slots but *serving* that are given up by name and whose objects carry the consent."""
    return frozenset(
        slot
        for slot in set(observed(seen)) - {serving}
        if str(slot) in set(retired) and consent_stands(slot, guarded, seen)
    )


def _next(slots: Iterable[Slot]) -> int:
    return max((slot.number for slot in slots), default=0) + 1
