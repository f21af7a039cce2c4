"""Plays the transcript table on a plane, and tells what it printed, without what differs from run to run."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "planes"
RECORDING = FOLDER / "recording.json"
NAMESPACE = "transcript"
_SECONDS = 60.0
_RULES = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z"), "<time>"),
    (re.compile(r'(resourceVersion"?: ?\\?"|Resource Version: +)\d+'), r"\1<version>"),
    (re.compile(r"\b\d+(ms|[smhd])(\d+[smhd])?( ago)?\b"), "<age>"),
    (re.compile(r"https://[\w.:]+"), "<server>"),
    (re.compile(r"/(tmp|var)/\S+"), "<file>"),
    (re.compile(r',"storageVersionHash":"[^"]*"'), ""),
    (re.compile(r" {2,}(?=\S)"), "  "),
    (re.compile(r" +$", re.MULTILINE), ""),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    command: str


@dataclass(frozen=True, slots=True)
class Played:
    """What a command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


def rows(file: str = "transcript.txt") -> list[Row]:
    """Return the rows of a table in the folder: what is before the first bar, and what is after."""
    lines = [line for line in (FOLDER / file).read_text().splitlines() if line and not line.startswith("#")]
    return [Row(name.strip(), rest.strip()) for name, _, rest in (line.partition(" | ") for line in lines)]


def play(kubeconfig: Path, scratch: Path, settle: str = "0") -> dict[str, Played]:
    """Play the whole table on the plane of *kubeconfig*.

    *scratch* is a folder for its own files, *settle* how many seconds controllers may need.
    """
    config = json.loads(kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = NAMESPACE
    own = scratch / "kubeconfig"
    own.touch(mode=0o600)
    own.write_text(json.dumps(config))
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(scratch),
        "KUBECONFIG": str(own),
        "KUBECACHEDIR": str(scratch / "cache"),
        "SETTLE": settle,
        "EDITOR": str(FOLDER / "files" / "editor.sh"),
    }
    _run(f"kubectl create namespace {NAMESPACE}", environment)
    played = {row.name: _run(row.command, environment) for row in rows()}
    _run(f"kubectl delete namespace {NAMESPACE}", environment)
    return played


def _run(command: str, environment: dict[str, str]) -> Played:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=FOLDER / "files",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Played(done.returncode, normalised(done.stdout), normalised(done.stderr))


def normalised(text: str) -> str:
    """Return *text* without uids, times, versions, ages and the width of columns; causes in order."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _sorted_causes(_sorted_json(text))


def _sorted_json(text: str) -> str:
    # The order of keys in an object means nothing, and a typed server has another.
    if not text.startswith("{"):
        return text
    try:
        return json.dumps(json.loads(text), sort_keys=True, indent=1)
    except ValueError:
        return text


def _sorted_causes(text: str) -> str:
    # A real server tells them in the order of a hash table.
    lines = text.splitlines()
    causes = [index for index, line in enumerate(lines) if line.startswith("* ")]
    for index, line in zip(causes, sorted(lines[index] for index in causes), strict=True):
        lines[index] = line
    return "\n".join(lines)


def recorded() -> dict[str, Played]:
    """Return what a real control plane answered."""
    return {name: Played(**value) for name, value in json.loads(RECORDING.read_text()).items()}


def record(played: dict[str, Played]) -> None:
    """Keep *played* as what a real control plane answers."""
    text = json.dumps({name: asdict(one) for name, one in played.items()}, indent=1, ensure_ascii=False)
    RECORDING.write_text(text + "\n")
