"""What a reconcile on the embedded plane applies, deletes and leaves alone."""

from pathlib import Path

import pytest

from composed_plane import CONFIG, NAME, SPACE, THING, World, manifest, played, served, thing
from groundplane.core.manifest import Manifest, at
from scripted import Function, config, respond

CLUSTER_SCOPED: Manifest = {"apiVersion": "v1", "kind": "Namespace"}
NOT_SERVED: Manifest = {"apiVersion": "example.org/v1", "kind": "Nothing"}


def test_what_is_desired_no_longer_goes_before_anything_new_comes(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a", "b")
        (old,) = (one["metadata"]["name"] for name, one in world.made.items() if name == "a")
        told: list[str] = []
        world.api.subscribe(lambda change: told.append(f"{change.type} {change.key.name}"))
        world.change(THING, NAME, lambda live: live["spec"].update(names=["b", "c"]))
        await world.calm()
        new = world.made["c"]["metadata"]["name"]
        assert [*world.made] == ["b", "c"] or {*world.made} == {"b", "c"}
        assert told.index(f"MODIFIED {old}") < told.index(f"MODIFIED {NAME}", 1) < told.index(f"ADDED {new}")
        references = at(world.claim, "spec", "crossplane", "resourceRefs") or []
        assert {one["name"] for one in references} == {one["metadata"]["name"] for one in world.made.values()}

    played(tmp_path, scenario)


def test_what_is_let_go_loses_the_label_of_the_claim_while_a_finalizer_keeps_it(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a")
        name = world.made["a"]["metadata"]["name"]
        world.change(CONFIG, name, lambda live: live["metadata"].update(finalizers=["example.org/kept"]))
        told: list[Manifest] = []
        world.api.subscribe(lambda change: told.append(change.manifest()))
        world.change(THING, NAME, lambda live: live["spec"].update(names=[]))
        await world.calm()
        assert any("foregroundDeletion" in (one["metadata"].get("finalizers") or []) for one in told)
        kept = world.get(CONFIG, name)
        assert "crossplane.io/composite" not in (kept["metadata"].get("labels") or {})
        assert kept["metadata"]["finalizers"] == ["example.org/kept"]
        assert at(world.claim, "spec", "crossplane", "resourceRefs") in ([], None)

    played(tmp_path, scenario)


@pytest.mark.parametrize("owned", [False, True])
def test_what_the_claim_does_not_control_is_never_deleted(tmp_path: Path, *, owned: bool) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a", "b")
        name = world.made["a"]["metadata"]["name"]
        owners: list[Manifest] = []
        if owned:
            uid = world.apply(manifest(CONFIG, "x", SPACE))["metadata"]["uid"]
            owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": uid, "controller": True}]
        world.change(CONFIG, name, lambda live: live["metadata"].update(ownerReferences=owners))
        world.change(THING, NAME, lambda live: live["spec"].update(names=["b"]))
        await world.calm()
        assert world.get(CONFIG, name)
        assert len(at(world.claim, "spec", "crossplane", "resourceRefs") or []) == 1

    played(tmp_path, scenario)


def test_an_object_that_lost_its_name_in_the_composite_stops_the_claim_and_is_not_deleted(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a")
        name = world.made["a"]["metadata"]["name"]
        world.change(CONFIG, name, lambda live: live["metadata"].pop("annotations"))
        await world.calm()
        status, _, message = world.condition("Synced")
        assert status == "False"
        assert message == (
            "cannot compose resources: cannot get existing composed resources: encountered composed resource without"
            ' required "crossplane.io/composition-resource-name" annotation'
        )
        assert world.get(CONFIG, name)

    played(tmp_path, scenario)


def test_a_field_that_somebody_changed_is_set_again(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"], word="hello"))
        await world.calm()
        name = world.made["a"]["metadata"]["name"]
        world.change(CONFIG, name, lambda live: live["data"].update(word="other", more="stays"))
        await world.calm()
        assert world.made["a"]["data"] == {"word": "hello", "more": "stays"}

    played(tmp_path, scenario)


def test_an_object_that_somebody_deleted_is_made_again_under_its_name(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await served(world, "a")
        before = world.made["a"]["metadata"]
        world.delete(CONFIG, before["name"])
        await world.calm()
        after = world.made["a"]["metadata"]
        assert (after["name"], after["uid"] != before["uid"]) == (before["name"], True)

    played(tmp_path, scenario)


@pytest.mark.parametrize(
    ("desired", "words"),
    [
        (CLUSTER_SCOPED, 'cannot apply cluster scoped composed resource "x"'),
        (NOT_SERVED, "is not installed"),
        ({"kind": "ConfigMap"}, "has no apiVersion or no kind"),
        (config() | {"metadata": {"name": "Not A Name"}}, "invalid name"),
        (
            config() | {"metadata": {"ownerReferences": [{"uid": "x", "controller": True, "kind": "A", "name": "b"}]}},
            "controls it",
        ),
    ],
)
def test_an_impossible_object_stops_the_claim_before_anything_is_deleted(
    tmp_path: Path, desired: Manifest, words: str
) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        await served(world, "a")
        before = world.made
        function.answer = lambda _: respond({"b": config(), "x": desired})
        world.change(THING, NAME, lambda live: live["spec"].update(word="new"))
        await world.calm()
        status, reason, message = world.condition("Synced")
        assert (status, reason) == ("False", "ReconcileError")
        assert message.startswith("cannot compose resources: ")
        assert words in message
        assert world.made == before

    played(tmp_path, scenario, function)


def test_an_object_that_the_api_calls_invalid_is_told_and_the_others_are_applied(tmp_path: Path) -> None:
    function = Function()

    async def scenario(world: World) -> None:
        wrong = config() | {"metadata": {"labels": {"a label": "is no label"}}}
        function.answer = lambda _: respond({"a": wrong, "b": config()})
        world.apply(thing())
        await world.calm()
        assert [*world.made] == ["b"]
        assert world.condition("Synced") == ("False", "ReconcileError", "Unsynced resources: a")
        assert any(
            one.startswith('Warning ComposeResources: cannot apply composed resource "a"') for one in world.events
        )
        assert 'Normal ComposeResources: Composed resource "a" is not yet valid' in world.events

    played(tmp_path, scenario, function)
