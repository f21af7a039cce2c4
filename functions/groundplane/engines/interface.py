"""The one interface an engine implements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from groundplane.core.capability import Capability, Never, OneOf
from groundplane.core.refusal import Reason, Refusal
from groundplane.engines import load, names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from groundplane.contracts.environment import Knobs
    from groundplane.contracts.resolve import Demand, Effective
    from groundplane.core.claim import Claim
    from groundplane.core.manifest import Kind
    from groundplane.core.observation import Observation, Observed
    from groundplane.core.operator import Operator
    from groundplane.core.rendered import Rendered
    from groundplane.core.slot import Slot

SpecT = TypeVar("SpecT")
KnobsT = TypeVar("KnobsT")


@dataclass(frozen=True, slots=True)
class Source:
    """The claim that a restore copies: same kind, same namespace."""

    claim: Claim
    slot: Slot
    database: str
    version: str  # the major that its data have
    storage: str = ""  # its storage.size, as a quantity
    parameters: Mapping[str, str] = field(default_factory=dict)  # as its claim writes them
    archive: str = ""  # status.backup.id: the name of its backups; empty while there are none
    created: str = ""  # when its claim was created, RFC 3339
    first_recoverable: str = ""  # the first moment that its backups hold, RFC 3339; empty when that is not told
    place: Observed | None = None  # its object of `Archive`, which tells where its backups are; None when unknown

    @property
    def backups(self) -> str:
        """The name of its backups: as it tells, because its data may have been another claim's before."""
        return self.archive or f"{self.claim.object(self.slot)}-{self.claim.life}"


@dataclass(frozen=True, slots=True)
class Ask(Generic[SpecT, KnobsT]):
    """What one claim asks of an engine, resolved: nothing here is a preset any more."""

    claim: Claim
    spec: SpecT
    effective: Effective
    knobs: KnobsT
    now: datetime
    make_password: Callable[[], str]
    source: Source | None = None  # with restore.from: Claim, once the claim was found


@dataclass(frozen=True, slots=True)
class Anchor:
    """The object that is the data: whether it exists decides whether something can be lost."""

    role: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Archive:
    """The object that tells where a claim's backups are: a copy that looks elsewhere finds nothing, in the engine."""

    role: str
    kind: Kind
    paths: tuple[tuple[str, ...], ...]  # what makes another place


@dataclass(frozen=True, slots=True)
class Distribution:
    """A Python distribution whose programs an engine runs, or hands to people, on the machine where it is installed."""

    name: str
    product: str  # what it holds, for people


class Engine(Protocol[SpecT, KnobsT]):
    """One way to honour one contract. Stateless; safe to share between calls."""

    @property
    def name(self) -> str:
        """The module's own name."""

    @property
    def product(self) -> str:
        """What it runs, in its maker's spelling."""

    @property
    def provider(self) -> str:
        """Where it runs: kubernetes, aws, gcp, azure or local."""

    @property
    def anchor(self) -> Anchor:
        """The object that is the data."""

    @property
    def archive(self) -> Archive | None:
        """The object that tells where backups are; None where there is one place only."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind that a claim cannot do without. All must be installed and granted."""

    @property
    def optional_kinds(self) -> tuple[Kind, ...]:
        """Kinds that are composed only where they are installed."""

    @property
    def operators(self) -> tuple[Operator, ...]:
        """Who serves these kinds. Every kind that is not built in belongs to one."""

    @property
    def distributions(self) -> tuple[Distribution, ...]:
        """The programs that it needs on this machine; none where an operator or a cloud runs them."""

    @property
    def capabilities(self) -> Mapping[str, Capability]:
        """How far each field is honoured; a field that is not here, nor in `HOUSE`, is honoured whatever its value."""

    @property
    def knobs(self) -> type[Knobs]:
        """What the environment must or may tell it."""

    def render(self, ask: Ask[SpecT, KnobsT], slot: Slot, seen: Observation) -> Rendered:
        """Return everything *ask* needs in *slot*, whatever *seen* already contains.

        Raises:
            Refusal: the claim cannot be honoured in full.
            Unresolved: whether an optional kind that it needs is installed was not told yet.
        """


# What an engine that says nothing of these fields does not offer: data that stay without anybody who looks after them.
HOUSE: Final[Mapping[str, Capability]] = {
    "deletionPolicy": OneOf.of("Protect", "Delete"),
    "restore.from": OneOf.of("Claim", "Backup"),
}


def all_kinds(engine: Engine[Any, Any]) -> tuple[Kind, ...]:
    """Return every kind that *engine* may compose, those it can do without last."""
    return (*engine.kinds, *engine.optional_kinds)


def check_capabilities(contract: str, engine: Engine[Any, Any], knobs: Knobs, demands: tuple[Demand, ...]) -> None:
    """Return if *engine* can be held to every demand.

    Raises:
        Refusal: NotOffered, naming field, value, limit, remedy and the engines that do offer it.
    """
    capabilities = {**HOUSE, **engine.capabilities, **knobs.capabilities()}
    for demand in demands:
        capability = capabilities.get(demand.path)
        if capability and not capability.honours(demand.value):
            raise _refusal(contract, engine, demand, capability)


def _refusal(contract: str, engine: Engine[Any, Any], demand: Demand, capability: Capability) -> Refusal:
    others = [
        name
        for name in names(contract)
        if (other := {**HOUSE, **load(contract, name).capabilities}.get(demand.path)) is None
        or other.honours(demand.value)
    ]
    elsewhere = f", or use an engine that offers it: {', '.join(others)}" if others else ""
    path, value, limit = demand.path, demand.value, capability.limit()
    shown = path if isinstance(value, (dict, list)) else f"{path}: {value}"
    remedy = "Remove it" if isinstance(capability, Never) else "Change it"
    messages = {
        "claim": f"{shown} is not offered by {engine.name} ({limit}). {remedy}{elsewhere}.",
        "tier": f"tier: the preset asks for {path}: {value}, which {engine.name} does not offer ({limit})."
        f" Write another {path}, choose another tier{elsewhere}.",
        "environment": f"the environment asks for {path}: {value}, which {engine.name} does not offer ({limit})."
        " Ask the platform team to change minimum in the EnvironmentConfig.",
    }
    reason = Reason.ENVIRONMENT_INCOMPLETE if demand.origin == "environment" else Reason.NOT_OFFERED
    return Refusal(reason, messages[demand.origin])
