"""Everything that is to run, each looked after by a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Final

from groundplane.apis.processes import PROCESS, TASK
from groundplane.local.host import child_process as children
from groundplane.local.host.executables import ProgramError, Programs
from groundplane.local.host.kubeconfig import ConnectionFailedError
from groundplane.local.provider.connection import Connection
from groundplane.local.provider.process import ProcessSubject
from groundplane.local.provider.task import TaskSubject
from groundplane.local.provider.workload import AGAIN_SECONDS, SOON_SECONDS, Key, NotYetError, Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from groundplane.core.manifest import Kind, Manifest
    from groundplane.local.host.certificates import Authority
    from groundplane.local.provider.paths import Identity, Machine

LOG: Final = logging.getLogger("groundplane.provider")
SUBJECTS: Final[dict[str, type[ProcessSubject | TaskSubject]]] = {
    PROCESS.kind: ProcessSubject,
    TASK.kind: TaskSubject,
}


class Watched:
    """One subject, and the task that looks after it."""

    def __init__(self, subject: ProcessSubject | TaskSubject, changed: Callable[[], None]) -> None:
        """Begin to look after *subject*; call *changed* when others may see something else in it."""
        self.subject = subject
        self._changed = changed
        self.needs: set[Key] = set()
        self.wake = asyncio.Event()
        self.wake.set()
        self._gone = False
        self._waits_since: float | None = None
        self._ending: asyncio.Task[None] | None = None
        self.task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Look no more."""
        self._gone = True
        self.wake.set()
        for task in (self.task, self._ending):
            if task:
                task.cancel()
                await asyncio.wait((task,))

    async def _watch(self) -> None:
        shown = self.subject.shown
        while not self._gone:
            self.wake.clear()
            delay = await self._look()
            if self.subject.shown != shown:
                shown = self.subject.shown
                self._changed()
            self._notice()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self.wake.wait()

    async def _look(self) -> float | None:
        try:
            try:
                return await self._looked()
            except NotYetError as error:
                if (early := self._early(error)) > 0:
                    return early
                await self.subject.failed(error.reason, str(error))
                return error.seconds
            except ProgramError as error:
                await self.subject.failed("ProgramNotFound", str(error))
            except OSError as error:
                await self.subject.failed("Failed", f"{type(error).__name__}: {error.strerror or error}")
        except ConnectionFailedError as error:
            LOG.warning("%s: %s", self.subject.whose, error)
        except Exception:
            LOG.exception("%s: a defect of the provider; report it", self.subject.whose)
        return AGAIN_SECONDS

    async def _looked(self) -> float | None:
        delay = await self.subject.look()
        self._waits_since = None
        return delay

    def _early(self, error: NotYetError) -> float:
        """Return the seconds after which it is worth a word that it waits for others: at a birth all do, for a moment.

        Each word is a write, which wakes whoever composed the object.
        """
        if error.reason != "Waiting":
            self._waits_since = None
            return 0.0
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        return self._waits_since + SOON_SECONDS - now

    def _notice(self) -> None:
        """Wake up when the process ends."""
        child = getattr(self.subject, "child", None)
        if child is not None and (self._ending is None or self._ending.done()):
            self._ending = asyncio.create_task(child.ended())
            self._ending.add_done_callback(lambda _: self.wake.set())


class Supervisor:
    """All subjects, and who of them waits for what."""

    def __init__(self, machine: Machine, programs: Programs, authority: Authority, connection: Connection) -> None:
        """Begin with nothing."""
        self.tools = Tools(machine, programs, authority, connection, self)
        self._all: dict[Key, Watched] = {}
        self._needing: dict[Key, set[Key]] = {}
        self._overtaken: dict[str, asyncio.Task[None]] = {}

    def see(self, kind: Kind, body: Manifest) -> None:
        """Take notice of an object as it is now."""
        metadata = body["metadata"]
        if "deletionTimestamp" in metadata or metadata["uid"] in self._overtaken:
            return
        key = (kind.kind, metadata["namespace"], metadata["name"])
        watched = self._all.get(key)
        if watched is not None and watched.subject.whose.uid != metadata["uid"]:
            self._overtake(key, watched)
            watched = None
        if watched is None:
            self._all[key] = watched = Watched(SUBJECTS[kind.kind](body, self.tools), lambda: self.changed(key))
            self._need(key, watched, watched.subject.needs)
            self.changed(key)
        elif watched.subject.body["metadata"].get("generation") != metadata.get("generation"):
            watched.subject.body = body
            watched.wake.set()
            self._need(key, watched, watched.subject.needs)

    async def remove(self, kind: Kind, body: Manifest) -> None:
        """End what runs for an object that is being deleted, and let go of what it had."""
        metadata = body["metadata"]
        key = (kind.kind, metadata["namespace"], metadata["name"])
        watched = self._all.get(key)
        if watched is None or watched.subject.whose.uid != metadata["uid"]:
            subject = SUBJECTS[kind.kind](body, self.tools)
        else:
            self._forget(key, watched)
            await watched.end()
            subject = watched.subject
        subject.body = body
        if isinstance(subject, ProcessSubject) and key not in self._all:
            await self._stop_tasks(key)
        await subject.remove()
        self.changed(key)

    def _overtake(self, key: Key, watched: Watched) -> None:
        """End what runs for an object that was made anew before we were told that it is gone.

        Somebody took our finalizer off. What it had is let go of when we are told, and not on suspicion.
        """
        self._forget(key, watched)

        async def end() -> None:
            await watched.end()
            await watched.subject.stop()

        self._overtaken[watched.subject.whose.uid] = asyncio.create_task(end())

    def _forget(self, key: Key, watched: Watched) -> None:
        self._need(key, watched, set())
        del self._all[key]

    async def _stop_tasks(self, process: Key) -> None:
        """End what works on the data of a Process that goes, or it would write them again."""
        needing = [self._all[one].subject for one in self._needing.get(process, ())]
        for subject in needing:  # some of them may go meanwhile
            if isinstance(subject, TaskSubject) and subject.spec.process == process[2]:
                await subject.stop()

    async def sweep(self) -> None:
        """End what runs for objects that went while nobody looked after them; their data stay."""
        known: set[str] = set()
        for kind in (PROCESS, TASK):
            try:
                uids = await self.tools.connection.uids(kind)
            except ConnectionFailedError as error:
                LOG.warning("%s", error)
                return
            if uids is None:  # not served yet: nothing is known of what there is
                return
            known |= uids
        for folder in self.tools.machine.strange(known):
            if await children.end(folder):
                LOG.warning("ended a program of an object that is no more; its folder was %s", folder)

    async def gone(self, kind: Kind, body: Manifest) -> None:
        """End what still runs for an object that is no more, because somebody took our finalizer off."""
        metadata = body["metadata"]
        key = (kind.kind, metadata["namespace"], metadata["name"])
        watched = self._all.get(key)
        ending = self._overtaken.pop(metadata["uid"], None)
        if ending is not None:
            await ending
        elif watched is None or watched.subject.whose.uid != metadata["uid"]:
            return
        LOG.warning("%s %s/%s: it is gone without us; what ran for it is ended", *key)
        await self.remove(kind, body)

    async def close(self) -> None:
        """End everything that runs: first what uses others, then these."""
        await asyncio.gather(*self._overtaken.values())
        for kind in (TASK, PROCESS):
            watched = [one for key, one in self._all.items() if key[0] == kind.kind]
            await asyncio.gather(*(one.end() for one in watched))
            await asyncio.gather(*(one.subject.stop() for one in watched))
        self._all.clear()
        self._needing.clear()

    def changed(self, key: Key) -> None:
        """Let everything that needs the object *key* look again."""
        for one in self._needing.get(key, ()):
            self._all[one].wake.set()

    def _need(self, key: Key, watched: Watched, needs: set[Key]) -> None:
        for one in watched.needs - needs:
            self._needing[one].discard(key)
            if not self._needing[one]:
                del self._needing[one]
        for one in needs:
            self._needing.setdefault(one, set()).add(key)
        watched.needs = needs

    def done(self, namespace: str, task: str) -> bool:
        """Whether a Task has succeeded with what it says now."""
        watched = self._all.get((TASK.kind, namespace, task))
        return watched is not None and isinstance(watched.subject, TaskSubject) and watched.subject.succeeded

    def process(self, namespace: str, name: str) -> tuple[Identity, Mapping[str, int], str] | None:
        """Return identity, ports and state of a Process; None when there is none."""
        watched = self._all.get((PROCESS.kind, namespace, name))
        if watched is None or not isinstance(watched.subject, ProcessSubject):
            return None
        subject = watched.subject
        return subject.whose, subject.ports, subject.state
