"""One reconcile of one composite, in Crossplane's order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest, at
from groundplane.crossplane import conditions
from groundplane.crossplane.errors import RenderError
from groundplane.crossplane.pipeline import Call, Run
from groundplane.crossplane.structs import manifest
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.storage.records import Key
from groundplane.local.xr_controller import composer, selection
from groundplane.local.xr_controller.composer import Applied, Ask, InvalidError
from groundplane.local.xr_controller.fair_lock import Turn
from groundplane.local.xr_controller.fetcher import PlaneLookup
from groundplane.local.xr_controller.watches import Tracker
from groundplane.local.xr_controller.writer import COMPOSITE_LABEL, FINALIZER, Writer

PAUSED: Final = "crossplane.io/paused"
_INVALID = "some resources were invalid, check events"
_PAUSED = "Reconciliation (including deletion) is paused via the pause annotation"
Responsive = tuple[str, str, str]  # status, reason and message of the condition
Tell = Callable[[Manifest, str, str, str], None]


class _StoppedError(Exception):
    """A composite cannot be served, for a *reason* in one word; the text says why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@contextlib.contextmanager
def _doing(reason: str, doing: str) -> Iterator[None]:
    try:
        yield
    except (RenderError, StatusError) as error:
        raise _StoppedError(reason, f"{doing}: {error}") from None


@dataclass(frozen=True, slots=True)
class Next:
    """When to come back: after *seconds*, or when something changes; after a failure, a little later each time."""

    seconds: float | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles composites of any kind."""

    writer: Writer
    lookup: PlaneLookup
    tracker: Tracker
    ask: Ask
    tell: Tell
    """Records an event about a composite: kind, reason, message."""
    computing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one reconcile that computes, while others wait for their functions."""

    async def reconcile(self, resource: Resource, key: Key, responsive: Responsive) -> Next:
        """Bring one composite closer to what it asks for; *responsive* says whether it is listened to.

        Raises:
            StatusError: the plane refuses what it should not.
        """
        async with Turn(self.computing) as turn:
            return await self._reconcile(resource, key, responsive, turn)

    async def _reconcile(self, resource: Resource, key: Key, responsive: Responsive, turn: Turn) -> Next:
        xr = self.writer.find(resource.api_version, resource.kind, key.namespace, key.name)
        if xr is None:
            self.tracker.forget(key)
            return Next()
        mark = conditions.own(xr, "Responsive", *responsive, now=self._now)
        xr["status"] = {**(xr.get("status") or {}), "conditions": conditions.marked(xr, mark)}
        if at(xr, "metadata", "annotations", PAUSED) == "true":
            return self._paused(xr)
        if at(xr, "metadata", "deletionTimestamp"):
            return self._deleted(xr)
        try:
            with self._at_once():
                revision = self._selected(xr)
        except _StoppedError as stopped:
            return self._failed(xr, stopped.reason, str(stopped))
        return await self._composed(xr, revision, key, turn)

    def broke(self, resource: Resource, key: Key, error: Exception) -> None:
        """Say in the composite that its reconcile ended by *error*, which is a bug of ours.

        Raises:
            StatusError: the plane refuses even that.
        """
        xr = self.writer.find(resource.api_version, resource.kind, key.namespace, key.name)
        if xr is not None:
            # The error's own words may quote an object, and an object may hold a secret.
            message = f"cannot reconcile: {type(error).__name__}; this is a bug of Groundplane"
            self._failed(xr, "ComposeResources", message)

    def _at_once(self) -> contextlib.AbstractContextManager[None]:
        """Let the disk be waited for once, for all that is written inside."""
        return self.writer.api.store.grouped()

    @property
    def _now(self) -> str:
        return self.writer.api.now()

    def _paused(self, xr: Manifest) -> Next:
        self.tell(xr, "Normal", "ReconciliationPaused", "Reconciliation is paused via the pause annotation")
        self._mark(xr, "Synced", "False", "ReconcilePaused", _PAUSED)
        return Next()

    def _deleted(self, xr: Manifest) -> Next:
        self._mark(xr, "Ready", "False", "Deleting")
        self._mark(xr, "Synced", "True", "ReconcileSuccess")
        finalizers = [one for one in xr["metadata"].get("finalizers") or [] if one != FINALIZER]
        try:
            with _doing("DeleteCompositeResource", "cannot remove composite resource finalizer"):
                self.writer.change(xr, {**xr, "metadata": {**xr["metadata"], "finalizers": finalizers}})
        except _StoppedError as stopped:
            return self._failed(xr, stopped.reason, str(stopped))
        return Next()

    def _mark(self, xr: Manifest, kind: str, status: str, reason: str, message: str = "") -> None:
        made = conditions.own(xr, kind, status, reason, message, now=self._now)
        self.writer.conditions(xr, conditions.marked(xr, made))

    def _failed(self, xr: Manifest, reason: str, message: str) -> Next:
        self.tell(xr, "Warning", reason, message)
        self._mark(xr, "Synced", "False", "ReconcileError", message)
        return Next(failed=True)

    def _selected(self, xr: Manifest) -> Manifest:
        """Write finalizer, label and choice into *xr*, and return the revision that serves it.

        Raises:
            _StoppedError: no Composition serves it, or it is refused.
        """
        finalizers = xr["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            with _doing("InitializeCompositeResource", "cannot add composite resource finalizer"):
                self._change(xr, metadata={"finalizers": [*finalizers, FINALIZER]})
        with _doing("SelectComposition", "cannot select Composition"):
            self._select(xr)
        if selector := selection.default_selector_of(self.writer, xr):
            with _doing("SelectComposition", "cannot select CompositionRevision"):
                self._change(xr, crossplane={"compositionRevisionSelector": selector})
            self.tell(xr, "Normal", "CompositionSelection", "Default revision selector has been selected")
        with _doing("ComposeResources", "cannot fetch Composition"):
            revision = selection.revision_of(self.writer, xr)
            chosen = revision["metadata"]["name"]
            if chosen != at(xr, "spec", "crossplane", "compositionRevisionRef", "name"):
                self._change(xr, crossplane={"compositionRevisionRef": {"name": chosen}})
                self.tell(xr, "Normal", "SelectComposition", f"Selected composition revision: {chosen}")
        with _doing("ComposeResources", "cannot configure composite resource"):
            labels = xr["metadata"].get("labels") or {}
            if not labels.get(COMPOSITE_LABEL):
                self._change(xr, metadata={"labels": {**labels, COMPOSITE_LABEL: xr["metadata"]["name"]}})
            selection.check(revision, xr)
        return revision

    def _select(self, xr: Manifest) -> None:
        choice = selection.choice_of(self.writer, xr)
        if choice.name == at(xr, "spec", "crossplane", "compositionRef", "name"):
            return
        if choice.told:
            self.tell(xr, "Normal", "CompositionSelection", choice.told)
        self._change(xr, crossplane={"compositionRef": {"name": choice.name}})
        self.tell(xr, "Normal", "SelectComposition", f"Successfully selected composition: {choice.name}")

    def _change(self, xr: Manifest, metadata: Manifest | None = None, crossplane: Manifest | None = None) -> None:
        wanted = {**xr, "metadata": {**xr["metadata"], **(metadata or {})}}
        if crossplane:
            wanted["spec"] = {**xr["spec"], "crossplane": {**(xr["spec"].get("crossplane") or {}), **crossplane}}
        status = xr.get("status")
        xr.update(self.writer.change(xr, wanted))
        xr["status"] = status  # with the conditions that are not written yet

    async def _composed(self, xr: Manifest, revision: Manifest, key: Key, turn: Turn) -> Next:
        async def ask(call: Call) -> fnv1.RunFunctionResponse:
            async with turn.aside():
                return await self.ask(call)

        run: Run | None = None
        try:
            found = composer.observe(xr, self.lookup, self.writer)
            run = await composer.asked(xr, revision, found, self.lookup, ask, self.tracker.required(key))
            # Whatever ends this reconcile: what it saw may be what keeps the next one from ending so.
            self.tracker.track(key, [*found.resources.values()], run.required, self.writer.api.catalogue)
            self._told(xr, run)
            if not self._lives(xr):
                return Next(0)  # it was deleted meanwhile: what would be applied now would come too late
            if run.fatal:
                message = conditions.fatal_error(run.fatal.step, run.fatal.message)
                return self._broken(xr, run, message, message)
            with self._at_once():
                applied = composer.apply(xr, run, found, self.lookup, self.writer)
                self._settle(xr, run, applied)
        except RenderError as error:
            words = _INVALID if isinstance(error, InvalidError) else str(error)
            return self._broken(xr, run, f"cannot compose resources: {error}", f"cannot compose resources: {words}")
        self.tracker.track(key, [*applied.resources.values()], run.required, self.writer.api.catalogue)
        return Next(run.ttl)

    def _lives(self, xr: Manifest) -> bool:
        metadata = xr["metadata"]
        live = self.writer.find(xr["apiVersion"], xr["kind"], metadata["namespace"], metadata["name"])
        return bool(live and live["metadata"]["uid"] == metadata["uid"] and "deletionTimestamp" not in live["metadata"])

    def _told(self, xr: Manifest, run: Run) -> None:
        for result in run.results:
            if result.severity != "Fatal":
                message = f'Pipeline step "{result.step}": {result.message}'
                self.tell(xr, result.severity, result.reason or "ComposeResources", message)

    def _broken(self, xr: Manifest, run: Run | None, told: str, marked: str) -> Next:
        self.tell(xr, "Warning", "ComposeResources", told)
        sent = run.conditions if run else ()
        after = conditions.after_error(xr, sent, marked, self._now)
        self.writer.conditions(xr, [*after.values()])
        return Next(failed=True)

    def _settle(self, xr: Manifest, run: Run, applied: Applied) -> None:
        """Write the status: what the functions say of it, and all conditions.

        Raises:
            ReconcileError: it is refused.
        """
        for name, said in applied.unsynced.items():
            self.tell(xr, "Warning", "ComposeResources", f'cannot apply composed resource "{name}": {said}')
            self.tell(xr, "Normal", "ComposeResources", f'Composed resource "{name}" is not yet valid')
        for note in applied.notes:
            self.tell(xr, "Warning", "NamespaceOverridden", note)
        unready = [name for name in applied.resources if run.desired.resources[name].ready != fnv1.READY_TRUE]
        for name in unready:
            self.tell(xr, "Normal", "ComposeResources", f'Composed resource "{name}" is not yet ready')
        after = conditions.after_success(xr, run.conditions, run.desired, unsynced=[*applied.unsynced], now=self._now)
        status = at(manifest(run.desired.composite.resource), "status") or {}
        try:
            self.writer.status(xr, {**status, "conditions": [*after.values()]})
        except StatusError as error:
            raise composer.refused("cannot apply composite resource status", error) from None
