"""Install the libraries of tests/clients and build its programs, in a folder that is ours alone."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boundclients.catalogue import PINS, ROOT, SOURCES, Client

BUILT = ROOT / "_clients"
SECONDS = 600


class BuildError(Exception):
    """The message says which command failed, and what it said."""


@dataclass(frozen=True, slots=True)
class Family:
    """How the programs of one language are made and run.

    Attributes:
        needs: Programs that must be here.
        build: Makes everything in a folder.
        argv: The words that run a client there.
    """

    needs: tuple[str, ...]
    build: Callable[[Path], None]
    argv: Callable[[Path, Client], list[str]]

    def lacks(self) -> str:
        """Return why its clients cannot run here; nothing when they can."""
        missing = [program for program in self.needs if shutil.which(program) is None]
        return f"there is no {' and no '.join(missing)} here" if missing else ""


def built(name: str) -> Path:
    """Return the folder with the programs of the family *name*, which is made again only when a source changed.

    Raises:
        BuildError: they cannot be built.
    """
    folder, stamp = BUILT / name, BUILT / f"{name}.sha256"
    digest = _digest(name)
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        FAMILIES[name].build(folder)
        stamp.write_text(digest)
    return folder


def _digest(name: str) -> str:
    files = [path for path in sorted((SOURCES / name).rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    found = hashlib.sha256(sys.version.encode())
    for path in [*files, *([PINS] if name == "python" else [])]:
        found.update(str(path).encode() + path.read_bytes())
    return found.hexdigest()


def _run(*words: str | Path, folder: Path) -> None:
    command = [str(word) for word in words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{' '.join(command[:3])}: not done after {SECONDS} s") from None
    if done.returncode:
        raise BuildError(f"{' '.join(command[:3])}: {done.stdout.strip()[-2000:]}")


def _java(folder: Path) -> None:
    goals = ("compile", "dependency:copy-dependencies", "-DincludeScope=runtime")
    _run("mvn", "-q", "-B", f"-Dclients.target={folder}", *goals, folder=SOURCES / "java")


def _run_java(folder: Path, client: Client) -> list[str]:
    module = folder / client.name
    main = next((SOURCES / "java" / client.name).rglob("*.java"))
    package = "clients." if main.parent.name == "clients" else ""
    # It ends after a moment: compiling for speed would take longer than it saves.
    path = os.pathsep.join((str(module / "classes"), str(module / "dependency" / "*")))
    return ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", path, f"{package}{main.stem}"]


def _node(folder: Path) -> None:
    shutil.copytree(SOURCES / "node", folder, dirs_exist_ok=True)
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)


def _go(folder: Path) -> None:
    _run("go", "build", "-o", folder, "./...", folder=SOURCES / "go")


def _python(folder: Path) -> None:
    venv.create(folder, with_pip=True)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "--only-binary=:all:", f"--requirement={PINS}", folder=folder)


FAMILIES = {
    "java": Family(("javac", "mvn"), _java, _run_java),
    "node": Family(("node", "npm"), _node, lambda folder, client: ["node", str(folder / client.source)]),
    "go": Family(("go",), _go, lambda folder, client: [str(folder / client.name)]),
    "python": Family(
        (),
        _python,
        lambda folder, client: [str(folder / "bin" / "python"), str(SOURCES / "python" / client.source)],
    ),
}
