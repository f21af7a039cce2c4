"""What goes with an object: its programs, however young they are, and its folders, whatever was still written there."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from groundplane.local.provider import child as children
from groundplane.local.provider import process
from groundplane.local.provider.machine import Machine
from groundplane.local.provider.supervisor import Supervisor
from groundplane.local.provider.task import TaskSubject


def test_a_task_that_has_no_record_yet_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = None
    metadata = {"namespace": "team-a", "name": "backup", "uid": "uid-1", "generation": 1}
    body = {"metadata": metadata, "spec": {"program": {"name": "sleep", "args": ["60"]}, "process": "orders"}}
    task = TaskSubject(body, Supervisor(Machine(tmp_path), nothing, nothing, nothing).tools)
    task._begun = begun = children.start(task.folder, ("sleep", "60"), tmp_path / "log")
    monkeypatch.setattr(children, "adopt", lambda _: None)
    try:
        asyncio.run(asyncio.wait_for(task.stop(), 10))
        assert not begun.alive()
    finally:
        asyncio.run(begun.stop(9, 5))


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
