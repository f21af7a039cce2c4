"""Plays scenarios: a claim's life in turns, through the real function, as Crossplane would drive it.

`test_scenarios` says how a scenario is written.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import catalogue
from catalogue import Manifest
from groundplane.core.manifest import ENVIRONMENT_LABEL, JSON, at
from groundplane.crossplane.function_client import Function
from groundplane.crossplane.observed import RESOURCE_NAME, controller_of
from groundplane.function.fn import FunctionRunner
from groundplane.render import BadInputError, Outcome, installed, reconcile, serving
from groundplane.render.admission import Admission
from groundplane.render.environment_policy import admitted
from groundplane.render.files import Document

STATES = "states.yaml"  # beside the scenarios: what operators write, by name, shared by all of them
UID = "00000000-0000-4000-8000-0000000000aa"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Key = tuple[str, str]  # kind with its group, and name


@dataclass(frozen=True)
class Asked:
    """All that one reconcile was given, for another reconciler to be given the same."""

    claim: Manifest
    composition: Manifest
    observed: list[Manifest]
    required: list[Manifest]
    absent: list[str]
    now: datetime
    password: str  # what the function is handed when it makes one


@dataclass(frozen=True)
class Played:
    """One turn as it went."""

    written: Manifest
    rejected: str  # why the API server would not take the claim; empty when it did
    asked: Asked | None
    outcome: Outcome | None
    before: dict[str, Manifest]  # what the claim had composed, by composed name
    after: dict[str, Manifest]  # likewise, once everything was applied
    stored: tuple[tuple[Manifest, Manifest | None], ...]  # every object written, with the one it replaced


@dataclass
class World:
    """A cluster with one claim in it."""

    engine: catalogue.Engine
    admission: Admission
    claim: Manifest
    environment: Manifest | None
    now: datetime = NOON
    absent: list[str] = field(default_factory=list)
    objects: dict[Key, Manifest] = field(default_factory=dict)
    applied: dict[str, Manifest] = field(default_factory=dict)  # what we wrote last, by composed name
    turn: int = 0  # from 1
    known: bool = False  # whether the claim was stored once
    compositions: list[Manifest] = field(default_factory=lambda: [one.manifest for one in installed.compositions()])

    def composed(self) -> dict[str, Manifest]:
        """Return what Crossplane finds, by composed name: the claim refers to it, and nothing else controls it."""
        references = at(self.claim, "spec", "crossplane", "resourceRefs") or []
        found = (self.objects.get(_key(one["apiVersion"], one["kind"], one["name"])) for one in references)
        mine = (one for one in found if one and (controller_of(one) or {"uid": UID})["uid"] == UID)
        return {one["metadata"]["annotations"][RESOURCE_NAME]: one for one in mine}

    def put(self, manifest: Manifest) -> tuple[Manifest, Manifest | None]:
        """Store *manifest*; return it and what stood there."""
        old = self.objects.get(key(manifest))
        self.objects[key(manifest)] = manifest
        return manifest, old


@cache
def play(path: Path) -> tuple[Played, ...]:
    """Return every turn of the scenario in *path*."""
    script = catalogue.one(path)
    contract, name = path.parent.parent.name, path.parent.name
    world = _world(catalogue.Engine(contract, name), script)
    runner = FunctionRunner(clock=lambda: world.now, make_password=lambda: _password(world))
    with serving(runner) as function:
        return tuple(_turn(world, turn, path, function) for turn in script["turns"])


def _world(engine: catalogue.Engine, script: Manifest) -> World:
    claim = merged(catalogue.one(engine.example), script.get("claim"))
    claim["metadata"] |= {"uid": UID, "generation": 1}
    environment = merged(catalogue.one(engine.environment), script.get("environment"))
    claim["metadata"].setdefault("labels", {})[ENVIRONMENT_LABEL] = environment["metadata"]["name"]
    return World(engine, Admission(installed.apis()), claim, environment)


def _turn(world: World, turn: Manifest, path: Path, function: Function) -> Played:
    world.turn += 1
    stored = [*_surroundings(world, turn, path)]
    rejected = edit(world, turn, str(path))
    before = deepcopy(world.composed())
    if rejected:
        return Played(turn, rejected, None, None, before, before, tuple(stored))
    asked = ask(world)
    outcome = answer(asked, function)
    stored += apply(world, outcome)
    return Played(turn, "", asked, outcome, before, deepcopy(world.composed()), tuple(stored))


def _surroundings(world: World, turn: Manifest, path: Path) -> Iterator[tuple[Manifest, Manifest | None]]:
    """Change what is around the claim: the time, what is installed, what operators and people wrote."""
    if "now" in turn:
        world.now = datetime.fromisoformat(turn["now"])
    world.absent = turn.get("absent", world.absent)
    world.environment = _environment(world, turn)
    states = catalogue.one(path.parent / STATES)
    names = turn.get("state", [])
    for state in [*(states[name] for name in ([names] if isinstance(names, str) else names)), turn]:
        for given in state.get("required", []):
            yield world.put(merged({"metadata": {"namespace": world.claim["metadata"]["namespace"]}}, given))
        for name, change in state.get("operators", {}).items():
            yield world.put(merged(world.composed()[name], change))
    _lose(world, turn)


def _environment(world: World, turn: Manifest) -> Manifest | None:
    found = world.environment
    if "environment" in turn:
        change = turn["environment"]
        found = None if change is None else merged(found or catalogue.one(world.engine.environment), change)
    if found and "also" in turn:
        other = catalogue.one(catalogue.ENVIRONMENTS / f"{turn['also']}.yaml")["data"]
        found["data"] = {**other, **found["data"]}
    return found


def _lose(world: World, turn: Manifest) -> None:
    for identity in turn.get("removed", []):
        kind, _, name = identity.partition("/")
        world.objects = {it: one for it, one in world.objects.items() if (one["kind"], it[1]) != (kind, name)}
    if "owners" in turn.get("lost", []):
        orphaned = {"metadata": {"ownerReferences": None}}
        world.objects = {identity: merged(one, orphaned) for identity, one in world.objects.items()}
    if "references" in turn.get("lost", []):
        world.claim = merged(world.claim, {"spec": {"crossplane": {"resourceRefs": None}}})
    if "status" in turn.get("lost", []):
        world.claim = {key: value for key, value in world.claim.items() if key != "status"}


def edit(world: World, turn: Manifest, where: str) -> str:
    """Apply the turn's claim as a person would; return why the API server refuses it, or nothing."""
    wanted = merged(world.claim, turn.get("claim"))
    if wanted["spec"] != world.claim["spec"]:
        wanted["metadata"]["generation"] += 1
    old = Document(where, world.claim) if world.known else None
    try:
        stored = world.admission.admit(Document(where, wanted), old)
    except BadInputError as error:
        return str(error)
    if not world.known:
        composition = catalogue.one(world.engine.composition)
        environment = catalogue.one(world.engine.environment)
        name = environment["metadata"]["name"]
        stored = admitted(stored, {name: environment}, name, [composition], world.engine.contract)
    world.claim, world.known = stored, True
    return ""


def ask(world: World) -> Asked:
    """Return what a reconcile of *world* is given."""
    name = world.claim["spec"]["crossplane"]["compositionRef"]["name"]
    mine = world.composed().values()
    others = [one for one in world.objects.values() if one not in mine]
    environment = [world.environment] if world.environment else []
    return Asked(
        deepcopy(world.claim),
        next(one for one in world.compositions if one["metadata"]["name"] == name),
        deepcopy([*mine]),
        deepcopy([*others, *environment]),
        [*world.absent],
        world.now,
        _password(world),
    )


def answer(asked: Asked, function: Function) -> Outcome:
    """Return what becomes of *asked*, offline."""
    return reconcile(
        deepcopy(asked.claim),
        asked.composition,
        deepcopy(asked.observed),
        deepcopy(asked.required),
        absent=asked.absent,
        function=function,
    )


def _password(world: World) -> str:
    return f"made-in-turn-{world.turn}"


def apply(world: World, outcome: Outcome) -> list[tuple[Manifest, Manifest | None]]:
    """Store what the outcome applies, as server-side apply does: what others wrote stays, what we dropped goes.

    Return every object written, with the one it replaced.
    """
    stored = []
    # After a fatal result Crossplane writes the status alone.
    world.claim = {**world.claim, "status": outcome.xr["status"]} if outcome.fatal else outcome.xr
    for name, wanted in outcome.resources.items():
        live = world.objects.get(key(wanted))
        made = wanted if live is None else _over(live, world.applied.get(name, {}), wanted)
        made = {**made, "metadata": {"uid": f"uid-of-{name}", **made["metadata"]}}
        world.applied[name] = deepcopy(wanted)
        stored.append(world.put(deepcopy(made)))
    for gone in outcome.deleted:
        del world.objects[_key(gone.api_version, gone.kind, gone.name)]
    return stored


def _over(live: JSON, owned: JSON, wanted: JSON) -> JSON:
    if not (isinstance(live, dict) and isinstance(wanted, dict)):
        return wanted
    owned = owned if isinstance(owned, dict) else {}
    kept = {name: value for name, value in live.items() if name in wanted or name not in owned}
    return kept | {name: _over(live.get(name), owned.get(name), value) for name, value in wanted.items()}


def key(manifest: Manifest) -> Key:
    """Return what tells objects of one namespace apart."""
    return _key(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])


def _key(api_version: str, kind: str, name: str) -> Key:
    return f"{kind}.{api_version.rpartition('/')[0]}", name


def merged(value: JSON, patch: JSON) -> JSON:
    """Return *value* with the JSON merge patch *patch*: null removes, lists are replaced."""
    if patch is None:
        return deepcopy(value)
    if not isinstance(patch, dict):
        return deepcopy(patch)
    out = deepcopy(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            out.pop(name, None)
        else:
            out[name] = merged(out.get(name), change)
    return out


def scenarios() -> list[Path]:
    """Return every scenario of every engine."""
    return [path for engine in catalogue.engines() for path in engine.cases]


def title(path: Path) -> str:
    """Return the engine and the scenario's own name."""
    return f"{path.parent.name}-{path.stem}"


def condition(outcome: Outcome, kind: str) -> str:
    """Return ``status reason`` of a condition of the claim after *outcome*."""
    status, reason, _ = outcome.condition(kind)
    return f"{status} {reason}"
