"""The controller of all composites: it listens to the plane, and reconciles whatever a change may be about."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.kinds.builtin import CRD_NAME, XRD_NAME
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.records import Change, Key
from groundplane.local.xr_controller import revisions
from groundplane.local.xr_controller.circuit_breaker import Breaker
from groundplane.local.xr_controller.composer import Ask
from groundplane.local.xr_controller.events import Teller
from groundplane.local.xr_controller.fetcher import PlaneLookup
from groundplane.local.xr_controller.functions import connected
from groundplane.local.xr_controller.reconciler import Next, Reconciler, Responsive
from groundplane.local.xr_controller.selection import COMPOSITIONS
from groundplane.local.xr_controller.watches import Tracker
from groundplane.local.xr_controller.writer import Writer

TOGETHER: Final = 100  # reconciles at a time, as many as Crossplane's: each may wait for its function
FIRST_RETRY_SECONDS: Final = 1.0
END_SECONDS: Final = 5.0
LAST_RETRY_SECONDS: Final = 60.0
_LONGEST: Final = 6  # doublings of the first are more than the last
_LISTENS: Final[Responsive] = ("True", "WatchCircuitClosed", "")
_LOG = logging.getLogger("groundplane.composites")


@dataclass(slots=True)
class _Due:
    """When one composite is reconciled next."""

    handle: asyncio.TimerHandle | None = None
    running: bool = False
    again: bool = False
    failures: int = 0


class Controller:
    """Reconciles the composites of a plane, each as often as needed and never twice at a time."""

    def __init__(self, api: Api, reconciler: Reconciler, clock: Callable[[], float]) -> None:
        """Work for *api*; nothing happens before `begin`. *clock* tells seconds and never goes back."""
        self._api = api
        self._clock = clock
        self._deaf: Callable[[], None] = lambda: None
        self._reconciler = reconciler
        self._breaker = Breaker()
        self._due: dict[Key, _Due] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(TOGETHER)
        self._kinds: dict[str, Resource] = {}
        self._ended = False

    def begin(self) -> None:
        """Listen to changes, and look at everything that is there."""
        self._deaf = self._api.subscribe(self._changed)
        for composition in self._api.store.objects(COMPOSITIONS):
            self._revise(composition)
        self._learn()
        self._wake_all()

    async def end(self) -> None:
        """Stop, in the middle of whatever is done: the next start goes on from what is on the disk."""
        self._ended = True
        self._deaf()
        for due in self._due.values():
            if due.handle:
                due.handle.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:  # bounded: a call that cannot be cancelled must not keep the plane from ending
            await asyncio.wait(self._tasks, timeout=END_SECONDS)

    def _learn(self) -> None:
        """Learn which kinds are composites."""
        self._kinds = {}
        for definition in self._api.store.objects(XRD_NAME):
            spec = definition["spec"]
            version = next(one["name"] for one in spec["versions"] if one.get("referenceable", True))
            found = self._api.catalogue.of_kind(f"{spec['group']}/{version}", spec["names"]["kind"])
            if found and found.namespaced:
                self._kinds[found.name] = found

    def _changed(self, change: Change) -> None:
        # A listener is called in the middle of a write: what follows from it, follows after it.
        asyncio.get_running_loop().call_soon(self._follow, change)

    def _follow(self, change: Change) -> None:
        if self._ended:
            return
        name = change.key.resource
        if name in {XRD_NAME, CRD_NAME}:
            self._learn()
            self._wake_all()
        elif name == COMPOSITIONS and change.type != "DELETED":
            self._revise(change.manifest())
            self._wake_all()
        if name in self._kinds:
            self._followed(change)
        for key in {*self._reconciler.tracker.dependents(change)}:
            self._woken(key, change)

    def _followed(self, change: Change) -> None:
        """Follow a change of a composite itself."""
        if change.type == "DELETED":
            self._reconciler.tracker.forget(change.key)
        if change.type != "DELETED" or change.key in self._due:
            self._woken(change.key, change)
        if _goes(change):
            self._breaker.forget(change.key)

    def _woken(self, key: Key, change: Change) -> None:
        """Wake a composite because of *change*; what is not let through now is made good when the breaker lets it."""
        cost = 2 if change.type == "MODIFIED" else 1  # Crossplane counts what was before, too
        if _goes(change) or self._breaker.lets(key, _source(change), self._clock(), cost):
            self.wake(key)

    def _revise(self, composition: Manifest) -> None:
        try:
            revisions.revised(self._api, composition)
        except StatusError as error:
            _LOG.warning("composition %s: %s", composition["metadata"]["name"], error)

    def _wake_all(self) -> None:
        for name, resource in self._kinds.items():
            for found in self._api.store.objects(name):
                self.wake(resource.key_of(found))

    def wake(self, key: Key, seconds: float = 0.0, *, retry: bool = False) -> None:
        """Reconcile a composite after *seconds*, or earlier if something wakes it before; *retry* what failed."""
        due, loop = self._due.setdefault(key, _Due()), asyncio.get_running_loop()
        if due.handle and seconds and due.handle.when() <= loop.time() + seconds:
            return
        if due.handle:
            due.handle.cancel()
            due.handle = None
        if seconds:
            due.handle = loop.call_later(seconds, self._rung, key, due, retry)
        elif due.running:
            due.again = True
        elif not self._ended:
            due.running = True
            task = loop.create_task(self._run(key, due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _rung(self, key: Key, due: _Due, retry: bool) -> None:  # noqa: FBT001  # A timer knows no keywords.
        due.failures += retry  # what failed because something changed meanwhile is no further try
        self.wake(key)

    async def _run(self, key: Key, due: _Due) -> None:
        async with self._turns:
            due.again = False
            after = await self._reconciled(key)
        due.running = False
        if not after.failed:
            due.failures = 0
        if rest := self._breaker.rest(key, self._clock()):
            self.wake(key, rest)
        if due.again or after.seconds == 0:
            self.wake(key)
        elif after.failed:
            self.wake(key, min(FIRST_RETRY_SECONDS * 2 ** min(due.failures, _LONGEST), LAST_RETRY_SECONDS), retry=True)
        elif after.seconds:
            self.wake(key, after.seconds)
        elif self._api.store.get(key) is None:
            self._due.pop(key, None)

    async def _reconciled(self, key: Key) -> Next:
        resource = self._kinds.get(key.resource)
        if resource is None:
            return Next()
        try:
            return await self._reconciler.reconcile(resource, key, self._responsive(key))
        except StatusError as error:
            _LOG.warning("%s %s: %s", resource.kind, key.path, error)
        except Exception as error:  # noqa: BLE001  # One composite that breaks must not end the others.
            where = traceback.extract_tb(error.__traceback__)[-1]
            # The text may quote an object, and an object may hold a secret.
            _LOG.error(
                "%s %s: %s in %s, %d", resource.kind, key.path, type(error).__name__, where.name, where.lineno or 0
            )
            with contextlib.suppress(StatusError):
                self._reconciler.broke(resource, key, error)
        return Next(failed=True)

    def _responsive(self, key: Key) -> Responsive:
        by = self._breaker.opened_by(key, self._clock())
        return (
            ("False", "WatchCircuitOpen", f"Too many watch events from {by}. Allowing events periodically.")
            if by
            else _LISTENS
        )


def _goes(change: Change) -> bool:
    """Tell whether *change* is part of a deletion: nothing would tell again of what is not let through then."""
    return change.type == "DELETED" or "deletionTimestamp" in change.manifest()["metadata"]


def _source(change: Change) -> str:
    where = f" ({change.key.namespace})" if change.key.namespace else ""
    return f"{change.manifest()['kind']}/{change.key.name}{where}"


@contextlib.asynccontextmanager
async def reconciling(api: Api, functions: Mapping[str, str] | Path, *, ttl: int | None = None) -> AsyncIterator[None]:
    """Reconcile the composites of *api* until the block ends.

    Args:
        api: Of the running event loop.
        functions: Where each function answers, by the name that pipelines use; or the folder, nobody else's, for the
            socket of our own, which this process serves.
        ttl: Seconds after which our own function asks to be called again, instead of its own choice.
    """
    async with connected(functions, ttl) as ask, controlling(api, ask):
        yield


@contextlib.asynccontextmanager
async def controlling(api: Api, ask: Ask) -> AsyncIterator[Controller]:
    """Reconcile the composites of *api* until the block ends; *ask* makes every call of a function."""
    writer, clock = Writer(api), asyncio.get_running_loop().time
    reconciler = Reconciler(writer, PlaneLookup(api), Tracker(), ask, Teller(writer, clock).tell)
    controller = Controller(api, reconciler, clock)
    controller.begin()
    try:
        yield controller
    finally:
        await controller.end()
