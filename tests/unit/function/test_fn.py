"""The edge: what goes in is read where it lies, what comes out is whole, and whatever fails changes nothing."""

import asyncio
import json
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import json_format, struct_pb2

from groundplane.function import fn, structs
from groundplane.function.fn import FunctionRunner, make_password
from made_up import CONDITIONS, NOW, Manifest
from outcomes import plain, read
from worlds import CAPABILITIES, World, fresh, half_ready, ready

SECRET = "hunter2-is-a-secret"


def request_of(world: World) -> fnv1.RunFunctionRequest:
    """Return the last request of a reconcile, in which everything is told."""
    return world.request(world.ask().asked)


def respond(request: fnv1.RunFunctionRequest, **settings: Any) -> fnv1.RunFunctionResponse:
    runner = FunctionRunner(clock=lambda: NOW, make_password=lambda: "made", **settings)
    return asyncio.run(runner.RunFunction(request, None))


def struct(data: Manifest) -> struct_pb2.Struct:
    return json_format.ParseDict(data, struct_pb2.Struct())


def failed(response: fnv1.RunFunctionResponse) -> str:
    """Return what a FATAL response says, which changes nothing and holds all conditions."""
    outcome = read(response)
    assert outcome.fatal
    assert set(outcome.conditions) == {*CONDITIONS}
    assert not outcome.resources
    assert outcome.ttl == 0
    assert SECRET not in str(response)
    return outcome.message


def test_the_tag_comes_back() -> None:
    assert respond(request_of(fresh())).meta.tag == "a-tag"


@pytest.mark.parametrize("make", [fresh, ready])
@pytest.mark.parametrize("version", ["17", "14"])
def test_what_other_steps_desire_and_the_context_pass_through(make: Any, version: str) -> None:
    world = make()
    world.claim["spec"]["version"] = version
    request = request_of(world)
    request.desired.resources["notes"].resource.update({"kind": "ConfigMap", "n": 1})
    request.desired.resources["notes"].ready = fnv1.READY_TRUE
    request.context.fields["apiextensions.crossplane.io/environment"].string_value = "kept"
    response = respond(request)
    assert response.desired.resources["notes"] == request.desired.resources["notes"]
    assert response.context.fields["apiextensions.crossplane.io/environment"].string_value == "kept"


@pytest.mark.parametrize("make", [fresh, half_ready, ready])
def test_of_the_claim_itself_only_the_status_is_written(make: Any) -> None:
    response = respond(request_of(make()))
    assert set(response.desired.composite.resource.fields) == {"status"}
    assert "conditions" not in response.desired.composite.resource.fields["status"].struct_value.fields


def test_reading_a_request_changes_nothing_in_it() -> None:
    request = request_of(ready())
    before = request.SerializeToString(deterministic=True)
    respond(request)
    assert request.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize(
    "value", [0, 1, -3, 2**40, 1.5, True, False, "", "1", None, [], {}, [1, [2.0]], {"a": {"b": 1}}], ids=repr
)
def test_a_value_is_read_as_it_was_written_and_whole_numbers_are_integers(value: Any) -> None:
    found = structs.observed(struct({"a": {"b": value}})).at("a", "b")
    assert json.dumps(found) == json.dumps(value).replace("2.0", "2")


@pytest.mark.parametrize("path", [("x",), ("a", "x"), ("a", "b", "c"), ("a", "b", "c", "d"), ("l", "0"), ()])
def test_a_missing_step_is_none_and_is_not_made(path: tuple[str, ...]) -> None:
    data = struct({"a": {"b": 1}, "l": [1]})
    before = data.SerializeToString()
    assert structs.observed(data).at(*path) is None
    assert data.SerializeToString() == before


def test_none_is_left_out_and_never_sent() -> None:
    filled = struct_pb2.Struct()
    structs.fill(filled, {"a": None, "b": {"c": None, "d": 1}, "e": [], "f": {}})
    assert plain(filled) == {"b": {"d": 1}, "e": [], "f": {}}
    for make in (fresh, half_ready, ready):
        assert "null_value" not in str(respond(request_of(make())))


def test_what_is_not_json_is_refused_by_its_type_and_not_by_its_value() -> None:
    with pytest.raises(TypeError, match="bytes is not JSON") as caught:
        structs.fill(struct_pb2.Struct(), {"a": [SECRET.encode()]})
    assert SECRET not in str(caught.value)


def test_the_time_to_the_next_call_is_the_answers_own() -> None:
    wrong = ready()
    wrong.claim["spec"]["version"] = "14"
    for world, seconds in ((half_ready(), 30), (ready(), 300), (wrong, 0)):
        assert respond(request_of(world)).meta.ttl.seconds == seconds


def test_a_ttl_that_is_set_replaces_the_answers_own_but_never_caches_a_refusal() -> None:
    wrong = ready()
    wrong.claim["spec"]["version"] = "14"
    assert respond(request_of(ready()), ttl=7).meta.ttl.seconds == 7
    assert respond(request_of(wrong), ttl=7).meta.ttl.seconds == 0


def test_an_exception_becomes_fatal_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_turn: object) -> None:
        raise ValueError(SECRET)

    request = request_of(ready())
    monkeypatch.setattr(fn, "compose", broken)
    response = respond(request)
    message = failed(response)
    assert "ValueError" in message
    assert "changed nothing" in message
    outcome = read(response)
    assert outcome.says("Serving") == "True/Serving"
    assert outcome.says("Accepted") == "True/HonouredWithWaivers"


def test_an_answer_that_cannot_be_encoded_becomes_fatal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError(SECRET)

    request = request_of(ready())
    monkeypatch.setattr(fn, "encode", broken)
    assert "TypeError" in failed(respond(request))


@pytest.mark.parametrize("missing", CAPABILITIES, ids=fnv1.Capability.Name)
def test_an_old_crossplane_is_refused_with_what_it_cannot_do(missing: fnv1.Capability) -> None:
    request = request_of(ready())
    del request.meta.capabilities[:]
    request.meta.capabilities.extend(one for one in CAPABILITIES if one != missing)
    message = failed(respond(request))
    assert fn.NEEDED[missing] in message
    assert "2.2 or newer" in message


@pytest.mark.parametrize("kind", ["XQueue", "None", 5])
def test_a_kind_that_is_no_contract_is_refused(kind: Any) -> None:
    world = fresh()
    request = request_of(world)
    world.claim["kind"] = kind
    request.observed.composite.resource.Clear()
    json_format.ParseDict(world.claim, request.observed.composite.resource)
    assert f"{kind} is not a kind of groundplane.dev" in failed(respond(request))


def test_an_empty_request_is_answered() -> None:
    outcome = read(respond(fnv1.RunFunctionRequest()))
    assert outcome.fatal
    assert set(outcome.conditions) == {*CONDITIONS}


JUNK: list[Any] = [
    None,
    SECRET,
    5,
    [],
    [SECRET],
    {},
    {"conditions": SECRET},
    {"conditions": 5},
    {"conditions": [None, 5]},
]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("name", ["cluster", "database", "owner", "login-a", "store", "secret-a", "network"])
@pytest.mark.parametrize("section", ["status", "spec", "data"])
def test_observed_objects_of_any_shape_never_break_the_function(name: str, section: str, junk: Any) -> None:
    world = deepcopy(settled())
    asked = world.seeded
    world.of(f"cnpg-1-{name}")[section] = junk
    outcome = read(respond(world.request(asked)))
    assert not outcome.message.startswith("the function failed")
    assert SECRET not in outcome.message + str(outcome.status)


@cache
def settled() -> World:
    """Return a settled claim that is told everything at once; copy it before changing it."""
    world = ready()
    world.seeded = world.ask().asked
    return world


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_status_of_any_shape_never_breaks_the_function(junk: Any) -> None:
    for make in (fresh, ready):
        world = make()
        asked = world.ask().asked
        world.claim["status"] = junk
        assert not read(respond(world.request(asked))).message.startswith("the function failed")


@pytest.mark.parametrize("junk", [None, SECRET, 5, [], {}, {"name": 5}, {"labels": SECRET, "annotations": 5}], ids=repr)
@pytest.mark.parametrize("name", ["cluster", "secret-a", "owner"])
def test_metadata_of_any_shape_never_break_the_function(name: str, junk: Any) -> None:
    world = settled()
    request = world.request(world.seeded)
    observed = request.observed.resources[f"cnpg-1-{name}"].resource
    observed.fields["metadata"].Clear()
    json_format.ParseDict({"metadata": junk}, observed)
    response = respond(request)
    assert "the function failed" not in str(response.results)
    assert SECRET not in str([response.results, response.conditions, response.desired.composite])


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("name", ["environment", "grants", "cnpg-1-ca"])
def test_required_objects_of_any_shape_never_break_the_function(name: str, junk: Any) -> None:
    world = settled()
    request = world.request(world.seeded)
    for field in ("data", "status"):
        found = request.required_resources[name].items[0].resource
        found.fields[field].Clear()
        json_format.ParseDict({field: junk}, found)
    response = respond(request)
    assert "the function failed" not in str(response.results)
    assert SECRET not in str([response.results, response.conditions, response.desired.composite])


def test_a_footprint_is_told_in_the_context_and_never_with_a_refusal() -> None:
    context = plain(respond(request_of(fresh())).context)
    assert context[fn.FOOTPRINT] == {
        "instances": 2,
        "size": "1 CPU, 2Gi memory",
        "storage": "20Gi",
        "backup": "a base backup a day and the log, kept 7 days",
    }
    world = ready()
    world.claim["spec"]["version"] = "14"
    assert fn.FOOTPRINT not in plain(respond(request_of(world)).context)


def test_a_made_password_is_32_letters_and_digits_and_never_the_same() -> None:
    made = {make_password() for _ in range(200)}
    assert len(made) == 200
    assert {len(one) for one in made} == {32}
    assert all(one.isascii() and one.isalnum() for one in made)
