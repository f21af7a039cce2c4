"""Which Composition, and which revision of it, serves a claim on the embedded plane."""

from pathlib import Path
from typing import Any

import pytest

from composed_plane import COMPOSITION, NAME, REVISION, THING, World, composition, definition, played, thing
from groundplane.core.manifest import Manifest, at

FETCH = "cannot fetch Composition"
UNFIT = "referenced composition is not compatible with this composite resource"
GONE_REVISION = 'CompositionRevision.apiextensions.crossplane.io "gone"'
BLUE = composition("blue", {"color": "blue"})
RED = composition("red", {"color": "red"})
OTHER = composition("other", compositeTypeRef={"apiVersion": "test.example.org/v1", "kind": "XOther"})


def chosen(world: World) -> str:
    return str(at(world.claim, "spec", "crossplane", "compositionRef", "name") or "")


def revision(world: World) -> str:
    return str(at(world.claim, "spec", "crossplane", "compositionRevisionRef", "name") or "")


@pytest.mark.parametrize(
    ("xrd", "asked", "expected"),
    [
        ({}, {}, "blue"),  # the first by name
        ({}, {"compositionRef": {"name": "red"}}, "red"),
        ({}, {"compositionSelector": {"matchLabels": {"color": "red"}}}, "red"),
        ({"defaultCompositionRef": {"name": "red"}}, {}, "red"),
        (
            {"defaultCompositionRef": {"name": "red"}},
            {"compositionSelector": {"matchLabels": {"color": "blue"}}},
            "blue",
        ),
        ({"defaultCompositionRef": {"name": "red"}}, {"compositionSelector": {"matchLabels": {}}}, "blue"),
        ({"defaultCompositionRef": {"name": "red"}}, {"compositionRef": {"name": "blue"}}, "blue"),
        ({"enforcedCompositionRef": {"name": "red"}}, {"compositionRef": {"name": "blue"}}, "red"),
    ],
)
def test_the_composition_is_the_one_that_crossplane_takes(
    tmp_path: Path, xrd: dict[str, Any], asked: dict[str, Any], expected: str
) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"], crossplane=asked))
        await world.calm()
        assert chosen(world) == expected
        assert revision(world).startswith(f"{expected}-")
        assert [*world.made] == ["a"]

    played(tmp_path, scenario, None, definition(**xrd), RED, BLUE, OTHER)


@pytest.mark.parametrize(
    ("asked", "reason", "message"),
    [
        (
            {"compositionSelector": {"matchLabels": {"color": "green"}}},
            "SelectComposition",
            "cannot select Composition: no compatible Compositions found",
        ),
        (
            {"compositionRef": {"name": "gone"}},
            "ComposeResources",
            f'{FETCH}: cannot get Composition: Composition.apiextensions.crossplane.io "gone" not found',
        ),
        (
            {"compositionRef": {"name": "other"}},
            "ComposeResources",
            f"cannot configure composite resource: {UNFIT}",
        ),
        (
            {"compositionUpdatePolicy": "Manual", "compositionRevisionRef": {"name": "gone"}},
            "ComposeResources",
            f"{FETCH}: cannot get CompositionRevision: {GONE_REVISION} not found",
        ),
        (
            {"compositionRevisionSelector": {"matchLabels": {"color": "green"}}},
            "ComposeResources",
            f"{FETCH}: no compatible CompositionRevisions found",
        ),
    ],
)
def test_a_claim_that_nothing_serves_says_why(tmp_path: Path, asked: dict[str, Any], reason: str, message: str) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"], crossplane=asked))
        await world.calm()
        assert world.condition("Synced") == ("False", "ReconcileError", message)
        assert f"Warning {reason}: {message}" in world.events
        assert not world.made

    played(tmp_path, scenario, None, definition(), BLUE, OTHER)


def test_a_composition_that_appears_serves_the_claim_that_waits_for_it(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"]))
        await world.calm(100)
        world.apply(BLUE)
        await world.calm()
        assert [*world.made] == ["a"]

    played(tmp_path, scenario, None, definition())


def revisions(world: World) -> dict[str, int]:
    return {one["metadata"]["name"]: one["spec"]["revision"] for one in world.all(REVISION)}


def test_each_state_of_a_composition_is_one_revision_and_the_last_one_has_the_highest_number(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        (first,) = revisions(world)
        (made,) = world.all(REVISION)
        assert made["metadata"]["labels"]["crossplane.io/composition-name"] == "blue"
        assert first == f"blue-{made['metadata']['labels']['crossplane.io/composition-hash'][:7]}"
        assert [(one["type"], one["status"]) for one in made["status"]["conditions"]] == [
            ("Synced", "True"),
            ("ValidPipeline", "True"),
        ]
        world.apply(composition("blue", {"color": "azure"}))
        await world.calm()
        (second,) = {*revisions(world)} - {first}
        assert revisions(world) == {first: 1, second: 2}
        world.apply(BLUE)
        await world.calm()
        assert revisions(world) == {first: 3, second: 2}
        world.delete(COMPOSITION, "blue")
        await world.calm()
        assert not revisions(world)

    played(tmp_path, scenario, None, definition(), BLUE)


@pytest.mark.parametrize(("policy", "moves"), [("Automatic", True), ("Manual", False)])
def test_a_claim_moves_to_the_next_revision_by_its_policy(tmp_path: Path, policy: str, *, moves: bool) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"], crossplane={"compositionUpdatePolicy": policy}))
        await world.calm()
        before = revision(world)
        world.apply(composition("blue", {"color": "azure"}))
        await world.calm()
        assert (revision(world) != before) is moves
        assert revision(world) in revisions(world)

    played(tmp_path, scenario, None, definition(), BLUE)


def test_the_revision_that_the_definition_prefers_is_taken_while_the_claim_says_none(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(composition("blue", {"color": "azure"}))
        await world.calm()
        world.apply(thing(names=["a"]))
        await world.calm()
        (first,) = (name for name, number in revisions(world).items() if number == 1)
        assert revision(world) == first
        assert "Normal CompositionSelection: Default revision selector has been selected" in world.events

    preferred = definition(defaultCompositionRevisionSelector={"matchLabels": {"color": "blue"}})
    played(tmp_path, scenario, None, preferred, BLUE)


def test_a_claim_that_changes_its_composition_is_composed_by_the_other_one(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"]))
        await world.calm()
        claim = world.claim
        crossplane: Manifest = {"compositionRef": {"name": "red"}}
        world.change(THING, NAME, lambda live: live["spec"]["crossplane"].update(crossplane))
        await world.calm()
        assert revision(world).startswith("red-")
        assert world.claim["metadata"]["uid"] == claim["metadata"]["uid"]

    played(tmp_path, scenario, None, definition(), BLUE, RED)
