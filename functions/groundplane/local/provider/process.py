"""A Process: started, probed, reloaded, started again, stopped, and adopted after our own restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from groundplane.apis.processes import PROCESS, TASK, ProcessSpec
from groundplane.local.host import child_process as children
from groundplane.local.host import log_rotation
from groundplane.local.host.certificates import CA, CERTIFICATE, KEY
from groundplane.local.host.executables import expand, unprivileged
from groundplane.local.host.private_files import write
from groundplane.local.provider.probing import Answer, Patience, ask
from groundplane.local.provider.workload import AGAIN_SECONDS, Key, NotYetError, Subject, Tools, condition, now

if TYPE_CHECKING:
    from pathlib import Path

    from groundplane.apis.processes import Probe
    from groundplane.core.manifest import Manifest
    from groundplane.local.host.child_process import Child

LOG: Final = logging.getLogger("groundplane.provider")
LOOPBACK: Final = "127.0.0.1"
DIGEST: Final = "digest"
FIRST_DELAY: Final = 0.5
MOST_DELAY: Final = 30.0
DAY_SECONDS: Final = 24 * 60 * 60.0  # a certificate is looked at as often
REMOVALS: Final = 20
REMOVAL_SECONDS: Final = 0.1
PROVEN_SECONDS: Final = 60  # after so long it is no longer held against it that it ended before


class ProcessSubject(Subject[ProcessSpec]):
    """One Process."""

    def __init__(self, body: Manifest, tools: Tools) -> None:
        """Find out whether it runs already."""
        super().__init__(PROCESS, ProcessSpec, body, tools)
        self.folder = tools.machine.run(self.whose)
        self.child: Child | None = children.adopt(self.folder)
        adopted = self.child is not None
        self._answers = Patience(held=adopted and self._condition("Ready").get("status") == "True")
        self._serves = Patience(held=adopted and self._condition("Serving").get("status") == "True")
        self.ports: dict[str, int] = {one["name"]: one["number"] for one in self.stored.get("ports") or []}
        self.restarts = int(self.stored.get("restarts") or 0)
        self._began = time.monotonic()
        self._delay = FIRST_DELAY
        self._not_before = 0.0
        self._started: str | None = None
        self._vouched: tuple[object, ...] = ()

    @property
    def needs(self) -> set[Key]:
        """The objects that it waits for, or is made of."""
        serving = self.spec.serving
        after = [*self.spec.after, *(serving.after if serving else ())]
        files = [*self.spec.files, *(serving.files if serving else ())]
        return {(TASK.kind, self.whose.namespace, name) for name in after} | self.files_need(files)

    @property
    def shown(self) -> object:
        """What others may know of it."""
        return self.state, {**self.ports}

    @property
    def ready(self) -> bool:
        """Whether it answers its probe."""
        return self.child is not None and self._answers.holds

    @property
    def state(self) -> str:
        """Stopped, Running or Ready."""
        return "Stopped" if self.child is None else "Ready" if self.ready else "Running"

    async def look(self) -> float | None:
        """Bring what runs closer to what is asked; return the seconds until the next look, None until there is news.

        Raises:
            ProgramError, NotYetError, ConnectionFailedError, OSError: what cannot be done now.
        """
        spec = self.spec
        await self._notice_end()
        waiting = [name for name in spec.after if not self.tools.peers.done(self.whose.namespace, name)]
        if self.child is None and waiting:
            raise NotYetError("Waiting", f"waits for Task {', '.join(waiting)}")
        self._choose_ports(spec)
        variables = self.variables(self.whose, self.ports)
        texts = await self.texts(spec.files, variables)
        argv = self.tools.programs.argv(spec.program, variables)
        changed = self.keep(texts)
        renewed = spec.certificate and self._certify()
        restart = [texts[file.name] for file in spec.files if file.changed == "Restart"]
        digest = self.tools.machine.fingerprint(*argv, *restart)
        if self.child and self._recorded() != digest:
            await self._say("False", "Starting", "it is started again, with what changed")
            await self.stop()
        if self.child is None:
            if (wait := self._not_before - time.monotonic()) > 0:
                return wait
            self._start(argv, digest)
        elif renewed or any(file.name in changed and file.changed == "Reload" for file in spec.files):
            self.child.send(signal.SIGHUP)
        return await self._probe(spec, variables)

    async def stop(self) -> None:
        """End it as its spec says."""
        if self.child is not None:
            stop = self.spec.stop
            await self.child.stop(signal.Signals[stop.signal], stop.seconds)
            self._forget()

    async def remove(self) -> None:
        """End it, and let go of everything it had but what is to stay."""
        await self.stop()
        await asyncio.to_thread(_remove, self.folder)
        if self.spec.data_policy == "Delete":
            await asyncio.to_thread(_remove, self.tools.machine.data(self.whose))

    async def failed(self, reason: str, message: str) -> None:
        """Say why it is not where it should be."""
        if self.child is None or not self.ready:
            await self._say("False", reason, message)

    async def _notice_end(self) -> None:
        if self.child is None or self.child.alive():
            return
        code, said = self.child.code(), children.last_words(self.tools.machine.log(self.whose))
        self._forget()
        if time.monotonic() - self._began > PROVEN_SECONDS:
            self._delay = FIRST_DELAY
        self._not_before, self._delay = time.monotonic() + self._delay, min(self._delay * 2, MOST_DELAY)
        self.restarts += 1
        how = "ended" if code is None else f"ended with {code}"
        await self._say("False", "BackOff", f"it {how}: {said}" if said else f"it {how}")

    def _forget(self) -> None:
        children.forget(self.folder)
        self.child = None
        self._answers.reset()
        self._serves.reset()

    def _recorded(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / DIGEST).read_text()
        return ""

    def _choose_ports(self, spec: ProcessSpec) -> None:
        for port in spec.ports:
            if port.name not in self.ports:
                self.ports[port.name] = _free_port()
            elif self.child is None and not _is_free(self.ports[port.name]):
                message = f"port {self.ports[port.name]} is used by another program; end that"
                raise NotYetError("PortTaken", message, AGAIN_SECONDS)

    def _start(self, argv: list[str], digest: str) -> None:
        log = self.tools.machine.log(self.whose)
        log_rotation.rotate(log)
        write(self.folder / DIGEST, digest)
        children.remember(self.folder, signal.Signals[self.spec.stop.signal], self.spec.stop.seconds)
        self.child = children.start(self.folder, argv, log)
        self._began, self._started = time.monotonic(), now()

    async def _probe(self, spec: ProcessSpec, variables: dict[str, str]) -> float | None:
        """Ask it how it is, say so, and return the seconds until it is asked again."""
        answered = self._answers.holds
        if not answered:
            await self._listen(spec, variables)
        served = await self._try(spec, variables) if self._answers.holds else None
        if served and spec.serving:
            self._serves.take(served, spec.serving.failure_threshold)
        if answered:
            await self._listen(spec, variables, served)
        if not self.ready:
            await self._say("False", "NotAnswering" if self._answers.is_late else "Starting", "it does not answer yet")
            return self._answers.again(spec.probe.period_seconds if spec.probe else DAY_SECONDS)
        await self._say("True", "Running")
        if log_rotation.is_long(log := self.tools.machine.log(self.whose)):
            await asyncio.to_thread(log_rotation.rotate, log)  # it waits for the disk
        due = [self._answers.again(spec.probe.period_seconds)] if spec.probe else []
        due += [self._serves.again(spec.serving.period_seconds)] if served and spec.serving else []
        return min(due) if due else DAY_SECONDS if spec.certificate else None

    async def _listen(self, spec: ProcessSpec, variables: dict[str, str], served: Answer | None = None) -> None:
        """Find out whether it answers; what serves does."""
        if spec.probe is None:
            self._answers.take(Answer(holds=True), 1)
        else:
            answer = served if served and served.holds else await self._ask(spec, spec.probe, variables)
            self._answers.take(answer, spec.probe.failure_threshold)

    async def _try(self, spec: ProcessSpec, variables: dict[str, str]) -> Answer | None:
        """Return whether it serves; None while that cannot be asked.

        Raises:
            ProgramError, ConnectionFailedError, OSError: the probe cannot be run.
        """
        probe = spec.serving
        if probe is None:
            return None
        waiting = [name for name in probe.after if not self.tools.peers.done(self.whose.namespace, name)]
        if waiting and not self._condition("Serving"):
            return None
        try:
            self.keep(await self.texts(probe.files, variables))
        except NotYetError as error:
            return Answer(holds=False, said=str(error))
        return await self._ask(spec, probe, variables)

    async def _ask(self, spec: ProcessSpec, probe: Probe, variables: dict[str, str]) -> Answer:
        program = self.tools.programs.find(spec.program.distribution, probe.name)
        args = [expand(word, variables) for word in probe.args]
        return await ask([*unprivileged(), str(program), *args], probe.timeout_seconds)

    def _certify(self) -> bool:
        """Look after the certificate; return whether it changed. Files that are as they were are read once a day."""
        folder, now_ = self.tools.machine.files(self.whose), datetime.now(UTC)
        if self._vouched and self._vouched == _marks(folder, now_):
            return False
        changed = self.tools.authority.keep(folder, self.whose.name, now_)
        self._vouched = _marks(folder, now_)
        return changed

    async def _say(self, status: str, reason: str, message: str = "") -> None:
        known = self.child.pid if self.child else None
        began = self._started if known and self._started else self.stored.get("startedAt") if known else None
        await self.say(
            conditions=[condition("Ready", status, reason, message), *self._serving(status, reason, message)],
            pid=known,
            startedAt=began,
            restarts=self.restarts,
            ports=[{"name": name, "number": number} for name, number in self.ports.items()],
            **({"authority": self.tools.authority.pem.decode()} if self.spec.certificate else {}),
        )

    def _serving(self, status: str, reason: str, message: str) -> list[Manifest]:
        """Return the condition Serving, once it was probed. What does not answer serves nobody."""
        if self.spec.serving is None or not (self._serves.known or self._condition("Serving")):
            return []
        if status != "True":
            return [condition("Serving", "False", reason, message)]
        if self._serves.holds:
            return [condition("Serving", "True", "Serving")]
        return [condition("Serving", "False", "NotServing", self._serves.said)]


def _marks(folder: Path, day: datetime) -> tuple[object, ...]:
    """Return what is another as soon as the certificate in *folder* is, and every *day*; empty while there is none."""
    try:
        found = [(folder / name).stat() for name in (CA, KEY, CERTIFICATE)]
    except FileNotFoundError:
        return ()
    return (day.date(), *((one.st_ino, one.st_size, one.st_mtime_ns) for one in found))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        number: int = one.getsockname()[1]
        return number


def _is_free(number: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((LOOPBACK, number))
        except OSError:
            return False
    return True


def _remove(folder: Path) -> None:
    """Remove *folder*, also while programs that were killed write their last."""
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(REMOVAL_SECONDS)
    LOG.warning("%s could not be removed", folder)
