"""Whoever waits for an object looks again when that changes, and nobody else does."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from groundplane.apis.processes import PROCESS, TASK
from groundplane.local.provider import supervisor
from groundplane.local.provider.paths import Machine
from groundplane.local.provider.process import ProcessSubject
from groundplane.local.provider.supervisor import Supervisor
from groundplane.local.provider.task import TaskSubject

PROGRAM = {"name": "sleep", "args": ["60"]}
SECRET_FILE = {"name": "password", "secret": {"name": "login", "key": "password"}}


def body(name: str, generation: int = 1, namespace: str = "team-a", uid: str = "", **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "uid": uid or f"{namespace}-{name}", "generation": generation}
    return {"metadata": metadata, "spec": {"program": PROGRAM, **spec}}


class Looks:
    """A supervisor whose subjects do nothing but look, and who looked."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        nothing: Any = None
        self.made = Supervisor(Machine(tmp_path), nothing, nothing, nothing)
        self.names: list[str] = []

        async def look(watched: supervisor.Watched) -> None:
            self.names.append(f"{watched.subject.whose.namespace}/{watched.subject.whose.name}")

        monkeypatch.setattr(supervisor.Watched, "_look", look)

    async def after(self, *keys: tuple[str, str, str]) -> list[str]:
        """Return who looked because *keys* changed, or since the last time."""
        await asyncio.sleep(0.01)
        if keys:
            self.names.clear()
        for key in keys:
            self.made.changed(key)
        await asyncio.sleep(0.01)
        found, self.names = sorted(self.names), []
        return found


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(tmp_path, monkeypatch)


def test_a_change_is_for_whoever_names_the_object(looks: Looks) -> None:
    async def work() -> None:
        see = looks.made.see
        see(PROCESS, body("one", size="1Gi", after=["init"]))
        see(PROCESS, body("two", size="1Gi", after=["other"]))
        see(TASK, body("init", process="one", when="Before"))
        see(TASK, body("copy", process="two", source="one"))
        see(TASK, body("setup", process="two", files=[SECRET_FILE]))
        see(TASK, body("init", namespace="team-b", process="one"))
        assert len(await looks.after()) == 6
        assert await looks.after(("Process", "team-a", "one")) == ["team-a/copy", "team-a/init"]
        assert await looks.after(("Task", "team-a", "init")) == ["team-a/one"]
        assert await looks.after(("Secret", "team-a", "login")) == ["team-a/setup"]
        assert await looks.after(("Secret", "team-b", "login"), ("Task", "team-a", "copy")) == []
        see(TASK, body("setup", generation=2, process="one"))
        assert await looks.after() == ["team-a/setup"]
        assert await looks.after(("Secret", "team-a", "login")) == []
        assert "team-a/setup" in await looks.after(("Process", "team-a", "one"))
        await looks.made.close()

    asyncio.run(work())


def test_an_object_that_comes_or_goes_is_a_change_of_it(looks: Looks) -> None:
    async def work() -> None:
        looks.made.see(TASK, body("setup", process="one"))
        await looks.after()
        looks.made.see(PROCESS, body("one", size="1Gi"))
        assert await looks.after() == ["team-a/one", "team-a/setup"]
        looks.made.see(PROCESS, body("one", size="1Gi", uid="another life"))
        assert await looks.after() == ["team-a/one", "team-a/setup"]
        await looks.made.remove(PROCESS, body("one", size="1Gi", uid="another life"))
        assert await looks.after() == ["team-a/setup"]
        await looks.made.remove(TASK, body("setup", process="one"))
        assert await looks.after(("Process", "team-a", "one")) == []
        await looks.made.close()

    asyncio.run(work())


def test_what_others_may_see_in_an_object_is_told_when_it_changed(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        done: set[str] = set()
        monkeypatch.setattr(TaskSubject, "succeeded", property(lambda task: task.whose.name in done))
        looks.made.see(TASK, body("init", process="one"))
        looks.made.see(PROCESS, body("one", size="1Gi", after=["init"]))
        await looks.after()
        done.add("init")
        looks.made._all["Task", "team-a", "init"].wake.set()
        assert await looks.after() == ["team-a/init", "team-a/one"]
        looks.made._all["Task", "team-a", "init"].wake.set()
        assert await looks.after() == ["team-a/init"]
        await looks.made.close()

    asyncio.run(work())


def test_what_works_on_the_data_of_a_process_ends_before_these_go(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def stopped(task: TaskSubject) -> None:
        told.append(f"{task.whose.name} ends")

    async def removed(process: ProcessSubject) -> None:
        told.append(f"{process.whose.name} goes")

    async def work() -> None:
        monkeypatch.setattr(TaskSubject, "stop", stopped)
        monkeypatch.setattr(ProcessSubject, "remove", removed)
        looks.made.see(PROCESS, body("one", size="1Gi"))
        looks.made.see(TASK, body("backup", process="one"))
        looks.made.see(TASK, body("copy", process="two", source="one"))
        await looks.made.remove(PROCESS, body("one", size="1Gi"))
        assert told == ["backup ends", "one goes"]
        told.clear()
        looks.made.see(PROCESS, body("one", size="1Gi", uid="second life"))
        looks.made.see(PROCESS, body("one", size="1Gi", uid="third life"))
        await looks.made.gone(PROCESS, body("one", size="1Gi", uid="second life"))
        assert told == ["one goes"]  # and what works for the third goes on
        await looks.made.close()

    asyncio.run(work())
