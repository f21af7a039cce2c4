"""Watches: every change of a kind, in order, without gap or repeat, as long as somebody listens.

A watch holds a position and nothing else. Changes are read from the store's log, so a slow client costs no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from groundplane.core.manifest import Manifest
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.records import Change
from groundplane.local.apiserver.storage.selectors import Selector

BOOKMARK_SECONDS = 60.0
_INITIAL_END = "k8s.io/initial-events-end"
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Options:
    """What a watch asks for.

    Attributes:
        version: Tell of what changed after it; None begins with all objects there are.
        end_of_initial: Whether a bookmark tells that these objects have all been sent.
        bookmarks: Whether the client wants to be told its position now and then.
        seconds: How long to watch.
    """

    version: int | None
    end_of_initial: bool = False
    bookmarks: bool = False
    seconds: float = 1800.0


@dataclass(frozen=True, slots=True)
class Event:
    """What a watch tells: ``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK`` or ``ERROR``, and an object."""

    type: str
    object: Manifest


async def events(
    api: Api, resource: Resource, namespace: str, selector: Selector, options: Options
) -> AsyncGenerator[Event]:
    """Yield what happens to the objects that *selector* selects, until the time is over or the plane ends."""
    news = _News(resource.name)
    cancel, forget = api.subscribe(news.hear), api.at_end(news.heard.set)
    try:
        position = options.version
        if position is None:
            position = api.store.version
            for event in _initial(api, resource, namespace, selector):
                yield event
            if options.end_of_initial:
                yield _bookmark(resource, position, initial_end=True)
        async for event in _after(api, resource, namespace, _Rest(selector, options, news, position)):
            yield event
    finally:
        cancel()
        forget()


class _News:
    """What happened to a kind since somebody read of it last."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self.first = 0  # the version of the first change; 0 while there is none
        self.heard = asyncio.Event()

    def hear(self, change: Change) -> None:
        if change.key.resource == self._resource:
            self.first = self.first or change.version
            self.heard.set()

    def forget(self) -> None:
        self.first = 0
        self.heard.clear()


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is watched after the beginning."""

    selector: Selector
    options: Options
    news: _News
    position: int


async def _after(api: Api, resource: Resource, namespace: str, rest: _Rest) -> AsyncGenerator[Event]:
    loop = asyncio.get_running_loop()
    end, marked = loop.time() + rest.options.seconds, loop.time()
    position, behind = rest.position, True
    while not api.ended and (left := end - loop.time()) > 0:
        if not behind:
            # All up to the first change that was heard of is known here, also what is forgotten by now.
            position = max(position, rest.news.first - 1 if rest.news.first else api.store.version)
        rest.news.forget()
        batch, position, lost = _read(api, resource, namespace, position)
        if lost:
            yield Event("ERROR", status_errors.expired(position, api.store.floor).status())
            return
        behind = len(batch) == _BATCH
        for change in batch:
            for event in _seen(resource, rest.selector, change):
                yield event
        due = marked + BOOKMARK_SECONDS - loop.time()
        if rest.options.bookmarks and due <= 0:
            marked = loop.time()
            yield _bookmark(resource, position)
        elif not batch:
            await _wait(rest.news.heard, min(left, due if rest.options.bookmarks else left))


def _initial(api: Api, resource: Resource, namespace: str, selector: Selector) -> Iterator[Event]:
    for item in api.page(resource, namespace, selector).items:
        yield Event("ADDED", item)


def _read(api: Api, resource: Resource, namespace: str, position: int) -> tuple[list[Change], int, bool]:
    """Return the next changes after *position*, the new position, and whether some were forgotten."""
    store = api.store
    if position < store.floor:
        return [], position, True
    newest = store.version
    batch = store.since(position, resource.name, namespace, limit=_BATCH)
    if len(batch) == _BATCH:
        return batch, batch[-1].version, False
    return batch, max(position, newest), False


async def _wait(heard: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(heard.wait(), seconds)


def _seen(resource: Resource, selector: Selector, change: Change) -> Iterator[Event]:
    """Yield how *change* looks to someone who sees only what *selector* selects."""
    now, before = change.manifest(), change.before()
    was = before is not None and selector.selects(before)
    if change.type == "DELETED":
        if was:
            yield Event("DELETED", resource.presented(now))
        return
    is_now = selector.selects(now)
    if is_now:
        yield Event("MODIFIED" if was else "ADDED", resource.presented(now))
    elif was and before is not None:
        yield Event("DELETED", resource.presented(before))


def _bookmark(resource: Resource, version: int, *, initial_end: bool = False) -> Event:
    metadata: Manifest = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {_INITIAL_END: "true"}
    return Event("BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata})
