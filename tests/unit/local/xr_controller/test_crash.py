"""Killed before any write of a claim's whole life, the plane goes on where it was, and comes to the same end."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from composed_plane import CONFIG, NAME, REVISION, SPACE, THING, Unsynced, World, composition, definition, thing
from groundplane.core.manifest import Manifest, at
from no_time import in_no_time
from scripted import Function

Stage = Callable[[World], Awaitable[None]]
_FLEETING = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "name"}


class Remembering(Unsynced):
    """A store that keeps what was on the disk before each of its writes."""

    disks: list[bytes]

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Make changes at once, and remember what was before."""
        if not self._database.in_transaction and hasattr(self, "disks"):
            self.disks.append(self._database.serialize())
        with super().together():
            yield

    def grouped(self) -> contextlib.AbstractContextManager[None]:
        """Let each write be one: then there are more states to be killed in."""
        return contextlib.nullcontext()


async def installed(world: World) -> None:
    world.apply(definition())
    world.apply(composition())


async def claimed(world: World) -> None:
    world.apply(thing(names=["a", "b"], word="first"))


async def provided(world: World) -> None:
    for one in world.all(CONFIG):
        world.change(CONFIG, one["metadata"]["name"], lambda live: live["data"].update(ready="yes"))


async def changed(world: World) -> None:
    world.apply(thing(names=["b", "c"], word="second"))


async def recomposed(world: World) -> None:
    world.apply(composition(labels={"other": "revision"}))


async def deleted(world: World) -> None:
    world.delete(THING, NAME)


LIFE: tuple[Stage, ...] = (installed, claimed, provided, changed, recomposed, deleted)


def seen(world: World) -> list[Manifest]:
    """Return everything of the claim that lasts, without what differs from life to life."""
    found = []
    for name in world.api.store.resources(SPACE):
        if name != "events":
            found += [_lasting(one) for one in world.api.store.objects(name, SPACE)]
    return sorted(found + [_lasting(one) for one in world.all(REVISION)], key=str)


def _lasting(one: Manifest) -> Manifest:
    metadata = {key: value for key, value in one["metadata"].items() if key not in _FLEETING}
    for owner in metadata.get("ownerReferences") or []:
        owner.pop("uid")
    conditions = at(one, "status", "conditions") or []
    for condition in conditions:
        condition.pop("lastTransitionTime")
        condition.pop("observedGeneration", None)
    for reference in at(one, "spec", "crossplane", "resourceRefs") or []:
        reference.pop("name")  # it follows from the uid
    return {**one, "metadata": metadata}


async def lived(path: Path, stages: Sequence[Stage], disks: list[list[bytes]] | None = None) -> list[list[Manifest]]:
    """Go through *stages* on the store at *path*; return what is seen after each, and what was on the disk in each."""
    world, found = World(path, Remembering), []
    store = world.api.store
    assert isinstance(store, Remembering)
    async with world.serving(Function()):
        for stage in stages:
            store.disks = []
            await stage(world)
            await world.calm(5)  # beyond any first retry
            found.append(seen(world))
            if disks is not None:
                disks.append(store.disks)
    store.close()
    return found


def test_killed_before_any_write_the_next_start_comes_to_the_same_end(tmp_path: Path) -> None:
    async def work() -> None:
        disks: list[list[bytes]] = []
        whole = await lived(tmp_path / "whole.sqlite", LIFE, disks)
        assert [len([one for one in stage if one["kind"] == "ConfigMap"]) for stage in whole] == [0, 2, 2, 2, 2, 0]
        assert sum(map(len, disks)) > 40  # or nothing was tried
        for stage, befores in enumerate(disks):
            for number, before in enumerate(befores):
                path = tmp_path / f"{stage}-{number}.sqlite"
                path.write_bytes(before)
                after, end = await lived(path, [LIFE[stage], deleted])
                where = f"killed in stage {stage}, before write {number}"
                assert after == whole[stage], where
                assert not [one for one in end if one["kind"] != REVISION[1]], where

    in_no_time(work)
