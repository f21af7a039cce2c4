"""What a Process and a Task have in common: an object, its folders, its files, its status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

from groundplane.core.manifest import SECRET, Kind, Manifest
from groundplane.local.host.executables import Programs, expand
from groundplane.local.host.private_files import write
from groundplane.local.provider.kopf_import import kopf
from groundplane.local.provider.paths import Identity, Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel

    from groundplane.apis.processes import ConfigFile
    from groundplane.local.host.certificates import Authority
    from groundplane.local.provider.connection import Connection


AGAIN_SECONDS: Final = 5.0
SELDOM_SECONDS: Final = 60.0
SOON_SECONDS: Final = 2.0  # what is over sooner is not told
Key = tuple[str, str, str]
"""Kind, namespace and name of an object."""


class NotYetError(Exception):
    """Something that is needed is not there. *reason* and message go into the condition.

    Whoever waits for another object is told when that changes, and looks seldom; nobody tells of a port, for example.
    """

    def __init__(self, reason: str, message: str, seconds: float = SELDOM_SECONDS) -> None:
        """Say what is missing, and after how many seconds to look again."""
        super().__init__(message)
        self.reason = reason
        self.seconds = seconds


class Peers(Protocol):
    """What one object may know of the others."""

    def done(self, namespace: str, task: str) -> bool:
        """Whether a Task has succeeded with what it says now."""

    def process(self, namespace: str, name: str) -> tuple[Identity, Mapping[str, int], str] | None:
        """Return identity, ports and state (Stopped, Running, Ready) of a Process; None when there is none."""


class Tools:
    """What every subject works with."""

    def __init__(
        self, machine: Machine, programs: Programs, authority: Authority, connection: Connection, peers: Peers
    ) -> None:
        """Hold the parts together."""
        self.machine = machine
        self.programs = programs
        self.authority = authority
        self.connection = connection
        self.peers = peers


Spec = TypeVar("Spec", bound="BaseModel")


class Subject(Generic[Spec]):
    """One object, and what was written of it."""

    def __init__(self, kind: Kind, model: type[Spec], body: Manifest, tools: Tools) -> None:
        """Take care of *body*, whose spec *model* reads."""
        self.kind, self.body, self.tools = kind, body, tools
        self._model = model
        self._asked: tuple[Manifest, Spec] | None = None
        metadata = body["metadata"]
        self.whose = Identity(kind.kind, metadata["namespace"], metadata["name"], metadata["uid"])
        self._written: Manifest = dict(body.get("status") or {})

    @property
    def spec(self) -> Spec:
        """What is asked now."""
        if self._asked is None or self._asked[0] is not self.body:
            self._asked = self.body, self._model.model_validate(self.body["spec"])
        return self._asked[1]

    @property
    def generation(self) -> int:
        """The generation of what is asked now."""
        return int(self.body["metadata"].get("generation") or 0)

    @property
    def stored(self) -> Manifest:
        """The status as it was read or written last."""
        return self._written

    def files_need(self, files: Iterable[ConfigFile]) -> set[Key]:
        """Return the Secrets that *files* are made of."""
        return {(SECRET.kind, self.whose.namespace, file.secret.name) for file in files if file.secret}

    def variables(self, process: Identity, ports: Mapping[str, int]) -> dict[str, str]:
        """Return what $(NAME) stands for: folders of *process*, files of this object."""
        machine = self.tools.machine
        return {
            "DATA": str(machine.data(process)),
            "RUN": str(machine.run(process)),
            "FILES": str(machine.files(self.whose)),
            "BACKUPS": str(machine.backups(self.whose.namespace)),
            **{f"PORT_{name.upper()}": str(number) for name, number in ports.items()},
        }

    async def texts(self, files: Iterable[ConfigFile], variables: Mapping[str, str]) -> dict[str, str]:
        """Return what each of *files* is to hold.

        Raises:
            NotYetError: a Secret or its entry is missing, or is no text.
            ProgramError: a variable is not known.
        """
        found = {}
        for file in files:
            if file.secret is None:
                found[file.name] = expand(file.content or "", variables)
                continue
            entries = await self.tools.connection.secret(self.whose.namespace, file.secret.name)
            if entries is None or file.secret.key not in entries:
                lacks = f"has no entry {file.secret.key}" if entries is not None else "does not exist"
                raise NotYetError("FilesNotReady", f"Secret {file.secret.name} {lacks}")
            found[file.name] = text = entries[file.secret.key].decode(errors="replace")
            if "\0" in text or text.encode() != entries[file.secret.key]:
                lacks = f"entry {file.secret.key} is not text in UTF-8"
                raise NotYetError("FilesNotReady", f"Secret {file.secret.name}: {lacks}")
        return found

    def keep(self, texts: Mapping[str, str]) -> set[str]:
        """Write the files; return the names of those that changed."""
        folder = self.tools.machine.files(self.whose)
        return {name for name, text in texts.items() if write(folder / name, text)}

    async def say(self, **status: Any) -> None:
        """Write *status* where it differs from what is there. A condition keeps the time of its last change."""
        conditions = [self._dated(one) for one in status.pop("conditions", [])]
        wanted = {"observedGeneration": self.generation, **status, **({"conditions": conditions} if conditions else {})}
        if all(self._written.get(key) == value for key, value in wanted.items()):
            return
        before = {one["type"]: one["reason"] for one in self._written.get("conditions") or []}
        await self.tools.connection.patch_status(self.kind, self.body, wanted)
        self._written |= wanted
        self._post(before, conditions)

    def _post(self, before: Mapping[str, str], conditions: Iterable[Manifest]) -> None:
        """Post an event for each reason that is another than *before*; one that two conditions share, once."""
        # What waits for others says so in its condition; an event for each would be one write in ten, and tell nothing.
        told = {"Waiting"}
        for one in conditions:
            reason, message = one["reason"], one["message"] or one["reason"]
            if before.get(one["type"]) != reason and reason not in told:
                told.add(reason)
                level = "Warning" if reason in TROUBLE else "Normal"
                kopf.event(kopf.Body(cast("Any", self.body)), type=level, reason=reason, message=message)

    def _condition(self, kind: str) -> Manifest:
        return next((one for one in self._written.get("conditions") or [] if one["type"] == kind), {})

    def _dated(self, condition: Manifest) -> Manifest:
        before = self._condition(condition["type"])
        same = before.get("status") == condition["status"] and "lastTransitionTime" in before
        return {**condition, "lastTransitionTime": before["lastTransitionTime"] if same else now()}


TROUBLE: Final = frozenset(
    {"BackOff", "ProgramNotFound", "FilesNotReady", "PortTaken", "Failed", "TimedOut", "NotServing"}
)


def now() -> str:
    """Return the time, as an API server writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str, reason: str, message: str = "") -> Manifest:
    """Return a condition without its time."""
    return {"type": kind, "status": status, "reason": reason, "message": message}
