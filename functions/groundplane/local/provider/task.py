"""A Task: work that is done once for what it says, or again and again, and never twice at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from groundplane.apis.processes import PROCESS, TASK, TaskSpec
from groundplane.local.host import child_process as children
from groundplane.local.host import log_rotation
from groundplane.local.provider.workload import SOON_SECONDS, Key, NotYetError, Subject, Tools, condition, now

if TYPE_CHECKING:
    from pathlib import Path

    from groundplane.core.manifest import Manifest

FIRST_DELAY: Final = 1.0
MOST_DELAY: Final = 300.0
_SOURCE: Final = re.compile(r"\$\((SOURCE_(?:RUN|PORT_[A-Z0-9]+))\)")
RESULT_BYTES: Final = 4096
TRY_LATER: Final = os.EX_TEMPFAIL  # how a program says that it is too early
STALE_SECONDS: Final = 24 * 60 * 60  # a success that is the same as before is written down once a day


class TaskSubject(Subject[TaskSpec]):
    """One Task."""

    def __init__(self, body: Manifest, tools: Tools) -> None:
        """Find out what was done already."""
        super().__init__(TASK, TaskSpec, body, tools)
        self.folder = tools.machine.run(self.whose)
        self.done = str(self.stored.get("done") or "")
        self.generation_done = int(self.stored.get("observedGeneration") or 0) if self._held() else 0
        self._last = time.monotonic() - _age(self.stored.get("lastSuccessTime")) if self.done else None
        self._delay = FIRST_DELAY
        self._not_before = 0.0
        self._begun: children.Child | None = None

    @property
    def needs(self) -> set[Key]:
        """The objects that it waits for, or is made of."""
        processes = {name for name in (self.spec.process, self.spec.source) if name}
        found = {(PROCESS.kind, self.whose.namespace, name) for name in processes}
        return found | self.files_need(self.spec.files)

    @property
    def shown(self) -> object:
        """What others may know of it."""
        return self.succeeded

    @property
    def succeeded(self) -> bool:
        """Whether what is asked now was done."""
        return self.generation_done == self.generation

    async def look(self) -> float | None:
        """Do what is due; return the seconds until the next look, None until there is news.

        Raises:
            ProgramError, NotYetError, ConnectionFailedError, OSError: what cannot be done now.
        """
        spec = self.spec
        await self._end_leftover()
        process = self.tools.peers.process(self.whose.namespace, spec.process)
        if process is None:
            raise NotYetError("Waiting", f"waits for Process {spec.process}")
        whose, ports, state = process
        variables = self.variables(whose, ports) | self._source(spec)
        if spec.when == "Ready" and state != "Ready":
            raise NotYetError("Waiting", f"waits until Process {spec.process} answers")
        texts = await self.texts(spec.files, variables)
        argv = self.tools.programs.argv(spec.program, variables)
        digest = self.tools.machine.fingerprint(*argv, *texts.values())
        if digest == self.done and (wait := self._until_due(spec)) != 0:
            await self._keep_saying()
            return wait
        if spec.when == "Before" and state != "Stopped":
            raise NotYetError("Waiting", f"waits until Process {spec.process} has stopped")
        if (wait := self._not_before - time.monotonic()) > 0:
            return wait
        self.keep(texts)
        await self._do(spec, argv, digest)
        return 0 if digest != self.done else self._until_due(spec)

    async def stop(self) -> None:
        """End what is being done; it is done again later."""
        if self._begun is not None:  # it may be so young that it has no record yet
            await self._begun.kill()
        await self._end_leftover()

    async def remove(self) -> None:
        """End what is being done, and let go of its folder."""
        await self._end_leftover()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def failed(self, reason: str, message: str) -> None:
        """Say why it was not done."""
        if not self.succeeded:
            await self.say(
                conditions=[condition("Succeeded", "Unknown" if reason == "Waiting" else "False", reason, message)]
            )

    def _source(self, spec: TaskSpec) -> dict[str, str]:
        """Return what is known of the second Process; all of it is empty while that does not answer."""
        asked = {match for word in spec.program.args for match in _SOURCE.findall(word)}
        found = self.tools.peers.process(self.whose.namespace, spec.source) if spec.source else None
        known = self.variables(found[0], found[1]) if found and found[2] == "Ready" else {}
        return {name: known.get(name.removeprefix("SOURCE_"), "") for name in asked}

    async def _end_leftover(self) -> None:
        """End what was begun before our own restart: how it ends would never be known."""
        if left := children.adopt(self.folder):
            await left.kill()
        children.forget(self.folder)

    def _until_due(self, spec: TaskSpec) -> float | None:
        """Return the seconds until it is to be done again; 0 when it is now, None when never."""
        if spec.every_seconds is None:
            return None
        return 0 if self._last is None else max(0.0, self._last + spec.every_seconds - time.monotonic())

    async def _do(self, spec: TaskSpec, argv: list[str], digest: str) -> None:
        log, output = self.tools.machine.log(self.whose), self.folder / "output"
        log_rotation.rotate(log)
        generation = self.generation
        if self.tools.peers.process(self.whose.namespace, spec.process) is None:
            return  # it went meanwhile, and its data with it
        self._begun = begun = children.start(self.folder, argv, log, output)
        try:
            async with asyncio.timeout(spec.timeout_seconds):
                await self._say_when_it_takes_long(begun)
                await begun.ended()
        except TimeoutError:
            await begun.kill()
            await self._fail("TimedOut", f"it was not done within {spec.timeout_seconds} s")
            return
        except asyncio.CancelledError:
            begun.send(signal.SIGKILL, group=True)
            raise
        finally:
            self._begun = None
            children.forget(self.folder)
        if self.tools.peers.process(self.whose.namespace, spec.process) is None:
            return  # it was ended for that
        if code := begun.code():
            said = children.last_words(log).rpartition("Error: ")[2]
            await self._fail("Waiting" if code == TRY_LATER else "Failed", said or f"it ended with {code}")
            return
        await self._succeed(digest, generation, _result(output))

    async def _say_when_it_takes_long(self, begun: children.Child) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOON_SECONDS):
                await begun.ended()
                return
        if not self.succeeded:
            await self.say(conditions=[condition("Succeeded", "Unknown", "Running")])

    async def _fail(self, reason: str, message: str) -> None:
        self._not_before, self._delay = time.monotonic() + self._delay, min(self._delay * 2, MOST_DELAY)
        status = "Unknown" if reason == "Waiting" else "False"
        failure = {} if reason == "Waiting" else {"lastFailureTime": now()}
        await self.say(conditions=[condition("Succeeded", status, reason, message)], **failure)

    async def _succeed(self, digest: str, generation: int, result: dict[str, str]) -> None:
        self.done, self.generation_done = digest, generation
        self._last, self._delay = time.monotonic(), FIRST_DELAY
        told = {"done": digest, "result": result, "conditions": [condition("Succeeded", "True", "Succeeded")]}
        same = self._held() and self.stored.get("done") == digest and self.stored.get("result", {}) == result
        if not same or _age(self.stored.get("lastSuccessTime")) > STALE_SECONDS:
            told["lastSuccessTime"] = now()
        await self.say(**told)

    async def _keep_saying(self) -> None:
        """Say again what holds, where only the generation moved."""
        self.generation_done = self.generation
        await self.say(conditions=[condition("Succeeded", "True", "Succeeded")])

    def _held(self) -> bool:
        return self._condition("Succeeded").get("status") == "True"


def _result(output: Path) -> dict[str, str]:
    """Return what the last line says, when it is an object of strings."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = [line for line in output.read_text().splitlines() if line.strip()]
        found = json.loads(lines[-1][:RESULT_BYTES])
        if isinstance(found, dict):
            return {str(key): str(value) for key, value in found.items() if value is not None}
    return {}


def _age(moment: object) -> float:
    """Return how many seconds ago *moment* was; a time that is none, or to come, was long ago."""
    try:
        then = datetime.fromisoformat(str(moment))
    except ValueError:
        return float(STALE_SECONDS * 365)
    age = (datetime.now(UTC) - then).total_seconds()
    return age if age >= 0 else float(STALE_SECONDS * 365)
