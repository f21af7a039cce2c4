"""How a claim on the embedded plane is let go of, or is not."""

from pathlib import Path

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from composed_plane import CONFIG, DEFINITION, NAME, THING, World, composition, definition, played, served, thing
from scripted import Function, data, makes_names, respond

PARTS = "xparts.test.example.org"
PART = ("test.example.org/v1", "XPart")


def test_a_paused_claim_is_left_alone_also_when_it_is_deleted(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a")
        world.change(THING, NAME, lambda live: live["metadata"].update(annotations={"crossplane.io/paused": "true"}))
        await world.calm()
        world.change(THING, NAME, lambda live: live["spec"].update(names=["b"]))
        await world.calm(1000)
        assert [*world.made] == ["a"]
        assert world.condition("Synced")[:2] == ("False", "ReconcilePaused")
        world.delete(THING, NAME)
        await world.calm(1000)
        assert world.claim
        world.change(THING, NAME, lambda live: live["metadata"].pop("annotations"))
        await world.calm()
        assert not world.claim
        assert not world.made

    played(tmp_path, scenario)


@pytest.mark.parametrize("policy", ["Foreground", "Background", "Orphan"])
def test_a_claim_is_deleted_by_the_policy_of_who_deletes_it(tmp_path: Path, policy: str) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        await served(world, "a")
        name = world.made["a"]["metadata"]["name"]
        world.change(CONFIG, name, lambda live: live["metadata"].update(finalizers=["example.org/kept"]))
        calls = len(function.calls)
        world.delete(THING, NAME, policy)
        await world.calm(600)
        assert bool(world.claim) is (policy == "Foreground")
        if world.claim:
            assert world.condition("Ready")[:2] == ("False", "Deleting")
        assert ("deletionTimestamp" in world.get(CONFIG, name)["metadata"]) is (policy != "Orphan")
        assert len(function.calls) <= calls + 1  # what the finalizer's writer changed may have woken it once before
        world.change(CONFIG, name, lambda live: live["metadata"].pop("finalizers"))
        await world.calm()
        assert not world.claim
        assert bool(world.made) is (policy == "Orphan")

    played(tmp_path, scenario, function)


def test_a_claim_that_is_deleted_while_its_function_thinks_composes_nothing_more(tmp_path: Path) -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        worlds[0].delete(THING, NAME)
        return makes_names(request)

    worlds: list[World] = []
    told: list[str] = []

    async def scenario(world: World) -> None:
        worlds.append(world)
        world.api.subscribe(lambda change: told.append(f"{change.type} {change.key.resource}"))
        world.apply(thing(names=["a"]))
        await world.calm()
        assert not world.claim
        assert "ADDED configmaps" not in told

    played(tmp_path, scenario, Function(answer))


def test_a_definition_that_goes_waits_for_its_composites_and_leaves_them_to_whoever_made_them(tmp_path: Path) -> None:
    parts = {**definition(), "metadata": {"name": PARTS}}
    parts["spec"] = {**parts["spec"], "names": {"kind": "XPart", "plural": "xparts"}}
    inner = composition("parts", compositeTypeRef={"apiVersion": PART[0], "kind": PART[1]})

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        outer = data(request.observed.composite)["kind"] == THING[1]
        part = {"apiVersion": PART[0], "kind": PART[1], "spec": {"word": "made"}}
        made: fnv1.RunFunctionResponse = respond({"left": part, "right": part} if outer else {}, ready=True)
        return made

    async def scenario(world: World) -> None:
        world.apply(thing())
        await world.calm()
        before = {one["metadata"]["uid"] for one in world.all(PART)}
        assert len(before) == 2
        world.delete(DEFINITION, PARTS)
        await world.calm()
        await world.calm(600)
        waiting = world.get(DEFINITION, PARTS)
        (condition,) = waiting["status"]["conditions"]
        assert (condition["status"], condition["reason"]) == ("False", "TerminatingCompositeResource")
        assert {one["metadata"]["uid"] for one in world.all(PART)} == before
        world.delete(THING, NAME)
        await world.calm()
        assert not world.get(DEFINITION, PARTS)
        assert not world.get(("apiextensions.k8s.io/v1", "CustomResourceDefinition"), PARTS)

    played(tmp_path, scenario, Function(answer), definition(), composition(), parts, inner)
