"""Logs that programs write to without end: they are kept short, and nobody who reads them misses a line."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.machine import COMMAND_SECONDS, GROUNDPLANE
from groundplane.local.host import log_rotation
from groundplane.local.host.log_tail import Growing
from groundplane.local.plane.home import Home

LINES = 100_000
# Writes so many numbered lines, each by itself, as programs do.
WRITER = f"""
import os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
for number in range({LINES}):
    os.write(log, b"%031d\\n" % number)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.touch()
    return path


@pytest.fixture
def collapses(tmp_path: Path) -> None:
    """Skip where no file system can do it."""
    path = tmp_path / "probe"
    path.write_bytes(b"x" * 2**20)
    with path.open("r+b") as file:
        if not log_rotation.collapse(file.fileno(), 2**19):
            pytest.skip("the file system of temporary files cannot take the beginning of a file away")


def test_a_short_log_is_left_alone_and_one_that_is_not_there_is_none(log: Path) -> None:
    log.write_text("short\n")
    log_rotation.rotate(log)
    log_rotation.rotate(log.with_name("none.log"))
    assert [*log.parent.iterdir()] == [log]


@pytest.mark.usefixtures("collapses")
@pytest.mark.parametrize("can", [True, False])
def test_a_long_log_is_kept_once_for_its_owner_alone_and_the_file_stays_the_same(
    log: Path, monkeypatch: pytest.MonkeyPatch, *, can: bool
) -> None:
    if not can:
        monkeypatch.setattr(log_rotation, "collapse", lambda *_: False)
    monkeypatch.setattr(log_rotation, "LOG_BYTES", 100_000)
    text = "".join(f"{number}\n" for number in range(100_000))
    log_rotation.before(log).write_text("older\n")
    log.write_text(text)
    with log.open("a") as program:
        log_rotation.rotate(log)
        program.write("more\n")
    assert log_rotation.before(log).stat().st_mode & 0o077 == 0
    assert len(log.read_text()) < 100_000
    assert log_rotation.before(log).read_text() + log.read_text() == f"{text}more\n"


@pytest.mark.usefixtures("collapses")
def test_nothing_is_lost_of_what_is_written_while_a_log_is_rotated(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_rotation, "LOG_BYTES", 200_000)
    pieces = []
    with subprocess.Popen([sys.executable, "-c", WRITER, str(log)]) as writer:
        while writer.poll() is None:
            if log_rotation.is_long(log):
                log_rotation.rotate(log)
                pieces.append(log_rotation.before(log).read_bytes())
    assert pieces
    assert [int(one) for one in b"".join([*pieces, log.read_bytes()]).splitlines()] == [*range(LINES)]


@pytest.mark.usefixtures("collapses")
@pytest.mark.parametrize("can", [True, False])
def test_a_reader_has_each_line_once_however_much_of_a_log_it_had_read_when_that_was_rotated(
    log: Path, monkeypatch: pytest.MonkeyPatch, *, can: bool
) -> None:
    if not can:
        monkeypatch.setattr(log_rotation, "collapse", lambda *_: False)
    monkeypatch.setattr(log_rotation, "LOG_BYTES", 20_000)
    reader, read, number = Growing(log), [], 0
    with log.open("a") as program:
        for lag in (0, 1, 100, 400):
            for _ in range(700):
                program.write(f"{number:031d}\n")
                program.flush()
                number += 1
                if number % 700 == 700 - lag:
                    read += reader.more()
            read += [] if lag else reader.more()
            log_rotation.rotate(log)
            read += reader.more()
    assert [int(one) for one in read] == [*range(number)]


def test_a_reader_that_lags_behind_a_cut_is_given_what_was_taken_off(log: Path) -> None:
    reader = Growing(log)
    log.write_text("one\ntw")
    assert reader.more() == ["one"]
    log_rotation.before(log).write_text("one\ntwo\nthree\n")  # as it is where the whole log is cut
    log.write_text("f\n")
    assert reader.more() == ["two", "three", "f"]
    log_rotation.before(log).unlink()
    log.write_text("")
    assert reader.more() == []
    log.write_text("after\n")
    assert reader.more() == ["after"]


def test_the_last_lines_are_whole_unless_half_of_one_is_asked_for(log: Path) -> None:
    assert Growing(log.with_name("none.log")).last(5) == []
    log.write_text("one\ntwo\nthr")
    assert Growing(log).last(1) == ["two"]
    assert Growing(log).last(2, half=True) == ["two", "thr"]
    assert Growing(log).last(0) == []
    log.write_text("x" * 300_000 + "\nlast\n")
    assert Growing(log).last(5) == ["last"]


@pytest.fixture
def following(tmp_path: Path) -> Iterator[tuple[Path, "subprocess.Popen[str]"]]:
    """Return the log of a plane, which is not there yet, and a command that follows it."""
    home = Home(tmp_path)
    home.log.parent.mkdir()
    words = [str(GROUNDPLANE), "logs", "--follow", "--home", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as command:
        limit = threading.Timer(COMMAND_SECONDS, command.kill)
        limit.start()
        yield home.log, command
        limit.cancel()
        command.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_follow_shows_what_comes_also_after_a_rotation_and_ends_by_a_signal_with_0(
    following: tuple[Path, "subprocess.Popen[str]"], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(log_rotation, "LOG_BYTES", 1000)
    log, command = following
    assert command.stdout
    for text in ("first", "second" * 1000, "third", "fourth"):
        with log.open("a") as program:
            program.write(f"{text}\n")
        assert command.stdout.readline() == f"{text}\n"
        log_rotation.rotate(log)
    assert log_rotation.before(log).exists()
    command.send_signal(number)
    assert command.wait(COMMAND_SECONDS) == 0
    assert command.stdout.read() == ""


def test_without_follow_a_log_that_is_not_there_is_said(tmp_path: Path) -> None:
    words = [str(GROUNDPLANE), "logs", "--home", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.returncode, done.stderr) == (1, "Error: there is nothing to show yet\n")
