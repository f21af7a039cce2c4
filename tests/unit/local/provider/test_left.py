"""What the provider does with programs of objects that are no more, and with logs that grow."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from groundplane.apis.processes import PROCESS, TASK
from groundplane.core.manifest import Kind
from groundplane.local.host import child_process as children
from groundplane.local.host.kubeconfig import ConnectionFailedError
from groundplane.local.provider.paths import Identity, Machine
from groundplane.local.provider.supervisor import SUBJECTS, Supervisor

ENDED_SECONDS = 50  # less than what runs would take to end by itself

GONE, LIVING = Identity("Process", "team-a", "gone", "uid-1"), Identity("Process", "team-a", "living", "uid-2")


class Listed:
    """A connection to a cluster that has these objects."""

    def __init__(self, uids: dict[str, set[str] | None], *, is_there: bool = True) -> None:
        self._uids = uids
        self._is_there = is_there

    async def uids(self, kind: Kind) -> set[str] | None:
        if not self._is_there:
            raise ConnectionFailedError("made up")
        return self._uids[kind.kind]

    async def patch_status(self, *_: Any) -> None:
        pass


def begun(machine: Machine, whose: Identity, *words: str) -> children.Child:
    folder = machine.run(whose)
    child = children.start(folder, words or ("sleep", "60"), folder / "log")
    for _ in range(500):
        if (folder / children.RECORD).exists():
            return child
        asyncio.run(asyncio.sleep(0.01))
    raise AssertionError("it wrote no record")


def supervisor(machine: Machine, connection: Any) -> Supervisor:
    nothing: Any = None
    return Supervisor(machine, nothing, nothing, connection)


@pytest.mark.parametrize(
    ("connection", "ends"),
    [
        (Listed({"Process": {"uid-2"}, "Task": set()}), True),
        (Listed({"Process": set(), "Task": {"uid-1", "uid-2"}}), False),
        (Listed({"Process": None, "Task": None}), False),
        (Listed({}, is_there=False), False),
    ],
    ids=["listed without it", "listed with it", "kinds not served", "no answer"],
)
def test_only_what_belongs_to_no_object_is_ended_when_the_provider_begins(
    tmp_path: Path, connection: Listed, *, ends: bool
) -> None:
    machine = Machine(tmp_path)
    gone, living = begun(machine, GONE), begun(machine, LIVING)
    try:
        asyncio.run(supervisor(machine, connection).sweep())
        assert (gone.alive(), living.alive()) == (not ends, True)
    finally:
        for child in (gone, living):
            asyncio.run(child.stop(signal.SIGKILL, 5))


def body(uid: str, **spec: Any) -> dict[str, Any]:
    program = {"name": "sleep", "args": ["60"]}
    metadata = {"namespace": "team-a", "name": "gone", "uid": uid, "generation": 1}
    return {"metadata": metadata, "spec": {"program": program, "size": "1Gi", **spec}}


def test_what_runs_for_an_object_whose_finalizer_was_taken_off_is_ended_and_another_life_is_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    child = begun(machine, GONE)

    async def told() -> None:
        made = supervisor(machine, Listed({}))
        made.see(PROCESS, body("uid-1"))
        await made.gone(PROCESS, body("uid-0"))
        await made.gone(TASK, body("uid-1"))
        assert child.alive()
        await made.gone(PROCESS, body("uid-1"))

    try:
        asyncio.run(told())
        assert not child.alive()
        assert not (tmp_path / "run" / GONE.short).exists()
    finally:
        asyncio.run(child.stop(signal.SIGKILL, 5))


def test_what_runs_for_an_object_is_ended_when_another_takes_its_name_before_it_is_known_to_be_gone(
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path)
    child = begun(machine, GONE)
    data = machine.data(GONE)

    def named(made: Supervisor) -> str:
        found = made.process("team-a", "gone")
        return found[0].uid if found else ""

    async def told() -> None:
        made = supervisor(machine, Listed({}))
        first = body("uid-1", dataPolicy="Delete")
        made.see(PROCESS, first)
        made.see(PROCESS, body("uid-3"))
        made.see(PROCESS, first)  # what is told late
        assert named(made) == "uid-3"
        await asyncio.wait_for(child.ended(), ENDED_SECONDS)
        assert data.exists()
        await made.gone(PROCESS, first)
        assert not data.exists()
        assert named(made) == "uid-3"
        await made.close()

    try:
        asyncio.run(told())
        assert not (tmp_path / "run" / GONE.short).exists()
    finally:
        asyncio.run(child.stop(signal.SIGKILL, 5))


def test_at_the_end_what_was_overtaken_has_ended_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    child = begun(machine, GONE, "sh", "-c", "trap '' TERM; sleep 60")

    async def told() -> None:
        made = supervisor(machine, Listed({}))
        made.see(PROCESS, body("uid-1", stop={"seconds": 1}))
        made.see(PROCESS, body("uid-3"))
        await asyncio.wait_for(made.close(), ENDED_SECONDS)
        assert not child.alive()

    try:
        asyncio.run(told())
    finally:
        asyncio.run(child.stop(signal.SIGKILL, 5))


def test_a_removal_that_is_asked_for_twice_is_done(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    child = begun(machine, GONE)

    async def told() -> None:
        made = supervisor(machine, Listed({}))
        made.see(PROCESS, body("uid-1"))
        await asyncio.gather(made.remove(PROCESS, body("uid-1")), made.gone(PROCESS, body("uid-1")))
        await made.remove(PROCESS, body("uid-1"))
        assert made.process("team-a", "gone") is None

    try:
        asyncio.run(told())
        assert not child.alive()
    finally:
        asyncio.run(child.stop(signal.SIGKILL, 5))


def test_at_the_end_every_task_has_ended_before_the_first_process_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Noted:
        def __init__(self, kind: str, name: str) -> None:
            self.whose = Identity(kind, "team-a", name, f"uid-{kind}-{name}")
            self.needs: set[object] = set()
            self.shown = None

        async def look(self) -> None:
            return None

        async def stop(self) -> None:
            told.append(f"{self.whose.kind} begins to end")
            await asyncio.sleep(0)
            told.append(f"{self.whose.kind} ends")

    def making(kind: Kind) -> Any:
        return lambda body, _: Noted(kind.kind, body["metadata"]["name"])

    for kind in (PROCESS, TASK):
        monkeypatch.setitem(SUBJECTS, kind.kind, making(kind))

    async def ended() -> None:
        every = supervisor(Machine(tmp_path), Listed({}))
        for kind, name in ((PROCESS, "a"), (TASK, "b"), (PROCESS, "c"), (TASK, "d")):
            every.see(kind, {"metadata": {"namespace": "team-a", "name": name, "uid": f"uid-{kind.kind}-{name}"}})
        await asyncio.sleep(0)
        await every.close()

    asyncio.run(ended())
    assert [one.partition(" ")[0] for one in told] == ["Task"] * 4 + ["Process"] * 4
