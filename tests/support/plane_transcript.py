"""Plays tables of kubectl commands on a plane, and tells what they printed, without what differs from run to run."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "planes"
PLANE = "bareplane.embedded"  # the module of a plane that does what Crossplane does, too
TABLES = tuple(sorted(path.stem for path in (FOLDER / "tables").iterdir()))
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
    """One line of a table.

    Attributes:
        name: Unique in all tables.
        command: For sh.
        spared: Whether a short play may leave it out: it changes nothing, so that no other row follows from it.
    """

    name: str
    command: str
    spared: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """What a command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


def rows(table: str) -> list[Row]:
    """Return the rows of *table*: what is before the first bar, and what is after; spared ones begin with a tilde."""
    parted = (line.partition(" | ") for line in _lines(FOLDER / "tables" / f"{table}.txt"))
    return [Row(name.strip("~ "), rest.strip(), name.startswith("~")) for name, _, rest in parted]


def accepted() -> dict[str, str]:
    """Return why rows may be answered otherwise, by name."""
    parted = (line.partition(" | ") for line in _lines(FOLDER / "accepted.txt"))
    return {name.strip(): why.strip() for name, _, why in parted}


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def play(kubeconfig: Path, scratch: Path, table: str, settle: str = "0", *, whole: bool = True) -> dict[str, Played]:
    """Play *table* on the plane of *kubeconfig*: the *whole* of it, or without the rows that may be spared.

    *scratch* is a folder for its own files, *settle* how many seconds controllers may need.
    """
    environment = _environment(kubeconfig, scratch) | {"SETTLE": settle}
    _run(f"kubectl create namespace {NAMESPACE}", environment)
    played = {row.name: _run(row.command, environment) for row in rows(table) if whole or not row.spared}
    _run(f"kubectl delete namespace {NAMESPACE}", environment)
    return played


def _environment(kubeconfig: Path, scratch: Path) -> dict[str, str]:
    config = json.loads(kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = NAMESPACE
    own = scratch / "kubeconfig"
    own.touch(mode=0o600)
    own.write_text(json.dumps(config))
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(scratch),
        "KUBECONFIG": str(own),
        "KUBECACHEDIR": str(scratch / "cache"),
        "EDITOR": str(FOLDER / "files" / "editor.sh"),
    }


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


def recorded(table: str) -> dict[str, Played]:
    """Return what a real control plane answered to *table*."""
    return {name: Played(**value) for name, value in json.loads(_recording(table).read_text()).items()}


def unlike(table: str, played: dict[str, Played]) -> dict[str, object]:
    """Return what was *played* otherwise than it was recorded, and is not accepted, by the names of the rows."""
    wanted, excused = recorded(table), accepted()
    found: dict[str, object] = {}
    for name, one in played.items():
        if name not in excused:
            found |= {name: (wanted[name], one)} if one != wanted[name] else {}
        elif one == wanted[name]:
            found[name] = "is the same now: strike it from accepted.txt"
        elif not one.code and wanted[name].code:
            found[name] = "succeeds where a real control plane fails"
    return found


def record(table: str, played: dict[str, Played]) -> None:
    """Keep *played* as what a real control plane answers to *table*."""
    text = json.dumps({name: asdict(one) for name, one in played.items()}, indent=1, ensure_ascii=False)
    _recording(table).write_text(text + "\n")


def _recording(table: str) -> Path:
    return FOLDER / "recordings" / f"{table}.json"
