"""Watches: every change of a kind, in order, without gap or repeat, as long as somebody listens.

A watch holds a position and nothing else. Changes are read from the store's log, so a slow client costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from groundplane.core.manifest import Manifest
from groundplane.local.plane import errors
from groundplane.local.plane.api import Api
from groundplane.local.plane.records import Change
from groundplane.local.plane.resources import Resource
from groundplane.local.plane.selectors import Selector

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
    changed = asyncio.Event()

    def listener(change: Change) -> None:
        if change.key.resource == resource.name:
            changed.set()

    cancel, forget = api.subscribe(listener), api.at_end(changed.set)
    try:
        position = options.version
        if position is None:
            position = api.store.version
            for event in _initial(api, resource, namespace, selector):
                yield event
            if options.end_of_initial:
                yield _bookmark(resource, position, initial_end=True)
        async for event in _after(api, resource, namespace, _Rest(selector, options, changed, position)):
            yield event
    finally:
        cancel()
        forget()


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is watched after the beginning; *changed* is set when there may be something new."""

    selector: Selector
    options: Options
    changed: asyncio.Event
    position: int


async def _after(api: Api, resource: Resource, namespace: str, rest: _Rest) -> AsyncGenerator[Event]:
    loop = asyncio.get_running_loop()
    end = loop.time() + rest.options.seconds
    position = rest.position
    while not api.ended and (left := end - loop.time()) > 0:
        rest.changed.clear()
        batch, position, lost = _read(api, resource, namespace, position)
        if lost:
            yield Event("ERROR", errors.expired(position, api.store.floor).status())
            return
        for change in batch:
            for event in _seen(resource, rest.selector, change):
                yield event
        if batch or await _wait(rest.changed, min(left, BOOKMARK_SECONDS)):
            continue
        if rest.options.bookmarks:
            yield _bookmark(resource, position)


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


async def _wait(changed: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(changed.wait(), seconds)
    except TimeoutError:
        return False
    return True


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
