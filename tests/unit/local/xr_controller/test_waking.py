"""When a claim on the embedded plane is reconciled again, and when it is left alone."""

import asyncio
import itertools
from pathlib import Path

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from composed_plane import CONFIG, NAME, SPACE, THING, World, manifest, played, served, thing
from groundplane.core.manifest import Manifest, at
from scripted import Function, config, data, fatal, respond

ENVIRONMENT = ("apiextensions.crossplane.io/v1beta1", "EnvironmentConfig")


def requiring(selector: fnv1.ResourceSelector, *, fails: bool = False) -> Function:
    """Return a function that requires something, and says in the status of which names there is any."""

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        found = [at(data(one), "metadata", "name") for one in request.required_resources["it"].items]
        response: fnv1.RunFunctionResponse = respond({}, said=" ".join(map(str, found)) or "nothing")
        response.requirements.resources["it"].CopyFrom(selector)
        return fatal(response) if fails and not found and "it" in request.required_resources else response

    return Function(answer)


def said(world: World) -> str:
    return str(at(world.claim, "status", "said") or "")


def labelled(name: str, value: str) -> Manifest:
    found = manifest(CONFIG, name, SPACE)
    found["metadata"]["labels"] = {"wanted": value}
    return found


@pytest.mark.parametrize("fails", [False, True])
def test_a_required_object_wakes_the_claim_when_it_comes_and_when_it_goes(tmp_path: Path, *, fails: bool) -> None:
    selector = fnv1.ResourceSelector(api_version=CONFIG[0], kind=CONFIG[1], match_name="late", namespace=SPACE)
    function = requiring(selector, fails=fails)

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        assert said(world) == ("" if fails else "nothing")
        world.apply(manifest(CONFIG, "late", SPACE))
        await world.calm()
        assert said(world) == "late"
        world.delete(CONFIG, "late")
        await world.calm()
        assert said(world) == ("late" if fails else "nothing")
        assert world.condition("Synced")[0] == ("False" if fails else "True")

    played(tmp_path, scenario, function)


def test_an_object_that_begins_or_ends_to_have_required_labels_wakes_the_claim(tmp_path: Path) -> None:
    match = fnv1.MatchLabels(labels={"wanted": "yes"})
    function = requiring(fnv1.ResourceSelector(api_version=CONFIG[0], kind=CONFIG[1], match_labels=match))

    async def scenario(world: World) -> None:
        world.apply(labelled("first", "yes"))
        world.apply(labelled("second", "no"))
        world.apply(thing())
        await world.calm()
        assert said(world) == "first"
        world.apply(labelled("second", "yes"))
        await world.calm()
        assert said(world) == "first second"
        world.apply(labelled("first", "no"))
        await world.calm()
        assert said(world) == "second"

    played(tmp_path, scenario, function)


def test_a_settled_claim_is_asked_for_each_ttl_in_one_call_and_nothing_is_written(tmp_path: Path) -> None:
    selector = fnv1.ResourceSelector(api_version=CONFIG[0], kind=CONFIG[1], match_name="some", namespace=SPACE)

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response: fnv1.RunFunctionResponse = respond(
            {"a": config(x="y") | {"metadata": {"name": "fixed"}}}, ready=True, ttl=60, said="hello"
        )
        response.conditions.add(
            type="Own", status=fnv1.STATUS_CONDITION_TRUE, reason="Fine", message=request.meta.tag[:0]
        )
        response.requirements.resources["it"].CopyFrom(selector)
        return response

    function = Function(answer)

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        before, newest, calls = world.versions(), world.api.store.version, len(function.calls)
        await asyncio.sleep(601)
        assert world.versions() == before
        assert world.api.store.version == newest  # no event either
        assert len(function.calls) - calls == 10  # once a minute
        assert function.times[-1] - function.times[-2] == pytest.approx(60)

    played(tmp_path, scenario, function)


def test_a_claim_without_a_ttl_is_called_again_only_when_something_changes(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        await served(world, "a")
        calls = len(function.calls)
        await world.calm(100_000)
        assert len(function.calls) == calls

    played(tmp_path, scenario, function)


def test_a_failing_claim_is_tried_again_after_a_second_and_then_after_twice_as_long_up_to_a_minute(
    tmp_path: Path,
) -> None:
    function = Function(lambda _: fatal(respond({})))

    async def scenario(world: World) -> None:
        world.apply(thing())
        await asyncio.sleep(400)
        pauses = [round(after - before) for before, after in itertools.pairwise(function.times)]
        assert [one for one in pauses if one][:8] == [1, 2, 4, 8, 16, 32, 60, 60]
        await asyncio.sleep(62_000)
        assert asyncio.get_running_loop().time() - function.times[-1] <= 60  # still, after a day
        function.answer = lambda _: respond({})
        world.change(THING, NAME, lambda live: live["spec"].update(word="new"))
        await world.calm()
        assert world.condition("Synced") == ("True", "ReconcileSuccess", "")  # and no word of the failure is left
        calls = len(function.calls)
        await world.calm(1000)
        assert len(function.calls) == calls

    played(tmp_path, scenario, function)
