"""What a claim on the embedded plane says of itself, and what its function is told."""

from pathlib import Path
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from composed_plane import CONFIG, NAME, SPACE, THING, World, played, served, thing
from scripted import Function, conditioned, config, data, fatal, makes_names, respond


def test_after_a_fatal_result_nothing_is_deleted_nothing_applied_and_ready_stays(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        function.answer = lambda request: conditioned(makes_names(request), "Fine")
        await served(world, "a")
        before = world.made["a"]
        function.answer = lambda _: fatal(conditioned(respond({"b": config()}, said="no"), "Seen"))
        world.change(THING, NAME, lambda live: live["spec"].update(word="new"))
        await world.calm()
        message = 'cannot compose resources: pipeline step "make" returned a fatal result: not today'
        assert world.made == {"a": before}
        assert world.claim["status"]["said"] == "nothing"
        assert world.condition("Ready") == ("True", "Available", "")
        assert world.condition("Synced") == ("False", "ReconcileError", message)
        assert world.condition("Seen") == ("True", "Fine", "")
        assert world.condition("Fine")[:2] == ("Unknown", "FatalError")
        assert f"Warning ComposeResources: {message}" in world.events

    played(tmp_path, scenario, function)


def test_a_status_that_is_not_declared_stops_the_claim_and_leaves_its_status(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        await served(world, "a")
        function.answer = lambda _: respond({"a": config()}, said="new", invented="word")
        world.change(THING, NAME, lambda live: live["spec"].update(word="new"))
        await world.calm()
        status, _, message = world.condition("Synced")
        assert status == "False"
        assert message.startswith("cannot compose resources: cannot apply composite resource status: ")
        assert world.claim["status"]["said"] == "nothing"

    played(tmp_path, scenario, function)


def test_what_the_api_calls_invalid_is_told_in_an_event_and_not_repeated_in_a_condition(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        assert world.condition("Synced") == (
            "False",
            "ReconcileError",
            "cannot compose resources: some resources were invalid, check events",
        )
        told = "Warning ComposeResources: cannot compose resources: cannot apply composite resource status: "
        assert any(one.startswith(told) and "Too long" in one for one in world.events)

    played(tmp_path, scenario, Function(lambda _: respond({}, said="much " * 10)))


def test_a_status_that_is_left_out_goes_and_a_condition_that_is_left_out_stays(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        function.answer = lambda _: conditioned(respond({}, said="this"), "Fine")
        world.apply(thing())
        await world.calm()
        assert world.claim["status"]["said"] == "this"
        function.answer = lambda _: respond({})
        world.change(THING, NAME, lambda live: live["spec"].update(word="new"))
        await world.calm()
        assert "said" not in world.claim["status"]
        assert world.condition("Fine")[0] == "True"
        assert world.condition("Ready") == ("True", "Available", "")

    played(tmp_path, scenario, function)


def test_a_condition_says_of_which_generation_it_speaks_and_keeps_its_time_while_it_says_the_same(
    tmp_path: Path,
) -> None:
    def times(world: World) -> dict[str, Any]:
        return {one["type"]: one["lastTransitionTime"] for one in world.claim["status"]["conditions"]}

    def generations(world: World) -> set[Any]:
        return {one["observedGeneration"] for one in world.claim["status"]["conditions"]}

    async def scenario(world: World) -> None:
        await served(world, "a")
        before = times(world)
        assert generations(world) == {world.claim["metadata"]["generation"]}
        world.change(CONFIG, world.made["a"]["metadata"]["name"], lambda live: live["data"].update(more="said"))
        await world.calm(60)
        assert times(world) == before
        world.change(CONFIG, world.made["a"]["metadata"]["name"], lambda live: live["data"].pop("ready"))
        await world.calm()
        changed = {kind for kind, at_ in times(world).items() if at_ != before[kind]}
        assert changed == {"Ready"}

    played(tmp_path, scenario)


def test_results_become_events_and_conditions_of_crossplane_cannot_be_sent(tmp_path: Path) -> None:
    def answer(_: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = conditioned(conditioned(respond({}), "Synced"), "Own")
        response.results.add(severity=fnv1.SEVERITY_WARNING, message="careful")
        response.results.add(severity=fnv1.SEVERITY_NORMAL, message="done", reason="Done")
        return response

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        assert 'Warning ComposeResources: Pipeline step "make": careful' in world.events
        assert 'Normal Done: Pipeline step "make": done' in world.events
        assert world.condition("Synced") == ("True", "ReconcileSuccess", "")
        assert world.condition("Own") == ("True", "Fine", "")

    played(tmp_path, scenario, Function(answer))


def test_an_object_of_another_namespace_is_composed_in_the_claims_own_and_that_is_told(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        assert world.made["a"]["metadata"]["namespace"] == SPACE
        assert (
            'Warning NamespaceOverridden: cannot create composed resource "a" in namespace "other", using XR namespace'
            f' "{SPACE}" instead' in world.events
        )

    played(tmp_path, scenario, Function(lambda _: respond({"a": config() | {"metadata": {"namespace": "other"}}})))


def test_the_function_sees_claim_and_objects_as_they_are_without_who_owns_their_fields(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        await served(world, "a")
        seen = data(function.last.observed.composite)
        assert seen["metadata"]["uid"] == world.claim["metadata"]["uid"]
        assert seen["spec"]["crossplane"]["resourceRefs"]
        assert data(function.last.observed.resources["a"])["data"]["ready"] == "yes"
        assert "managedFields" not in str(function.last)

    played(tmp_path, scenario, function)
