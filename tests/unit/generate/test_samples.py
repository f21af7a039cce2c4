"""The sample environments: whoever fills in what is marked has an environment that works."""

import re

import pytest
import yaml

import catalogue
from groundplane import contracts, engines
from groundplane.contracts.environment import Environment, read
from groundplane.core.refusal import Refusal
from groundplane.generate import environment_samples, settings

every_engine = pytest.mark.parametrize("engine", catalogue.engines(), ids=str)


def text_of(engine: catalogue.Engine) -> str:
    return environment_samples.sample(contracts.load(engine.contract), engines.load(engine.contract, engine.name))


@every_engine
def test_a_sample_as_it_stands_holds_what_is_required_and_nothing_else(engine: catalogue.Engine) -> None:
    data = yaml.safe_load(text_of(engine))["data"]
    assert data.pop("engines") == {engine.contract: engine.name}
    listed = list(settings.of(engines.load(engine.contract, engine.name).knobs))
    required = {knob.path for knob in listed if knob.required}
    needed = {path for path in required if all(path[:depth] in required for depth in range(1, len(path)))}
    assert paths(data) == needed


@every_engine
def test_a_sample_with_every_comment_taken_away_names_every_knob(engine: catalogue.Engine) -> None:
    opened = re.sub(r"(?m)^( +)# (?=[A-Za-z]+:)", r"\1", text_of(engine))
    data = yaml.safe_load(opened)["data"]
    wanted = {
        knob.path
        for model in (Environment, engines.load(engine.contract, engine.name).knobs)
        for knob in settings.of(model)
    }
    assert wanted - {("engines",)} == paths({key: value for key, value in data.items() if key != "engines"})


@every_engine
def test_an_unfilled_sample_is_refused_where_a_form_is_asked_and_says_what_is_wrong(engine: catalogue.Engine) -> None:
    model = engines.load(engine.contract, engine.name).knobs
    if not [*settings.of(model)]:
        assert read(model, "e", {}) == model()  # it asks for nothing
        return
    with pytest.raises(Refusal, match=r"environment e: .* Ask the platform team to set it in EnvironmentConfig e"):
        read(model, "e", {knob.path[0]: {} for knob in settings.of(model)} | {"backup": {}, "aws": {}})


def paths(value: object, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return the path of every knob in *value*; placeholders of maps are values, not knobs."""
    if not isinstance(value, dict) or "<key>" in value:
        return set()
    return {(*above, key) for key in value} | {
        found for key, inner in value.items() for found in paths(inner, (*above, key))
    }
