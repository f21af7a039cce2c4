"""What waits for others says so once it is worth a word: at a birth all wait for each other, for a moment."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from groundplane.apis.processes import PROCESS, TASK
from groundplane.local.provider import supervisor, task
from groundplane.local.provider.kopf_import import kopf
from groundplane.local.provider.paths import Machine
from groundplane.local.provider.supervisor import Supervisor

SOON = 0.4


def body(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "team-a", "name": name, "uid": f"uid-{name}", "generation": 1}
    return {"metadata": metadata, "spec": {"program": {"name": "true"}, **spec}}


@pytest.mark.parametrize(("seconds", "expected"), [(SOON / 4, []), (SOON * 3, ["Waiting"])])
def test_who_waits_for_a_moment_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, expected: list[str]
) -> None:
    monkeypatch.setattr(kopf, "event", lambda *_, **__: None)
    monkeypatch.setattr(supervisor, "SOON_SECONDS", SOON)
    told: list[str] = []

    class Connection:
        async def patch_status(self, _: Any, __: Any, status: Any) -> None:
            told.append(status["conditions"][0]["reason"])

    async def work() -> None:
        given: Any = None, None, Connection()
        made = Supervisor(Machine(tmp_path), *given)
        made.see(TASK, body("setup", process="orders"))
        key = (TASK.kind, "team-a", "setup")
        for _ in range(3):  # others change meanwhile, and it looks again
            await asyncio.sleep(seconds / 3)
            made._all[key].wake.set()
        assert told == expected
        await made._all[key].end()

    asyncio.run(work())


@pytest.mark.parametrize(("seconds", "expected"), [("0", ["Succeeded"]), ("1.2", ["Running", "Succeeded"])])
def test_what_is_done_at_once_does_not_say_that_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: str, expected: list[str]
) -> None:
    monkeypatch.setattr(kopf, "event", lambda *_, **__: None)
    monkeypatch.setattr(task, "SOON_SECONDS", SOON)
    told: list[str] = []
    done = asyncio.Event()

    class Connection:
        async def patch_status(self, kind: Any, _: Any, status: Any) -> None:
            if kind is TASK:
                told.append(status["conditions"][0]["reason"])
            if told[-1:] == ["Succeeded"]:
                done.set()

    class Programs:
        def argv(self, program: Any, _: Any) -> list[str]:
            return ["sleep", "60" if program.name == "server" else seconds]

    async def work() -> None:
        given: Any = Programs(), None, Connection()
        made = Supervisor(Machine(tmp_path), *given)
        made.see(PROCESS, body("orders", size="1Gi", program={"name": "server"}))
        made.see(TASK, body("setup", process="orders"))
        await done.wait()
        await made.close()

    asyncio.run(asyncio.wait_for(work(), 20))
    assert told == expected
