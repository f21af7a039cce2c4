"""The script behind `make planes`: what it says where a program is missing, and how it ends."""

import contextlib
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import compare
from bareplane import binaries
from bareplane.plane import FOLDER_VARIABLE, PlaneError


@pytest.fixture(autouse=True)
def no_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "missing", lambda *_: "")


def test_without_its_programs_it_is_skipped_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(binaries, "missing", lambda *names: f"no {names[0]} here")
    assert compare.main([]) == 0
    assert capsys.readouterr().out == "planes: skipped: no etcd here\n"


def test_a_plane_that_does_not_come_up_fails_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def started() -> None:
        raise PlaneError("etcd ended before")

    monkeypatch.setattr(compare, "started", started)
    assert compare.main([]) == 1
    assert capsys.readouterr().err == "planes: etcd ended before\n"


@pytest.mark.parametrize("code", [0, 1])
def test_the_suite_runs_on_the_plane_and_its_code_is_the_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    ran: list[tuple[tuple[str, ...], str]] = []

    def run(words: tuple[str, ...], env: dict[str, str], **_: object) -> SimpleNamespace:
        ran.append((words, env[FOLDER_VARIABLE]))
        return SimpleNamespace(returncode=code)

    monkeypatch.setattr(compare, "started", lambda: contextlib.nullcontext(SimpleNamespace(folder=tmp_path)))
    monkeypatch.setattr(subprocess, "run", run)
    assert compare.main(["-k", "Lease"]) == code
    ((words, folder),) = ran
    assert words[1] == "tests/planes"
    assert words[-2:] == ("-k", "Lease")
    assert folder == str(tmp_path)
