"""What a watch knows of where it is: bookmarks, and what may be forgotten behind its back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from groundplane.local.apiserver.http import watch
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.selectors import Selector
from plane_process import open_api

CONFIG = ("v1", "ConfigMap")


async def of(api: Api, selector: str, options: watch.Options) -> AsyncIterator[watch.Event]:
    resource = api.catalogue.of_kind(*CONFIG)
    assert resource
    chosen = Selector.of(selector, "", resource.selectable)
    async with aclosing(watch.events(api, resource, "", chosen, options)) as found:
        async for event in found:
            yield event


def other(api: Api, name: str) -> None:
    api.create(api.request("v1", "Secret", "default"), {"metadata": {"name": name}})


def config(api: Api, name: str) -> None:
    api.create(api.request(*CONFIG, "default"), {"metadata": {"name": name}})


def test_a_bookmark_tells_how_far_the_plane_is_also_where_nothing_that_is_watched_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BOOKMARK_SECONDS", 0.05)
    api = open_api(tmp_path / "s")

    async def told() -> list[int]:
        options = watch.Options(version=api.store.version, bookmarks=True, seconds=1)
        other(api, "one")
        found: list[int] = []
        async for event in of(api, "", options):
            assert event.type == "BOOKMARK"
            found.append(int(event.object["metadata"]["resourceVersion"]) - api.store.version)
            other(api, f"more{len(found)}")
            if len(found) == 3:
                break
        return found

    assert asyncio.run(told()) == [0, 0, 0]
    api.store.close()


def test_whoever_watches_few_of_many_is_told_where_the_plane_is_though_it_never_rests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BOOKMARK_SECONDS", 0.05)
    api = open_api(tmp_path / "s")

    async def told() -> str:
        async def busy() -> None:
            for number in range(10_000):
                config(api, f"c{number}")
                await asyncio.sleep(0.01)

        writing = asyncio.create_task(busy())
        options = watch.Options(version=api.store.version, bookmarks=True, seconds=1)
        found = [event.type async for event in of(api, "few=yes", options)]
        writing.cancel()
        return found[0]

    assert asyncio.run(told()) == "BOOKMARK"
    api.store.close()


def test_a_watch_that_misses_nothing_outlives_that_others_are_forgotten(tmp_path: Path) -> None:
    """What happens to other kinds may be forgotten before it is told: nobody here was to be told of it."""
    api = open_api(tmp_path / "s")

    async def told() -> list[str]:
        found: list[str] = []
        began = asyncio.Event()
        options = watch.Options(version=api.store.version, seconds=5)

        async def reads() -> None:
            async for event in of(api, "", options):
                found.append(event.object["metadata"].get("name", event.type))
                began.set()
                if len(found) == 2:
                    break

        config(api, "first")
        reading = asyncio.create_task(reads())
        await began.wait()
        for number in range(20):
            other(api, f"s{number}")
        api.store.prune(seconds=1e9, count=1)
        config(api, "second")
        await reading
        return found

    assert asyncio.run(told()) == ["first", "second"]
    api.store.close()


def test_a_watch_that_was_too_slow_is_told_so_and_ends(tmp_path: Path) -> None:
    api = open_api(tmp_path / "s")

    async def told() -> list[Any]:
        options = watch.Options(version=api.store.version, seconds=5)
        for number in range(250):
            config(api, f"c{number}")
        found: list[Any] = []
        async for event in of(api, "", options):
            found.append(event.object.get("code", event.type))
            if len(found) == 1:
                api.store.prune(seconds=1e9, count=1)
        return found

    found = asyncio.run(told())
    assert (found[:-1], found[-1]) == (["ADDED"] * (len(found) - 1), 410)
    assert len(found) < 250
    api.store.close()
