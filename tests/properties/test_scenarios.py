"""Scenarios: what a claim lives through, turn by turn.

One file is one story: ``cases/<contract>/<engine>/NN-given-<what>.yaml``.

- ``claim``, ``environment``: merge patches over the engine's own example and environment.
- ``turns``: one reconcile each. Before it happens, in this order:
  ``now`` (the time), ``absent`` (what is not installed, as for `groundplane render`),
  ``environment`` (merge patch; null takes it away), ``also`` (another example environment whose knobs are added),
  ``state`` (names in ``states.yaml`` beside the scenario, each with ``operators`` and ``required``),
  ``required`` (objects that are put there),
  ``operators`` (merge patches over composed objects, by composed name: what operators, providers and people write),
  ``removed`` (Kind/name of objects that go),
  ``lost`` (``owners``: all owner references; ``references``: the claim's, without which Crossplane observes nothing;
  ``status``: the claim's),
  ``claim`` (merge patch over the claim, as a person applies it).
- ``expect``, all of it optional:
  ``rejected`` (the API server refuses the claim; the words), ``refused`` (``answer`` or ``fatal``),
  ``message`` (parts of the refusal), ``conditions`` (type: "status reason"), ``ready`` (the claim's own),
  ``status`` (what must stand in it; null: must not), ``added`` (composed names that are new),
  ``deleted`` (those we delete), ``lost`` (those that others took away and we refuse to make anew),
  ``objects`` (what must stand in a composed object), ``binding`` (entries that must stand in it),
  ``waiting`` (composed names that are not ready).

The names composed at first stand in ``states.yaml`` under ``resources``; afterwards only ``added``, ``deleted`` and
``lost`` change them. A password is called after the turn it was made in, such as ``made-in-turn-1``.

Whatever a scenario says, it holds of every turn: nothing is deleted but what ``deleted`` names, nothing leaks, every
condition of the contract is there, a fatal refusal changes nothing, and API servers take every object.
"""

import base64
from pathlib import Path

import pytest

import catalogue
import scenarios
from groundplane.core.condition import Type
from groundplane.core.manifest import JSON, Kind, Manifest
from groundplane.crossplane.outcome import Outcome
from scenarios import Played
from upstream import builtin_registry, upstream_registry

every_scenario = pytest.mark.parametrize("path", scenarios.scenarios(), ids=scenarios.title)
KNOWN = {
    *("title", "now", "absent", "environment", "also", "state", "required", "operators", "removed", "lost", "claim"),
    "expect",
}
EXPECTED = {
    *("rejected", "refused", "message", "conditions", "ready", "status", "added", "deleted", "objects", "binding"),
    *("waiting", "lost"),
}


@every_scenario
def test_a_scenario_goes_as_it_says(path: Path) -> None:
    names: set[str] = set()
    first = set(catalogue.one(path.parent / scenarios.STATES)["resources"])
    for number, turn in enumerate(scenarios.play(path), start=1):
        where = f"turn {number} ({turn.written['title']})"
        expect = turn.written.get("expect", {})
        assert turn.written.keys() <= KNOWN, where
        assert expect.keys() <= EXPECTED, where
        if turn.outcome is None or "rejected" in expect:
            assert expect.get("rejected", "(nothing)") in (turn.rejected or "(the API server took it)"), where
            continue
        if not turn.outcome.refused:
            names = ((names or first) | set(expect.get("added", []))) - set(expect.get("deleted", []))
        names -= set(expect.get("lost", []))
        _check(turn, turn.outcome, expect, names, where)


def _check(turn: Played, outcome: Outcome, expect: Manifest, names: set[str], where: str) -> None:
    assert not outcome.broken, where
    _, _, message = outcome.condition("Accepted")
    refused = ("fatal" if outcome.fatal else "answer") if outcome.refused else None
    assert (refused, message if refused else "") == (expect.get("refused"), message if refused else ""), where
    for part in expect.get("message", []):
        assert part in message, where
    found = {kind: scenarios.condition(outcome, kind) for kind in expect.get("conditions", {})}
    assert found == expect.get("conditions", {}), (where, outcome.conditions)
    if "ready" in expect:
        assert outcome.condition("Ready")[0] == str(expect["ready"]), where
    assert [gone.resource_name for gone in outcome.deleted] == sorted(expect.get("deleted", [])), where
    assert (outcome.leaked, outcome.forgotten) == ((), ()), where
    assert sorted(turn.after) == sorted(names), where
    _contains(outcome.xr.get("status", {}), expect.get("status", {}), f"{where}: status")
    for name, part in expect.get("objects", {}).items():
        _contains(turn.after.get(name), part, f"{where}: {name}")
    if "binding" in expect:
        entries = {key: base64.b64decode(value).decode() for key, value in turn.after["binding"]["data"].items()}
        _contains(entries, expect["binding"], f"{where}: binding")
    if "waiting" in expect:
        assert sorted(outcome.resources.keys() - outcome.ready) == sorted(expect["waiting"]), where


def _contains(found: JSON, part: JSON, where: str) -> None:
    """Assert that *part* stands in *found*; null in *part* means that nothing does."""
    if isinstance(part, dict):
        assert isinstance(found, dict), f"{where} is {found!r}"
        for key, value in part.items():
            _contains(found.get(key), value, f"{where}.{key}")
    else:
        assert found == part, where


@every_scenario
def test_every_answer_carries_every_condition(path: Path) -> None:
    for turn in scenarios.play(path):
        if turn.outcome is not None:
            assert turn.outcome.conditions.keys() >= set(Type)


@every_scenario
def test_a_fatal_refusal_changes_nothing(path: Path) -> None:
    for turn in scenarios.play(path):
        if turn.outcome is not None and turn.outcome.fatal:
            assert turn.outcome.resources == {}
            assert turn.before == turn.after


@every_scenario
def test_an_upstream_api_server_takes_every_object_of_every_turn(path: Path) -> None:
    registries = (upstream_registry(), builtin_registry())
    for number, turn in enumerate(scenarios.play(path), start=1):
        for written, old in turn.stored:
            kind = Kind(written["apiVersion"], written["kind"], "")
            if kind.group == "groundplane.dev":
                continue  # the claim a restore copies; test_generated looks at claims
            schema = next((found for one in registries if (found := one.find(kind.api_version, kind.kind))), None)
            assert schema is not None, f"turn {number}: no schema for {kind.kind} of {kind.api_version}"
            wrong = schema.validate(schema.default(written), old and schema.default(old))
            assert [str(one) for one in wrong] == [], f"turn {number}: {kind.kind} {written['metadata']['name']}"


@pytest.mark.parametrize("engine", catalogue.engines(), ids=str)
def test_a_scenario_is_named_by_number_and_what_is_given(engine: catalogue.Engine) -> None:
    numbers = [int(path.name.partition("-given-")[0]) for path in engine.cases]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_engine_shown_here_tells_its_states() -> None:
    told = [engine for engine in catalogue.engines() if engine.cases]
    assert told
    assert [engine for engine in told if not (engine.cases[0].parent / scenarios.STATES).is_file()] == []
