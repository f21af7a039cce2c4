"""Whose the instance of our name is: a provider that was restarted while it was made no longer knows.

While an instance is being made, about ten minutes, only the provider's memory has its id. After a restart the provider
makes it again, and the cloud answers that the name is taken: by the instance of before, or by one that an earlier claim
left. So it is looked at by its name, and by nothing but a look; its tags tell the claim that it was made for.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status
from groundplane.core.manifest import CLAIM_UID
from groundplane.core.observation import Observation, Observed
from groundplane.engines import _aws as aws

if TYPE_CHECKING:
    from groundplane.core.manifest import JSON
    from groundplane.engines.database.rds._names import Place

EXISTS: Final = "DBInstanceAlreadyExists"
_GONE: Final = "external resource does not exist"  # crossplane-runtime's words under a policy that only observes
_TOLD: Final = ("status", "atProvider")


class Whose(Enum):
    """Whose the instance is that the Instance stands for, or would."""

    OURS = "ours"  # or nobody's: it is made, or yet to be
    OPEN = "open"  # there is one of its name, and its tags are not known yet
    ANOTHERS = "another's"  # there is one of its name that was not made for this claim


def whose(place: Place, instance: Observed | None) -> Whose:
    """Return whose the instance is, as far as *instance* tells."""
    if instance is None:
        return Whose.OURS
    by_name = instance.annotation(aws.EXTERNAL_NAME) == place.identifier
    if not by_name and aws.external_name(instance) is None:
        return Whose.OPEN if refused_as_taken(instance) else Whose.OURS
    if by_name and _GONE in instance.condition("Synced").message:
        return Whose.OURS  # who had the name is gone, so it is free
    if not by_name and instance.annotation(aws.EXTERNAL_NAME):
        return Whose.OURS  # it has a name that the cloud made up for what we made
    life = _life(instance)
    if life is None:
        return Whose.OPEN if by_name else Whose.OURS
    return Whose.OURS if life == place.ask.claim.origin else Whose.ANOTHERS


def external_name(place: Place, instance: Observed | None) -> str | None:
    """Return what the provider finds the instance by: the cloud's id, or its name where that alone is known."""
    known = aws.external_name(instance)
    if instance is not None and instance.annotation(aws.EXTERNAL_NAME) is None:
        return known if whose(place, instance) is Whose.OURS else place.identifier
    return known


def without_anothers(place: Place, seen: Observation) -> Observation:
    """Return *seen* without what is told of an instance that is not known to be ours: it is not to be relied on."""
    name = place.slot.resource("instance")
    instance = seen.existing(name)
    veiled = relied_on(place, instance)
    if veiled is None or veiled is instance:
        return seen
    if name in seen.composed:
        return Observation({**seen.composed, name: veiled}, seen.required, seen.schemas, seen.status)
    return Observation(seen.composed, {**seen.required, name: [veiled]}, seen.schemas, seen.status)


def relied_on(place: Place, instance: Observed | None) -> Observed | None:
    """Return *instance*, without what the cloud tells of it unless it is ours."""
    return _veiled(instance) if instance and whose(place, instance) is not Whose.OURS else instance


def refused_as_taken(instance: Observed) -> bool:
    """Whether the cloud refused to make the instance because there is one of its name."""
    verdicts = (instance.condition(kind) for kind in ("LastAsyncOperation", "Synced"))
    return any(verdict.status is Status.FALSE and EXISTS in verdict.message for verdict in verdicts)


def _life(instance: Observed) -> str | None:
    """Return the uid of the claim that it was made for; empty when it tells none, None while nothing is told."""
    told = instance.at(*_TOLD)
    if not isinstance(told, dict) or not told:
        return None
    tags = [found for key in ("tags", "tagsAll") if isinstance(found := told.get(key), dict)]
    by_name = instance.annotation(aws.EXTERNAL_NAME) is not None
    return next((str(found[CLAIM_UID]) for found in tags if CLAIM_UID in found), "" if tags or by_name else None)


def _veiled(instance: Observed) -> Observed:
    def read(path: tuple[str, ...]) -> JSON:
        return None if path[:2] == _TOLD or path[-1] == aws.EXTERNAL_NAME else instance.read(path)

    return Observed(read, instance.conditions)
