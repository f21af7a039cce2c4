"""Decisions and commits: each decision is in the index, each commit says in a short line what it does."""

import re
import subprocess

import pytest

from catalogue import ROOT

LONGEST = 72
BASE = "5f4971b"  # commits before it are what they are
SUBJECT = re.compile(r"[a-z][a-z0-9 ,./-]*: [a-zA-Z`\"'][^\n]*[^.\n]")


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)


def subjects() -> list[str]:
    """Return the subjects of all commits since `BASE`, or skip where the history is not there."""
    try:
        done = git("log", "--no-merges", "--format=%s", f"{BASE}..HEAD")
    except FileNotFoundError:
        pytest.skip("there is no git")
    if done.returncode:
        pytest.skip("the history is not here: a tarball, or a shallow clone")
    return done.stdout.splitlines()


def test_a_commit_says_its_area_and_what_it_does_in_one_short_line() -> None:
    assert [one for one in subjects() if len(one) > LONGEST or not SUBJECT.fullmatch(one)] == []


@pytest.mark.parametrize("bad", ["Fix it", "area: ", "area: do it.", "Area: do it"])
def test_what_is_no_subject_is_known(bad: str) -> None:
    assert not SUBJECT.fullmatch(bad)


def test_every_decision_is_in_the_index_by_its_own_title() -> None:
    folder = ROOT / "docs" / "adr"
    titles = {path.name: path.read_text().splitlines()[0].removeprefix("# ") for path in folder.glob("0*.md")}
    rows = re.findall(r"^\| \[(\d+)\]\((\S+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    assert {file: f"{number}. {title}" for number, file, title in rows} == titles
