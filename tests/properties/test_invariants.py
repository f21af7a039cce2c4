"""What holds of every engine, whatever is asked and whatever is observed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import answering
import catalogue
import contract_table
import rendered_claims
import scenarios
from answering import BINDING, answer, claim_of, names, observed, signature
from catalogue import Manifest
from groundplane import contracts, engines
from groundplane.contracts.common import Tier
from groundplane.contracts.environment import Waiver
from groundplane.contracts.tiers import PRESETS
from groundplane.core.answer import Answer
from groundplane.core.capability import AtLeast, AtMost, Capability, OneOf
from groundplane.core.condition import Type
from groundplane.core.manifest import at
from groundplane.core.refusal import Reason
from groundplane.core.slot import Slot
from strategies import JUNK, LATER, SPECS, paths, replaced

every_engine = pytest.mark.parametrize("engine", catalogue.engines(), ids=str)
quick = settings(max_examples=30)


def specs(engine: catalogue.Engine) -> st.SearchStrategy[Manifest]:
    """Return claims to try; where the engine offers few versions, most ask for one of them."""
    offered = engines.load(engine.contract, engine.name).capabilities["version"]
    assert isinstance(offered, OneOf)
    wanted = st.sampled_from(sorted(offered.given))
    return st.builds(
        lambda spec, version, strange: spec if strange else {**spec, "version": version},
        SPECS[engine.contract],
        wanted,
        st.integers(0, 4).map(lambda number: number == 0),
    )


def subset(data: st.DataObject, found: dict[str, Manifest]) -> dict[str, Manifest]:
    kept = data.draw(st.sets(st.sampled_from(sorted(found)))) if found else set()
    return {name: found[name] for name in sorted(kept)}


@every_engine
@quick
@given(data=st.data())
def test_rendering_is_a_function(engine: catalogue.Engine, data: st.DataObject) -> None:
    claim = claim_of(engine, data.draw(specs(engine)))
    once = answer(engine, claim)
    assert signature(once) == signature(answer(engine, claim))
    seen = subset(data, observed(once))
    assert signature(answer(engine, claim, seen)) == signature(answer(engine, claim, dict(reversed(seen.items()))))


@every_engine
@quick
@given(data=st.data())
def test_the_same_names_are_composed_whatever_is_observed(engine: catalogue.Engine, data: st.DataObject) -> None:
    claim = claim_of(engine, data.draw(specs(engine)))
    first = answer(engine, claim)
    again = answer(engine, claim, subset(data, observed(first)))
    if again.refusal is None:
        assert names(again) == names(first)
    elif first.refusal is None:
        assert (again.fatal, again.refusal[0]) == (True, Reason.WOULD_LOSE_DATA)  # a password is gone with its Secret


@every_engine
@quick
@given(data=st.data())
def test_only_own_names_and_nothing_of_status_is_composed(engine: catalogue.Engine, data: st.DataObject) -> None:
    found = answer(engine, claim_of(engine, data.draw(specs(engine))))
    claim = catalogue.one(engine.example)["metadata"]
    stem = contracts.load(engine.contract).stem
    for name, desired in found.resources.items():
        slot = Slot.of_resource(name)
        assert slot == Slot(engine.name, 1)
        manifest = desired.manifest
        assert "status" not in manifest
        assert f"{manifest['metadata']['name']}-".startswith(f"{claim['name']}-{stem}-1-")
        assert manifest["metadata"].get("namespace") in {None, claim["namespace"]}
        assert manifest["metadata"]["labels"]["groundplane.dev/claim"] == f"{stem}.{claim['name']}"
        assert manifest["metadata"]["annotations"]["groundplane.dev/claim-uid"] == answering.UID
        assert [path for path in paths(manifest) if at_path(manifest, path) is None] == []


def at_path(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def unmet(engine: catalogue.Engine, spec: Manifest) -> list[str]:
    """Return the demands of *spec* and its tier's preset that *engine* cannot keep."""
    loaded = engines.load(engine.contract, engine.name)
    knobs = loaded.knobs.model_validate(catalogue.one(engine.environment)["data"])
    preset = PRESETS[engine.contract][Tier(spec["tier"])]
    waived = catalogue.one(engine.environment)["data"].get("waivers", [])
    asked = {
        "deletionPolicy": preset.deletion_policy,
        "objectives.failureTolerance": preset.failure_tolerance,
        "objectives.rpoSeconds": preset.rpo_seconds,
        "backup.retentionDays": preset.retention_days,
    }
    if Waiver.FAILURE_TOLERANCE in waived:  # the tier's; what the claim writes itself is held or refused
        del asked["objectives.failureTolerance"]
    for path in paths(spec):
        dotted = ".".join(map(str, path))
        asked[dotted] = at_path(spec, path)
    capabilities = {**loaded.capabilities, **knobs.capabilities()}
    return [
        path
        for path, value in asked.items()
        if value is not None and path in capabilities and not kept(capabilities[path], value)
    ]


def kept(capability: Capability, value: Any) -> bool:
    """Whether *capability* covers *value*, by what it says of itself."""
    if isinstance(capability, AtLeast | AtMost):
        limit = capability.least if isinstance(capability, AtLeast) else capability.most
        return bool(value >= limit if isinstance(capability, AtLeast) else value <= limit)
    return isinstance(capability, OneOf) and value in capability.given


@every_engine
@settings(max_examples=100)
@given(data=st.data())
def test_a_demand_that_cannot_be_met_is_refused_and_all_others_render(
    engine: catalogue.Engine, data: st.DataObject
) -> None:
    spec = data.draw(specs(engine))
    found, impossible = answer(engine, claim_of(engine, spec)), unmet(engine, spec)
    if not impossible:
        assert found.refusal is None
        assert found.resources
    else:
        assert found.refusal is not None
        assert found.refusal[0] is Reason.NOT_OFFERED
        assert any(path in found.refusal[1] for path in impossible)
        assert (found.resources, found.fatal) == ({}, False)


@every_engine
@settings(max_examples=60)
@given(data=st.data())
def test_what_exists_never_vanishes_and_never_changes_kind_or_name(
    engine: catalogue.Engine, data: st.DataObject
) -> None:
    before = data.draw(specs(engine).filter(lambda spec: not unmet(engine, spec)))
    after = LATER[engine.contract](before, data.draw(specs(engine)))
    there = observed(answer(engine, claim_of(engine, before)))
    found = answer(engine, claim_of(engine, after), there)
    if found.refusal is not None:
        # For a reason of the claim's own; never because what is rendered would lose something.
        assert (found.fatal, found.refusal[0]) in {(True, Reason.NOT_OFFERED), (True, Reason.UNSAFE_CHANGE)}
        return
    identity = {name: _identity(manifest) for name, manifest in there.items()}
    assert identity.items() <= {name: _identity(one.manifest) for name, one in found.resources.items()}.items()


def _identity(manifest: Manifest) -> tuple[str, str, str]:
    return manifest["apiVersion"].rpartition("/")[0], manifest["kind"], manifest["metadata"]["name"]


@every_engine
def test_a_demand_at_the_very_limit_is_kept(engine: catalogue.Engine) -> None:
    loaded = engines.load(engine.contract, engine.name)
    knobs = loaded.knobs.model_validate(catalogue.one(engine.environment)["data"])
    example = catalogue.one(engine.example)["spec"]
    for path, capability in {**loaded.capabilities, **knobs.capabilities()}.items():
        for value in _limits(capability) if path != "restore.from" else ():
            spec = scenarios.merged(example, rendered_claims.at_path(path.split("."), value))
            found = answer(engine, claim_of(engine, spec))
            assert found.refusal is None, (path, value, found.refusal)


def _limits(capability: Capability) -> list[Any]:
    if isinstance(capability, OneOf):
        return list(capability.given)
    if isinstance(capability, AtLeast):
        return [capability.least]
    return [capability.most] if isinstance(capability, AtMost) else []


def complete(found: Answer) -> bool:
    return set(found.conditions) == set(Type) and all(verdict.reason for verdict in found.conditions.values())


@every_engine
@quick
@given(data=st.data())
def test_an_answer_always_carries_the_five_conditions(engine: catalogue.Engine, data: st.DataObject) -> None:
    claim = claim_of(engine, data.draw(specs(engine)))
    first = answer(engine, claim)
    assert complete(first)
    assert complete(answer(engine, claim, subset(data, observed(first))))
    assert complete(answer(engine, {**claim, "status": {"engine": engine.name, "slot": f"{engine.name}-1"}}))


def worlds(engine: catalogue.Engine) -> list[dict[str, Manifest]]:
    """Return what was observed in the turns of the engine's first scenario, else what its example composes at once."""
    played = [turn.before for path in engine.cases[:1] for turn in scenarios.play(path) if turn.before]
    return played or [observed(answer(engine, claim_of(engine)))]


@every_engine
@settings(max_examples=60)
@given(data=st.data())
def test_junk_in_one_field_of_an_observed_object_raises_nothing(engine: catalogue.Engine, data: st.DataObject) -> None:
    world = data.draw(st.sampled_from(worlds(engine)))
    name = data.draw(st.sampled_from(sorted(world)))
    path = data.draw(st.sampled_from(list(paths(world[name]))))
    broken = {**world, name: replaced(world[name], path, data.draw(JUNK))}
    assert complete(answer(engine, claim_of(engine), broken))


@every_engine
def test_a_value_of_the_wrong_kind_in_any_observed_field_raises_nothing(engine: catalogue.Engine) -> None:
    claim, world = claim_of(engine), worlds(engine)[-1]
    for name, manifest in world.items():
        for path in paths(manifest):
            right = at_path(manifest, path)
            for wrong in ("junk", 3, [None], {"a": 1}):
                if path[0] != "metadata" and not isinstance(wrong, type(right)):
                    broken = {**world, name: replaced(manifest, path, wrong)}
                    assert complete(answer(engine, claim, broken)), (name, path, wrong)


@every_engine
@quick
@given(data=st.data())
def test_junk_in_place_of_whole_objects_raises_nothing(engine: catalogue.Engine, data: st.DataObject) -> None:
    first = answer(engine, claim_of(engine))
    composed = {name: data.draw(JUNK) for name in subset(data, observed(first))}
    wanted = sorted(first.requirements.objects)
    required = {name: data.draw(JUNK) for name in data.draw(st.sets(st.sampled_from(wanted)))}
    status = data.draw(st.dictionaries(st.sampled_from(["engine", "slot", "conditions"]), JUNK))
    assert complete(answer(engine, claim_of(engine, status=status), composed, junk=required))


@every_engine
def test_a_binding_has_exactly_the_entries_of_the_contract(engine: catalogue.Engine) -> None:
    found = [turn.after[BINDING] for path in engine.cases for turn in scenarios.play(path) if BINDING in turn.after]
    assert found or not engine.cases
    for binding in found:
        _, _, kind = binding["type"].partition("servicebinding.io/")
        assert set(binding["data"]) == contract_table.BINDING_KEYS[kind]
        assert at(binding, "metadata", "name").endswith(f"-{contracts.load(engine.contract).stem}-binding")
        assert json.dumps(binding["data"]).count('""') == 0
