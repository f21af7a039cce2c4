"""Claims that are served by one engine, for another to be asked for: the engines on disk, and a made-up one."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import permutations

import catalogue
import scenarios
import second_engine
from catalogue import Manifest
from conformance.judge import Judge
from conformance.reconciler import Ran
from groundplane.core.manifest import ENVIRONMENT_LABEL, JSON, at
from groundplane.core.slot import Slot
from groundplane.render import Outcome, installed
from groundplane.render.admission import Admission
from groundplane.render.files import Document
from groundplane.render.installed import ENGINE_LABEL
from scenarios import World, merged

PAPER = second_engine.Paper.name
ON_PAPER = "database"  # the contract whose claims the made-up engine can serve
# So little that no engine refuses it, whatever the tier would ask for.
LENIENT: Manifest = {"objectives": {"rpoSeconds": 3600}}


@dataclass(frozen=True)
class Move:
    """From one engine of a contract to another."""

    contract: str
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.contract}-{self.source}-to-{self.target}"


def moves() -> list[Move]:
    """Return every ordered pair of different engines of a contract, the made-up one included."""
    found = []
    for contract in catalogue.contracts():
        names = [engine.name for engine in catalogue.engines() if engine.contract == contract]
        also = [PAPER] if contract == ON_PAPER else []
        found += [Move(contract, *pair) for pair in permutations([*names, *also], 2)]
    return found


def real_moves() -> list[Move]:
    """Return those between engines on disk."""
    return [move for move in moves() if PAPER not in (move.source, move.target)]


def served(move: Move, judge: Judge) -> World:
    """Return a cluster in which the move's source serves a claim, with an environment that its target can use too."""
    world = _on_paper(move, judge) if move.source == PAPER else _of_a_scenario(move)
    if move.target != PAPER and world.environment:
        other = catalogue.one(catalogue.Engine(move.contract, move.target).environment)
        world.environment["data"] = {**other["data"], **world.environment["data"]}
    return world


def slot(world: World) -> str:
    """Return the slot that serves the claim."""
    return str(world.claim["status"]["slot"])


def composed_in(world: World, name: str) -> set[str]:
    """Return the composed names that belong to the slot *name*."""
    return {one for one in world.composed() if str(Slot.of_resource(one)) == name}


def ask_for(world: World, engine: str, *retired: str) -> None:
    """Have a person ask for *engine*, and give up the slots *retired*.

    Raises:
        AssertionError: the API server would refuse it.
    """
    names = {one["metadata"]["labels"][ENGINE_LABEL]: one["metadata"]["name"] for one in world.compositions}
    spec: Manifest = {**LENIENT, "crossplane": {"compositionRef": {"name": names[engine]}}}
    if retired:
        spec["migration"] = {"retiredSlots": [*retired]}
    refused = scenarios.edit(world, {"claim": {"spec": spec}}, "the claim")
    if refused:
        raise AssertionError(refused)


def reconcile(world: World, judge: Judge) -> tuple[Outcome, Ran]:
    """Reconcile once, both ways, and apply what is said."""
    world.turn += 1
    outcome, ran = judge.agreed(scenarios.ask(world))
    scenarios.apply(world, outcome)
    return outcome, ran


def report_back(world: World) -> None:
    """Have every provider report that what was asked of it is so."""
    for one in world.objects.values():
        reported, asked = at(one, "status", "atProvider"), at(one, "spec", "forProvider")
        if isinstance(reported, dict) and isinstance(asked, dict):
            reported |= {field: deepcopy(value) for field, value in asked.items() if field in reported}


def _of_a_scenario(move: Move) -> World:
    """Return what the first scenario turn of the source leaves, after which its claim is ready and settled."""
    engine = catalogue.Engine(move.contract, move.source)
    turn = next(turn for turn in _turns(engine) if turn.outcome and _stands(turn.outcome))
    assert turn.asked is not None
    assert turn.outcome is not None
    around = [one for one in turn.asked.required if one["kind"] != "EnvironmentConfig"]
    objects = deepcopy([*turn.after.values(), *around])
    world = World(
        engine,
        Admission(installed.apis()),
        deepcopy(turn.outcome.xr),
        deepcopy(catalogue.one(engine.environment)),
        objects={scenarios.key(one): one for one in objects},
        applied=deepcopy(dict(turn.outcome.resources)),
        known=True,
    )
    world.compositions.append(paper(move.contract))
    return world


def _turns(engine: catalogue.Engine) -> Iterator[scenarios.Played]:
    for path in engine.cases:
        yield from scenarios.play(path)


def _stands(outcome: Outcome) -> bool:
    return {outcome.condition(kind)[0] for kind in ("Ready", "Settled", "Accepted")} == {"True"}


def _on_paper(move: Move, judge: Judge) -> World:
    engine = catalogue.Engine(move.contract, move.target)
    claim, environment = catalogue.one(engine.example), catalogue.one(engine.environment)
    claim["metadata"] |= {"uid": scenarios.UID, "generation": 1}
    claim["metadata"]["labels"] = {ENVIRONMENT_LABEL: environment["metadata"]["name"]}
    bound = merged(claim, {"spec": {"crossplane": {"compositionRef": {"name": f"xdatabase-{PAPER}"}}}})
    admission = Admission(installed.apis())
    world = World(engine, admission, admission.admit(Document("the claim", bound)), environment, known=True)
    world.compositions.append(paper(move.contract))
    reconcile(world, judge)
    (sheet,) = world.composed().values()
    sheet["status"] = {"written": True}
    reconcile(world, judge)
    outcome, _ = reconcile(world, judge)
    assert _stands(outcome), outcome.conditions
    return world


def paper(contract: str) -> Manifest:
    """Return a Composition for the made-up engine: that of another engine, with its name."""
    other = next(engine for engine in catalogue.engines() if engine.contract == contract)
    text: JSON = deepcopy(catalogue.one(other.composition))
    text["metadata"]["name"] = text["metadata"]["name"].replace(other.name, PAPER)
    text["metadata"]["labels"][ENGINE_LABEL] = PAPER
    (step,) = text["spec"]["pipeline"]
    step["input"]["engine"] = PAPER
    step.pop("requirements", None)
    made: Manifest = text
    return made
