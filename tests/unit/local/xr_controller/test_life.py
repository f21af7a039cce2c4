"""The life of a claim on the embedded plane: selected, composed, ready, changed, let go of."""

from pathlib import Path

from composed_plane import CONFIG, NAME, THING, World, played, thing
from groundplane.core.manifest import at


def test_a_claim_is_selected_composed_and_ready_and_each_step_is_told(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a"], word="hello"))
        await world.calm()
        claim = world.claim
        assert claim["metadata"]["finalizers"] == ["composite.apiextensions.crossplane.io"]
        assert claim["metadata"]["labels"] == {"crossplane.io/composite": NAME}
        assert at(claim, "spec", "crossplane", "compositionRef") == {"name": "only"}
        assert str(at(claim, "spec", "crossplane", "compositionRevisionRef", "name")).startswith("only-")
        made = world.made["a"]
        assert at(claim, "spec", "crossplane", "resourceRefs") == [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": made["metadata"]["name"]}
        ]
        assert made["metadata"]["labels"] == {"crossplane.io/composite": NAME}
        (owner,) = made["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (claim["metadata"]["uid"], True)
        assert claim["status"]["said"] == "hello"
        assert world.condition("Ready") == ("False", "Creating", "Unready resources: a")
        assert world.condition("Synced") == ("True", "ReconcileSuccess", "")
        world.change(CONFIG, made["metadata"]["name"], lambda live: live["data"].update(ready="yes"))
        await world.calm()
        assert world.condition("Ready") == ("True", "Available", "")
        assert world.made["a"]["data"] == {"word": "hello", "ready": "yes"}
        assert {one for one in world.events if "revision" not in one} == {
            "Normal SelectComposition: Successfully selected composition: only",
            'Normal ComposeResources: Composed resource "a" is not yet ready',
        }

    played(tmp_path, scenario)


def test_a_deleted_claim_goes_with_all_that_it_composed(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.apply(thing(names=["a", "b"]))
        await world.calm()
        world.delete(THING, NAME)
        await world.calm()
        assert not world.claim
        assert not world.made

    played(tmp_path, scenario)
