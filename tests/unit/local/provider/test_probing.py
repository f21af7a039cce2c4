"""What probes come to: yes at once, no after several in a row, in the words of the program, within seconds."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from groundplane.local.host import child_process as children
from groundplane.local.host.executables import Programs
from groundplane.local.host.private_files import write
from groundplane.local.provider.paths import Identity, Machine
from groundplane.local.provider.probing import Answer, Patience, ask
from groundplane.local.provider.process import ProcessSubject
from groundplane.local.provider.workload import Tools

NO, YES = Answer(holds=False, said="no"), Answer(holds=True)
FEW_SECONDS = 5


def test_one_yes_is_enough_and_one_failure_is_not() -> None:
    patience, found = Patience(held=False), []
    for answer in (NO, YES, NO, NO, YES, NO, NO, NO, NO, YES):
        patience.take(answer, 3)
        found.append(patience.holds)
    assert found == [False, True, True, True, True, True, True, False, False, True]


def test_an_outage_is_known_within_seconds_and_what_lasts_is_asked_less_often() -> None:
    patience, waited = Patience(held=True), []
    while patience.holds:
        patience.take(NO, 3)
        waited.append(patience.again(10))
    assert sum(waited) < FEW_SECONDS
    for _ in range(100):
        patience.take(NO, 3)
    assert patience.again(10) == 10


def test_what_starts_is_asked_all_the_time() -> None:
    patience, waited = Patience(held=False), []
    for _ in range(4):
        patience.take(NO, 3)
        waited.append(patience.again(10))
    assert waited == [0.1, 0.2, 0.4, 0.8]


def program(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return [str(path)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "echo 'psql:/srv/x/serving.sql:7: error: failed: FATAL:  made up' >&2; exit 3",
            "FATAL:  made up",
        ),
        ("echo 'psql:/srv/x/serving.sql:7: error: made up' >&2; exit 3", "error: made up"),
        ("exit 3", "it ended with 3"),
    ],
)
def test_a_probe_that_fails_is_told_in_its_own_words(tmp_path: Path, text: str, said: str) -> None:
    assert asyncio.run(ask(program(tmp_path, "probe", text), 20)) == Answer(holds=False, said=said)


def test_a_probe_that_hangs_is_ended(tmp_path: Path) -> None:
    argv = program(tmp_path, "probe", "exec sleep 20")
    assert asyncio.run(ask(argv, 0.5)) == Answer(holds=False, said="it did not answer within 0.5 s")
    assert asyncio.run(ask(program(tmp_path, "other", "exit 0"), 20)) == YES


class Written:
    """An API server that holds Secrets, and remembers what is said of one object."""

    def __init__(self) -> None:
        """Begin with one Secret."""
        self.secrets: dict[str, dict[str, bytes]] = {"login": {"password": b"made-up"}}
        self.said: list[dict[str, str]] = []

    async def secret(self, _namespace: str, name: str) -> dict[str, bytes] | None:
        """Return a Secret."""
        return self.secrets.get(name)

    async def patch_status(self, _kind: object, _manifest: object, status: Mapping[str, Any]) -> None:
        """Remember the conditions."""
        found = {one["type"]: one["status"] for one in status["conditions"]}
        found |= {f"{one['type']} says": one["message"] for one in status["conditions"] if one["message"]}
        self.said.append(found)


class Peers:
    """Tasks that are done."""

    def __init__(self) -> None:
        """Begin with none."""
        self.tasks: set[str] = set()

    def done(self, _namespace: str, task: str) -> bool:
        """Tell whether it is done."""
        return task in self.tasks

    def process(self, *_: str) -> None:
        """Know no Process."""


class Probed:
    """One Process whose two probes are files: it answers while `answers` is there, and serves while `serves` is."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin with a program that sleeps."""
        self.folder, self.written, self.peers = folder, Written(), Peers()
        monkeypatch.setattr("groundplane.local.provider.workload.kopf.event", lambda *_, **__: None)
        (folder / "bin").mkdir()
        program(folder / "bin", "server", "exec sleep 60")
        program(folder / "bin", "answering", f"test -e {folder}/answers")
        program(folder / "bin", "serving", f"test -e {folder}/serves || {{ echo 'FATAL:  made up' >&2; exit 2; }}")
        spec = {
            "program": {"distribution": "acme", "name": "server"},
            "probe": {"name": "answering"},
            "serving": {
                "name": "serving",
                "after": ["setup"],
                "files": [{"name": "password", "secret": {"name": "login", "key": "password"}}],
            },
            "size": "1Gi",
        }
        metadata = {"namespace": "team-a", "name": "one", "uid": "uid-1", "generation": 1}
        self.body: dict[str, Any] = {"metadata": metadata, "spec": spec}
        nothing: Any = None
        connection: Any = self.written
        programs = Programs({"acme": folder / "bin"})
        self.tools = Tools(Machine(folder / "home"), programs, nothing, connection, self.peers)
        self.subject = ProcessSubject(self.body, self.tools)
        self.begun: list[children.Child] = []

    def set(self, name: str, *, there: bool) -> None:
        """Let the file *name* be there or not."""
        if there:
            (self.folder / name).touch()
        else:
            (self.folder / name).unlink()

    async def says(self, looks: int = 1) -> dict[str, str]:
        """Return what is said after *looks*."""
        for _ in range(looks):
            self.delay = await self.subject.look()
            if self.subject.child and self.subject.child not in self.begun:
                self.begun.append(self.subject.child)
        return self.written.said[-1]


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Probed]:
    with tempfile.TemporaryDirectory(prefix="gp-") as folder:
        made = Probed(Path(folder), monkeypatch)
        yield made
        for child in made.begun:
            asyncio.run(child.kill())


def test_nothing_is_said_of_serving_until_its_task_is_done_and_then_at_once(probed: Probed) -> None:
    async def work() -> None:
        assert await probed.says() == {"Ready": "False", "Ready says": "it does not answer yet"}
        probed.set("answers", there=True)
        assert await probed.says() == {"Ready": "True"}
        probed.set("serves", there=True)
        probed.peers.tasks.add("setup")
        assert await probed.says() == {"Ready": "True", "Serving": "True"}
        probed.peers.tasks.clear()  # the Task is to do other work: what serves goes on to be asked
        probed.set("serves", there=False)
        assert await probed.says(3) == {"Ready": "True", "Serving": "False", "Serving says": "FATAL:  made up"}

    asyncio.run(work())


def test_one_slow_moment_is_no_outage_and_three_are(probed: Probed) -> None:
    async def work() -> None:
        probed.peers.tasks.add("setup")
        for name in ("answers", "serves"):
            probed.set(name, there=True)
        await probed.says()
        while probed.written.said[-1] != {"Ready": "True", "Serving": "True"}:
            await probed.says()
        assert probed.delay == 10
        written = len(probed.written.said)
        probed.set("serves", there=False)
        await probed.says(2)
        assert len(probed.written.said) == written
        assert probed.delay == 1
        assert (await probed.says())["Serving"] == "False"
        probed.set("serves", there=True)
        assert (await probed.says())["Serving"] == "True"

    asyncio.run(work())


def test_what_does_not_answer_serves_nobody_and_what_serves_answers(probed: Probed) -> None:
    async def work() -> None:
        probed.peers.tasks.add("setup")
        for name in ("answers", "serves"):
            probed.set(name, there=True)
        await probed.says(2)
        probed.set("answers", there=False)
        assert await probed.says(5) == {"Ready": "True", "Serving": "True"}  # nobody asked whether it answers
        probed.set("serves", there=False)
        said = await probed.says(3)
        assert (said["Ready"], said["Serving"]) == ("False", "False")

    asyncio.run(work())


def test_a_secret_that_is_gone_or_no_text_is_told_and_the_server_is_looked_after(probed: Probed) -> None:
    async def work() -> None:
        probed.peers.tasks.add("setup")
        for name in ("answers", "serves"):
            probed.set(name, there=True)
        await probed.says(2)
        for entries, said in (
            (None, "Secret login does not exist"),
            ({}, "Secret login has no entry password"),
            ({"password": b"\xff"}, "Secret login: entry password is not text in UTF-8"),
            ({"password": b"made\0up"}, "Secret login: entry password is not text in UTF-8"),
        ):
            probed.written.secrets = {} if entries is None else {"login": entries}
            assert await probed.says(3) == {"Ready": "True", "Serving": "False", "Serving says": said}

    asyncio.run(work())


def test_a_provider_that_comes_back_believes_what_was_said_until_it_knows_better(probed: Probed) -> None:
    async def work() -> None:
        probed.peers.tasks.add("setup")
        for name in ("answers", "serves"):
            probed.set(name, there=True)
        await probed.says(2)
        while children.adopt(probed.tools.machine.run(probed.subject.whose)) is None:  # noqa: ASYNC110  # The child writes it.
            await asyncio.sleep(0.05)
        probed.body["status"] = probed.subject.stored
        probed.subject = ProcessSubject(probed.body, probed.tools)
        assert probed.subject.state == "Ready"
        written = len(probed.written.said)
        probed.set("serves", there=False)
        await probed.says(2)
        assert len(probed.written.said) == written
        assert (await probed.says())["Serving"] == "False"

    asyncio.run(work())


def test_files_of_the_probe_are_the_owners_alone(probed: Probed) -> None:
    async def work() -> None:
        probed.peers.tasks.add("setup")
        for name in ("answers", "serves"):
            probed.set(name, there=True)
        await probed.says(2)

    asyncio.run(work())
    whose = Identity("Process", "team-a", "one", "uid-1")
    path = probed.tools.machine.files(whose) / "password"
    assert path.read_bytes() == b"made-up"
    assert path.stat().st_mode & 0o077 == 0
    assert not write(path, b"made-up")
