"""Watches that are cut and resumed: no change is lost, none is told twice, and all come in the order they were made.

`make test` plays 2,000 changes; GROUNDPLANE_WATCH_CHANGES=10000 plays as many as one wants, and GROUNDPLANE_WATCH_SEED
another order of events.
"""

import asyncio
import gc
import os
import random
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kubernetes.config
import kubernetes.watch
import pytest
from kubernetes.client import ApiException, CoreV1Api

from groundplane.kubernetes.patch.patches import merge_patched
from groundplane.local.apiserver import server
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.deletion import Options
from groundplane.local.apiserver.server import Plane

CHANGES = int(os.environ.get("GROUNDPLANE_WATCH_CHANGES", "2000"))
SEED = int(os.environ.get("GROUNDPLANE_WATCH_SEED", "7"))
WRITERS, NAMES, SPACES = 5, 12, ("default", "kube-public")
PATIENCE_SECONDS = 120
SILENCE_SECONDS = 10  # after which nothing more is told
CONFIG = ("v1", "ConfigMap")
Seen = tuple[str, str, int]


@dataclass
class Writer:
    """One of several who write to the same objects; *told* is what the plane told them of their own changes."""

    api: Api
    chance: random.Random
    told: list[Seen] = field(default_factory=list)

    def change(self) -> None:
        """Make, change or delete one object; what is not possible is something else instead."""
        space, name = self.chance.choice(SPACES), f"c{self.chance.randrange(NAMES)}"
        resource = configs(self.api)
        there = self.api.store.get(resource.key(space, name)) is not None
        if not there:
            request = self.api.request(*CONFIG, space)
            made = self.api.create(request, {"metadata": {"name": name}, "data": {"n": self.number()}}).manifest
            self._note("ADDED", made)
        elif self.chance.random() < 0.3:
            self.api.delete(resource, space, name, Options())
            self.told.append(("DELETED", f"{space}/{name}", self.api.store.version))
        else:
            request, change = self.api.request(*CONFIG, space, name), {"data": {"n": self.number()}}
            self._note("MODIFIED", self.api.patch(request, lambda live: merge_patched(live, change)).manifest)

    def number(self) -> str:
        return str(self.chance.random())

    def _note(self, kind: str, manifest: dict[str, Any]) -> None:
        metadata = manifest["metadata"]
        self.told.append((kind, f"{metadata['namespace']}/{metadata['name']}", int(metadata["resourceVersion"])))


def configs(api: Api) -> Resource:
    found = api.catalogue.of_kind(*CONFIG)
    assert found
    return found


async def written(api: Api, changes: int) -> list[Seen]:
    """Let all writers write at the same time, and return what they did in the order of its versions."""
    writers = [Writer(api, random.Random(f"{SEED} {number}")) for number in range(WRITERS)]  # noqa: S311  # not a secret

    async def writes(writer: Writer) -> None:
        for _ in range(changes // WRITERS):
            writer.change()
            # Watches get their turn at moments that nobody chose.
            await asyncio.sleep(writer.chance.choice((0, 0, 0.001)))

    await asyncio.gather(*map(writes, writers))
    return sorted((one for writer in writers for one in writer.told), key=lambda one: one[2])


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Plane, asyncio.AbstractEventLoop]]:
    """Serve a plane from a thread of its own, and yield it with its loop."""
    ready: list[tuple[Plane, asyncio.AbstractEventLoop]] = []
    began, ends = threading.Event(), asyncio.Event()

    async def serve() -> None:
        try:
            async with server.serving(folder) as plane:
                ready.append((plane, asyncio.get_running_loop()))
                began.set()
                await ends.wait()
        finally:
            began.set()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert began.wait(PATIENCE_SECONDS)
    try:
        yield ready[0]
    finally:
        ready[0][1].call_soon_threadsafe(ends.set)
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        with warnings.catch_warnings():
            # A connection that its client cut ends with the loop, which warns of it whenever it is collected.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@contextmanager
def client(plane: Plane) -> Iterator[CoreV1Api]:
    made: Any = kubernetes.config.new_client_from_config(str(plane.kubeconfig))
    yield CoreV1Api(made)
    made.rest_client.pool_manager.clear()


def followed(plane: Plane, space: str, start: int, wanted: int, seed: str) -> tuple[list[Seen], int]:
    """Return the first *wanted* changes after *start* as the official client tells them, and how often it was cut."""
    chance = random.Random(seed)  # noqa: S311  # not a secret
    seen: list[Seen] = []
    position, cuts = start, 0
    with client(plane) as core:
        while len(seen) < wanted:
            stream: Any = kubernetes.watch.Watch()
            call = core.list_namespaced_config_map if space else core.list_config_map_for_all_namespaces
            words = {"namespace": space} if space else {}
            left, before = chance.randrange(1, 120), len(seen)
            events = stream.stream(
                call,
                **words,
                resource_version=str(position),
                timeout_seconds=SILENCE_SECONDS,
                allow_watch_bookmarks=False,
            )
            for event in events:
                metadata = event["object"].metadata
                position = int(metadata.resource_version)
                seen.append((event["type"], f"{metadata.namespace}/{metadata.name}", position))
                left -= 1
                if not left or len(seen) == wanted:
                    break
            events.close()
            cuts += 1
            if len(seen) == before:
                break  # something was lost, and would be waited for for ever
    return seen, cuts


def test_no_change_is_lost_or_told_twice_or_out_of_order_however_often_a_watch_is_cut(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (plane, loop), ThreadPoolExecutor(3) as pool:
        start = asyncio.run_coroutine_threadsafe(version(plane.api), loop).result(PATIENCE_SECONDS)
        writing = asyncio.run_coroutine_threadsafe(written(plane.api, CHANGES), loop)
        everything = pool.submit(followed, plane, "", start, CHANGES // WRITERS * WRITERS, f"{SEED} all")
        made = writing.result(PATIENCE_SECONDS)
        ours = [one for one in made if one[1].startswith(f"{SPACES[0]}/")]
        own = pool.submit(followed, plane, SPACES[0], start, len(ours), f"{SEED} own")
        (seen, cuts), (seen_ours, cuts_ours) = everything.result(PATIENCE_SECONDS), own.result(PATIENCE_SECONDS)
    assert {kind for kind, _, _ in made} == {"ADDED", "MODIFIED", "DELETED"}
    assert min(cuts, cuts_ours) > len(ours) // 120
    assert seen == made
    assert seen_ours == ours


async def version(api: Api) -> int:
    return api.store.version


def test_the_client_learns_that_a_version_is_too_old_as_an_event_and_as_an_answer(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as (plane, loop), client(plane) as core:

        async def forget() -> int:
            await written(plane.api, 50)
            plane.api.store.prune(seconds=1e9, count=10)
            return plane.api.store.floor

        floor = asyncio.run_coroutine_threadsafe(forget(), loop).result(PATIENCE_SECONDS)
        stream: Any = kubernetes.watch.Watch()
        with pytest.raises(ApiException) as told:
            list(stream.stream(core.list_namespaced_config_map, "default", resource_version="1", timeout_seconds=5))
        assert (told.value.status, f"too old resource version: 1 ({floor})" in str(told.value)) == (410, True)
        with pytest.raises(ApiException) as answered:
            core.list_namespaced_config_map("default", resource_version="1", resource_version_match="Exact")
        assert answered.value.status == 410
        assert '"reason":"Expired"' in str(answered.value.body)
        assert followed(plane, "", floor, 10, "exactly from where the memory begins")[0]
