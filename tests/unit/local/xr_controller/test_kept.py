"""What of the reconciler nobody sees while all goes well: what is not written, and which wake is not lost."""

import asyncio
import itertools
from pathlib import Path

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from composed_plane import CONFIG, NAME, SPACE, THING, World, composition, definition, manifest, played, served, thing
from groundplane.core.manifest import Manifest, at
from groundplane.crossplane.pipeline import Call
from groundplane.local.apiserver.registry.request import Outcome, Request
from groundplane.local.xr_controller.controller import controlling
from no_time import in_no_time
from scripted import Function, data, fatal, makes_names, respond


def references(manifest: Manifest) -> list[Manifest] | None:
    found: list[Manifest] | None = at(manifest, "spec", "crossplane", "resourceRefs")
    return found


def test_references_are_written_when_they_change_and_not_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a")
        applied: list[Manifest] = []
        apply = world.api.apply

        def noted(request: Request, config: Manifest, *, dry_run: bool = False) -> tuple[Outcome, bool]:
            applied.append(config)
            return apply(request, config, dry_run=dry_run)

        monkeypatch.setattr(world.api, "apply", noted)
        world.change(THING, NAME, lambda live: live["spec"].update(word="new"))
        await world.calm()
        assert at(world.made["a"], "data", "word") == "new"
        assert [one for one in applied if references(one) is not None] == []
        world.change(THING, NAME, lambda live: live["spec"].update(names=["a", "b"]))
        await world.calm()
        assert [len(references(one) or []) for one in applied if references(one) is not None] == [2]

    played(tmp_path, scenario)


def test_a_claim_that_composes_nothing_has_no_references_at_all(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        assert world.condition("Synced")[0] == "True"
        assert references(world.claim) is None

    played(tmp_path, scenario)


def test_what_changes_during_a_reconcile_that_changes_nothing_is_seen_after_it(tmp_path: Path) -> None:
    inner, slow = Function(), False

    async def ask(call: Call) -> fnv1.RunFunctionResponse:
        answer = await inner(call)
        await asyncio.sleep(5 if slow else 0)
        return answer

    async def scenario(world: World) -> None:
        nonlocal slow
        await served(world, "a")
        slow, calls, versions = True, len(inner.calls), world.versions()
        name = world.made["a"]["metadata"]["name"]
        world.change(CONFIG, name, lambda live: live["data"].update(other="begins it"))
        await asyncio.sleep(1)
        assert len(inner.calls) == calls + 1  # it is under way, and has seen what there was
        world.change(THING, NAME, lambda live: live["spec"].update(word="last"))
        await world.calm(100)
        assert at(world.made["a"], "data", "word") == "last"
        assert world.versions() != versions

    played(tmp_path, scenario, ask)


@pytest.mark.parametrize("seconds", [(10, 20), (20, 10), (10, 20, 10)])
def test_of_several_times_to_wake_a_claim_the_first_holds_and_no_other(
    tmp_path: Path, seconds: tuple[float, ...]
) -> None:
    function = Function()

    async def work() -> None:
        world = World(tmp_path / "plane.sqlite")
        for one in (definition(), composition(), thing()):
            world.apply(one)
        async with controlling(world.api, function) as controller:
            await world.calm()
            began, calls = asyncio.get_running_loop().time(), len(function.calls)
            key = world.api.request(*THING).resource.key_of(world.claim)
            for after in seconds:
                controller.wake(key, after)
            await asyncio.sleep(1000)
            assert [when - began for when in function.times[calls:]] == [pytest.approx(10)]
        world.api.store.close()

    in_no_time(work)


def test_nothing_is_kept_of_a_claim_that_is_gone(tmp_path: Path) -> None:
    async def work() -> None:
        world = World(tmp_path / "plane.sqlite")
        for one in (definition(), composition()):
            world.apply(one)
        async with controlling(world.api, Function()) as controller:
            await served(world, "a")
            assert controller._due
            world.delete(THING, NAME)
            await world.calm(1000)
            assert world.claim == {}
            assert controller._due == {}
        world.api.store.close()

    in_no_time(work)


def test_a_name_without_a_namespace_selects_nothing_of_a_kind_that_lies_in_namespaces(tmp_path: Path) -> None:
    selector = fnv1.ResourceSelector(api_version=CONFIG[0], kind=CONFIG[1], match_name="there")

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        found = len(request.required_resources["it"].items) if "it" in request.required_resources else -1
        response: fnv1.RunFunctionResponse = respond({}, said=f"found {found}")
        response.requirements.resources["it"].CopyFrom(selector)
        return response

    async def scenario(world: World) -> None:
        world.apply(manifest(CONFIG, "there", SPACE))
        world.apply(thing())
        await world.calm()
        assert world.claim["status"]["said"] == "found 0"
        assert world.condition("Synced")[0] == "True"

    played(tmp_path, scenario, Function(answer))


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        (fnv1.READY_UNSPECIFIED, fnv1.READY_TRUE, "True"),
        (fnv1.READY_UNSPECIFIED, fnv1.READY_UNSPECIFIED, "False"),
        (fnv1.READY_UNSPECIFIED, fnv1.READY_FALSE, "False"),
        (fnv1.READY_TRUE, fnv1.READY_FALSE, "True"),
        (fnv1.READY_FALSE, fnv1.READY_TRUE, "False"),
    ],
)
def test_the_functions_word_for_the_claim_goes_before_that_for_its_objects(
    tmp_path: Path, own: fnv1.Ready, others: fnv1.Ready, expected: str
) -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = makes_names(request)
        response.desired.composite.ready = own
        for one in response.desired.resources.values():
            one.ready = others
        return response

    async def scenario(world: World) -> None:
        world.apply(thing(names=["a", "b"]))
        await world.calm()
        assert world.condition("Ready")[0] == expected
        unready = [one for one in world.events if "is not yet ready" in one]
        assert len(unready) == (0 if others == fnv1.READY_TRUE else 2)

    played(tmp_path, scenario, Function(answer))


def test_each_trouble_is_tried_again_after_a_second_whatever_came_before(tmp_path: Path) -> None:
    function, settled = Function(), respond({}, ttl=60)

    async def failing(world: World, seconds: float) -> list[int]:
        """Let the function fail from its next call on for *seconds*; return the pauses between its calls."""
        calls = len(function.calls)
        function.answer = lambda _: fatal(respond({}))
        await asyncio.sleep(seconds)
        function.answer = lambda _: settled
        world.change(THING, NAME, lambda live: live["spec"].update(word=f"healed after {seconds}"))
        await world.calm()
        assert world.condition("Synced")[0] == "True"
        pauses = [round(after - before) for before, after in itertools.pairwise(function.times[calls:])]
        return [one for one in pauses if one][:3]

    async def scenario(world: World) -> None:
        function.answer = lambda _: settled
        world.apply(thing())
        await world.calm(130)  # and called again after its TTL, twice
        for seconds in (80, 100):
            assert await failing(world, seconds) == [1, 2, 4]

    played(tmp_path, scenario, function)


@pytest.mark.parametrize("labels", [None, {"shelf": "one"}], ids=["by name", "by labels"])
def test_a_namespace_means_nothing_for_a_required_kind_that_lies_in_none(
    tmp_path: Path, labels: dict[str, str] | None
) -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        found = len(request.required_resources["it"].items)
        response: fnv1.RunFunctionResponse = respond({}, said=f"found {found}")
        selector = fnv1.ResourceSelector(api_version="v1", kind="Namespace", namespace=SPACE)
        if labels:
            selector.match_labels.labels.update(labels)
        else:
            selector.match_name = "shelf"
        response.requirements.resources["it"].CopyFrom(selector)
        return response

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        assert world.claim["status"]["said"] == "found 0"
        shelf = manifest(("v1", "Namespace"), "shelf", "")
        shelf["metadata"]["labels"] = {"shelf": "one"}
        world.apply(shelf)
        await world.calm()
        assert world.claim["status"]["said"] == "found 1"

    played(tmp_path, scenario, Function(answer))


def test_what_is_required_no_longer_wakes_nobody(tmp_path: Path) -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response: fnv1.RunFunctionResponse = respond({})
        wanted = at(data(request.observed.composite), "spec", "word")
        selector = fnv1.ResourceSelector(api_version=CONFIG[0], kind=CONFIG[1], match_name=wanted, namespace=SPACE)
        response.requirements.resources["it"].CopyFrom(selector)
        return response

    function = Function(answer)

    async def scenario(world: World) -> None:
        for name in ("first", "second"):
            world.apply(manifest(CONFIG, name, SPACE))
            world.apply(thing(word=name))
            await world.calm()
        for name, wakes in (("first", False), ("second", True)):
            calls = len(function.calls)
            world.change(CONFIG, name, lambda live: live.update(data={"changed": "yes"}))
            await world.calm()
            assert (len(function.calls) > calls) == wakes

    played(tmp_path, scenario, function)


def test_labels_that_are_required_in_one_namespace_wake_nobody_from_another(tmp_path: Path) -> None:
    def answer(_: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response: fnv1.RunFunctionResponse = respond({})
        match = fnv1.MatchLabels(labels={"wanted": "yes"})
        selector = fnv1.ResourceSelector(api_version=CONFIG[0], kind=CONFIG[1], match_labels=match, namespace=SPACE)
        response.requirements.resources["it"].CopyFrom(selector)
        return response

    function = Function(answer)

    async def scenario(world: World) -> None:
        world.apply(manifest(("v1", "Namespace"), "other"))
        world.apply(thing())
        await world.calm()
        for space, wakes in (("other", False), (SPACE, True)):
            calls = len(function.calls)
            made = manifest(CONFIG, "some", space)
            made["metadata"]["labels"] = {"wanted": "yes"}
            world.apply(made)
            await world.calm()
            assert (len(function.calls) > calls) == wakes

    played(tmp_path, scenario, function)
