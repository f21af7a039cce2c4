"""What goes with an object: its programs, however young they are, and its folders, whatever was still written there."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from groundplane.apis.processes import PROCESS, TASK
from groundplane.local.host import child_process as children
from groundplane.local.provider import process, supervisor, task
from groundplane.local.provider.kopf_import import kopf
from groundplane.local.provider.paths import Machine
from groundplane.local.provider.supervisor import Supervisor
from groundplane.local.provider.task import TaskSubject

ENDED_SECONDS = 50  # less than what runs would take to end by itself


def body(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "team-a", "name": name, "uid": f"uid-{name}", "generation": 1}
    return {"metadata": metadata, "spec": {"program": {"name": "sleep", "args": ["60"]}, **spec}}


def test_a_task_that_has_no_record_yet_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = None
    subject = TaskSubject(
        body("backup", process="orders"), Supervisor(Machine(tmp_path), nothing, nothing, nothing).tools
    )
    subject._begun = begun = children.start(subject.folder, ("sleep", "60"), tmp_path / "log")
    monkeypatch.setattr(children, "adopt", lambda _: None)
    try:
        asyncio.run(asyncio.wait_for(subject.stop(), ENDED_SECONDS))
        assert not begun.alive()
    finally:
        asyncio.run(begun.stop(9, 5))


def test_a_task_that_is_ended_for_its_process_has_not_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kopf, "event", lambda *_, **__: None)
    for module in (supervisor, task):
        monkeypatch.setattr(module, "SOON_SECONDS", 0.0)  # every word is told
    told: list[Any] = []
    runs = asyncio.Event()

    class Connection:
        async def patch_status(self, _: Any, body: Any, status: Any) -> None:
            told.append((body["metadata"]["name"], status["conditions"][0]["reason"]))
            if told[-1] == ("backup", "Running"):
                runs.set()

    class Programs:
        def argv(self, *_: Any) -> list[str]:
            return ["sleep", "60"]

    async def work() -> None:
        given: Any = Programs(), None, Connection()
        made = Supervisor(Machine(tmp_path), *given)
        orders = body("orders", size="1Gi")
        made.see(PROCESS, orders)
        made.see(TASK, backup := body("backup", process="orders"))
        subject = made._all["Task", "team-a", "backup"].subject
        assert isinstance(subject, TaskSubject)
        await runs.wait()
        await asyncio.sleep(0.05)
        began = subject._begun
        assert began is not None
        await made.remove(PROCESS, orders)
        assert not began.alive()
        await asyncio.sleep(0.05)
        await made.remove(TASK, backup)

    asyncio.run(asyncio.wait_for(work(), ENDED_SECONDS))
    assert [reason for name, reason in told if name == "backup"] == ["Running", "Waiting"]


def test_a_folder_goes_also_when_something_was_written_while_it_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, tries, remove = tmp_path / "data", [], shutil.rmtree
    folder.mkdir()

    def disturbed(path: Path, **words: Any) -> None:
        tries.append(path)
        if len(tries) > 1:
            remove(path, **words)

    monkeypatch.setattr(shutil, "rmtree", disturbed)
    process._remove(folder)
    assert len(tries) == 2
    assert not folder.exists()
