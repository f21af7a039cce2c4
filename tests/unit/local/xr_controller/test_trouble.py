"""What disturbs a claim on the embedded plane: slow functions, other writers, kinds that go, and restarts."""

import asyncio
from pathlib import Path

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from composed_plane import CONFIG, NAME, SPACE, THING, World, composition, definition, played, revived, served, thing
from groundplane.core.manifest import Manifest, at
from groundplane.crossplane.pipeline import Call
from groundplane.local.apiserver.registry.deletion import Options
from groundplane.local.apiserver.storage.records import Change
from no_time import in_no_time
from plane_process import widget_definition
from scripted import Function, config, data, respond

ENVIRONMENT = ("apiextensions.crossplane.io/v1beta1", "EnvironmentConfig")

OBSERVING = "cannot compose resources: cannot get existing composed resources: cannot get composed resource"


def test_a_required_kind_that_appears_wakes_the_claim_that_failed_for_it(tmp_path: Path) -> None:
    def answer(_: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response: fnv1.RunFunctionResponse = respond({})
        selector = fnv1.ResourceSelector(api_version=THING[0], kind="XLate", match_name="x", namespace=SPACE)
        response.requirements.resources["it"].CopyFrom(selector)
        return response

    function = Function(answer)

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm(200)
        assert world.condition("Synced")[2] == (
            'cannot compose resources: cannot run Composition pipeline step "make": fetching resources for it:'
            f' cannot get required resource by name: no matches for kind "XLate" in version "{THING[0]}"'
        )
        late = definition()
        late["metadata"]["name"] = "xlates.test.example.org"
        late["spec"]["names"] = {"kind": "XLate", "plural": "xlates"}
        world.apply(late)
        await world.calm()
        assert world.condition("Synced")[0] == "True"

    played(tmp_path, scenario, function)


def test_functions_that_never_answer_are_given_up_after_two_minutes_and_hold_up_nobody_else(tmp_path: Path) -> None:
    quick = Function()

    async def ask(call: Call) -> fnv1.RunFunctionResponse:
        if data(call.request.observed.composite)["metadata"]["name"].startswith("slow"):
            await asyncio.Event().wait()
        return await quick(call)

    async def scenario(world: World) -> None:
        for number in range(20):
            world.apply(thing(f"slow-{number}", names=["a"]))
        await world.calm(10)
        world.apply(thing(names=["b"]))
        await world.calm()
        assert [*world.made] == ["b"]
        await world.calm(120)
        (synced,) = (one for one in world.get(THING, "slow-0")["status"]["conditions"] if one["type"] == "Synced")
        assert synced["message"] == (
            'cannot compose resources: cannot run Composition pipeline step "make": cannot run function "maker": no'
            " answer within 120 s"
        )

    played(tmp_path, scenario, ask)


def test_a_claim_that_cannot_write_its_status_is_still_woken_by_what_it_composed(tmp_path: Path) -> None:
    function = Function(lambda _: respond({"a": config(word="mine")}, invented="word"))

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm(50)
        assert world.condition("Synced")[0] == "False"
        name = world.made["a"]["metadata"]["name"]
        world.change(CONFIG, name, lambda live: live["data"].update(word="yours"))
        await world.calm()
        assert world.made["a"]["data"]["word"] == "mine"

    played(tmp_path, scenario, function)


def test_a_claim_is_never_reconciled_twice_at_a_time_and_sees_what_changed_meanwhile(tmp_path: Path) -> None:
    running, most = 0, 0
    inner = Function()

    async def ask(call: Call) -> fnv1.RunFunctionResponse:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(5)
        running -= 1
        return await inner(call)

    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"]))
        for second in range(4):
            await asyncio.sleep(second)
            world.change(THING, NAME, lambda live: live["spec"].update(word="last"))
        await world.calm(100)
        assert most == 1
        assert at(world.made["a"], "data", "word") == "last"

    played(tmp_path, scenario, ask)


def test_two_who_write_against_each_other_are_slowed_down_and_the_claim_says_who(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"], word="mine"))
        await world.calm()
        name = world.made["a"]["metadata"]["name"]
        fights = 0

        def other() -> None:
            nonlocal fights
            if fights and at(world.made["a"], "data", "word") == "mine":
                fights += 1
                world.change(CONFIG, name, lambda live: live["data"].update(word="yours"))

        fights = 1

        def soon(_: Change) -> None:
            asyncio.get_running_loop().call_soon(other)

        world.api.subscribe(soon)
        world.change(CONFIG, name, lambda live: live["data"].update(word="yours"))
        await asyncio.sleep(200)
        assert 20 < fights < 60  # the burst, and then one each half minute
        assert world.condition("Responsive") == (
            "False",
            "WatchCircuitOpen",
            f"Too many watch events from ConfigMap/{name} (default). Allowing events periodically.",
        )
        fights = 0
        await asyncio.sleep(400)
        assert world.condition("Responsive")[0] == "True"
        assert world.made["a"]["data"]["word"] == "mine"

    played(tmp_path, scenario, function)


def test_a_claim_whose_kind_goes_is_let_go_of_and_served_again_when_the_kind_comes_back(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a")
        crd = world.api.request("apiextensions.k8s.io/v1", "CustomResourceDefinition").resource
        world.api.delete(crd, "", "xthings.test.example.org", Options())
        await world.calm()
        assert not world.made
        world.apply(definition(defaultCompositionRef={"name": "only"}))
        await world.calm()
        world.apply(thing(names=["b"]))
        await world.calm()
        assert [*world.made] == ["b"]

    played(tmp_path, scenario)


def test_a_composed_kind_that_goes_stops_the_claim_with_words_and_its_return_heals_it(tmp_path: Path) -> None:
    made: Manifest = {"apiVersion": "example.dev/v1", "kind": "Widget", "spec": {"color": "red"}}

    async def scenario(world: World) -> None:
        world.apply(widget_definition())
        world.apply(thing())
        await world.calm()
        assert world.condition("Synced")[0] == "True"
        resource = world.api.request("apiextensions.k8s.io/v1", "CustomResourceDefinition").resource
        world.api.delete(resource, "", "widgets.example.dev", Options())
        await world.calm(5)
        assert world.condition("Synced") == (
            "False",
            "ReconcileError",
            f'{OBSERVING}: no matches for kind "Widget" in version "example.dev/v1"',
        )
        world.apply(widget_definition())
        await world.calm()
        assert world.condition("Synced")[0] == "True"

    played(tmp_path, scenario, Function(lambda _: respond({"a": made})))


def test_a_plane_that_is_started_again_finds_every_claim_and_hears_nothing_once_it_ended(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        await served(world, "a")

    async def again(world: World) -> None:
        async with world.serving(function):
            await world.calm()
            name = world.made["a"]["metadata"]["name"]
            world.change(CONFIG, name, lambda live: live["data"].update(word="changed"))
            await world.calm()
            assert world.made["a"]["data"]["word"] == ""
        calls = len(function.calls)
        world.change(CONFIG, name, lambda live: live["data"].update(word="changed"))
        await world.calm(100)
        assert len(function.calls) == calls

    played(tmp_path, scenario, function)
    revived(tmp_path, again)


def test_a_bug_in_the_reconciler_is_told_in_the_claim_without_what_it_quotes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask(_: Call) -> fnv1.RunFunctionResponse:
        raise KeyError("the password")

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm(10)
        assert world.condition("Synced") == (
            "False",
            "ReconcileError",
            "cannot reconcile: KeyError; this is a bug of Groundplane",
        )
        assert "KeyError in ask" in caplog.text
        assert "the password" not in caplog.text

    played(tmp_path, scenario, ask)


def test_a_plane_can_be_written_to_when_nobody_reconciles_any_more(tmp_path: Path) -> None:
    worlds: list[World] = []

    async def work() -> None:
        worlds.append(World(tmp_path / "plane.sqlite"))
        async with worlds[0].serving(Function()):
            worlds[0].apply(definition())
            await worlds[0].calm()

    in_no_time(work)
    assert worlds[0].apply(composition())
    worlds[0].api.store.close()
