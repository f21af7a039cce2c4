"""Write again what pages say their commands print: each marked command is run, and the block after it replaced."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Beside an installed package, so that a copy of the repository shows its own engines.
sys.path[:0] = [str(ROOT / "functions")]

from click.testing import CliRunner  # noqa: E402  # after the path above

from groundplane.__main__ import main  # noqa: E402  # found by the path above

PAGES = tuple(ROOT / "docs" / name for name in ("demo.md", "render.md"))
COMMAND = ".venv/bin/groundplane "
SCRIPTS = {"make demo": "tools/demo.py"}  # what a target runs, without its setup

_SHOWN = re.compile(
    r"^<!-- run(?:, exits (?P<exits>\d+))? -->\n```sh\n(?P<command>.*)\n```\n\n<!-- prints -->\n```text\n"
    r"(?P<prints>(?:(?!```).*\n)*)```$",
    re.MULTILINE,
)
#: What differs from run to run, and what stands for it.
_CHANGING = (
    (re.compile(r"\b\d+\.\d s\b"), "0.0 s"),
    (re.compile(r"\S+/groundplane-\w+"), "HOME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:0"),
    (re.compile(r"\bprocess \d+"), "process 0"),
    (re.compile(r"\b\d+ programs?\b"), "0 programs"),  # a backup may still be made, or not
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-01-01T00:00:00Z"),
    (re.compile(r"\S+/kubectl apply"), "kubectl apply"),
    (re.compile(r" +\d+s(?: +|$)", re.MULTILINE), " 0s "),  # an age, with what pads its column
)


@dataclass(frozen=True)
class Shown:
    """A command that a page shows, the exit code it should have, and what the page says that it prints."""

    command: str
    exits: int
    prints: str

    def __str__(self) -> str:
        """Return the command, short enough for the name of a test."""
        return self.command.removeprefix(COMMAND)


def shown(page: str) -> list[Shown]:
    """Return the commands in *page* that are marked to be run."""
    return [Shown(one["command"], int(one["exits"] or 0), one["prints"]) for one in _SHOWN.finditer(page)]


def printed(command: str) -> tuple[str, int]:
    """Return what *command* prints in the repository's root, where this must run, and its exit code."""
    if command in SCRIPTS:
        words, around = [sys.executable, SCRIPTS[command]], {**os.environ, "PYTHONPATH": str(ROOT / "functions")}
        run = subprocess.run(words, check=False, capture_output=True, text=True, env=around)
        text, code = run.stdout + run.stderr, run.returncode
    else:
        result = CliRunner().invoke(main, command.removeprefix(COMMAND).split())
        text, code = result.output, result.exit_code
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines()), code


def timeless(text: str) -> str:
    """Return *text* without what differs from run to run, such as the seconds that something took."""
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text


def fresh(page: str) -> str:
    """Return *page* with what its commands print now."""
    return _SHOWN.sub(_again, page)


def _again(match: re.Match[str]) -> str:
    text, _ = printed(match["command"])
    start, end = match.span("prints")
    whole = match.string
    return whole[match.start() : start] + text + whole[end : match.end()]


if __name__ == "__main__":
    os.chdir(ROOT)
    for page in PAGES:
        before = page.read_text()
        after = fresh(before)
        if timeless(after) != timeless(before):
            page.write_text(after)
            print(f"wrote {page.relative_to(ROOT)}")
