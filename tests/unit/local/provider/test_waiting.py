"""What waits for others says so once it is worth a word: at a birth all wait for each other, for a moment."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from groundplane.apis.processes import TASK
from groundplane.local.provider import supervisor
from groundplane.local.provider.kopf_import import kopf
from groundplane.local.provider.paths import Machine
from groundplane.local.provider.supervisor import Supervisor

SOON = 0.4


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
        metadata = {"namespace": "team-a", "name": "setup", "uid": "uid-1", "generation": 1}
        made.see(TASK, {"metadata": metadata, "spec": {"program": {"name": "true"}, "process": "orders"}})
        key = (TASK.kind, "team-a", "setup")
        for _ in range(3):  # others change meanwhile, and it looks again
            await asyncio.sleep(seconds / 3)
            made._all[key].wake.set()
        assert told == expected
        await made._all[key].end()

    asyncio.run(work())
