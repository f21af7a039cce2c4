"""Logs for the page: pieces of one file, and of no other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundplane.local.ui import logs
from groundplane.local.ui.proxy import Refusal
from page_server import Page, free_port, page_of


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with page_of(tmp_path_factory.mktemp("home"), free_port()) as made:
        yield made


@pytest.fixture
def log(page: Page) -> Iterator[Path]:
    path = page.home.folder / "logs" / "team-a" / "process-orders-db-1.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


LOG = "/logs?kind=process&namespace=team-a&name=orders-db-1"


def test_a_log_is_read_piece_by_piece_and_begun_anew_when_it_became_shorter(page: Page, log: Path) -> None:
    assert page.ask(LOG).json == {"text": "", "after": 0, "goesOn": False}
    log.write_text("one\ntwo\n")
    first = page.ask(LOG).json
    assert first == {"text": "one\ntwo\n", "after": 8, "goesOn": False}
    with log.open("a") as file:
        file.write("three\nfo")
    second = page.ask(f"{LOG}&after=8").json
    assert second == {"text": "three\n", "after": 14, "goesOn": True}
    log.write_text("new\n")
    assert page.ask(f"{LOG}&after=14").json == {"text": "new\n", "after": 4, "goesOn": False}


def test_a_piece_of_a_log_is_bounded_and_begins_with_a_whole_line(page: Page, log: Path) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(20_000)))
    found = page.ask(LOG).json
    lines = found["text"].splitlines()
    assert len(found["text"]) <= logs.PIECE_BYTES
    assert lines[-1] == "line 19999"
    assert all(re.fullmatch(r"line \d+", line) for line in lines)
    assert found["after"] == log.stat().st_size
    assert len(page.ask(f"{LOG}&after=0").json["text"]) <= logs.PIECE_BYTES


@pytest.mark.parametrize(
    "asked",
    [
        {"namespace": ".."},
        {"namespace": "../logs/team-a"},
        {"namespace": ""},
        {"namespace": "."},
        {"namespace": "/etc"},
        {"name": "../../plane"},
        {"name": "a/../../../plane/token"},
        {"name": "x\0"},
        {"name": "Orders"},
        {"name": "orders-db-1\n"},
        {"kind": "plane"},
        {"kind": "../process"},
        {"after": "-1"},
        {"after": "1e3"},
        {"after": "9" * 40},
        {"after": "²"},
    ],
)
def test_no_other_file_can_be_read_as_a_log(tmp_path: Path, asked: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        logs.read(tmp_path, {"kind": "process", "namespace": "team-a", "name": "orders-db-1", **asked})
    assert refusal.value.code == 400


def test_a_link_is_no_log(page: Page, log: Path) -> None:
    log.symlink_to(page.home.plane / "token")
    assert page.ask(LOG).json["text"] == ""
