"""The file tree of the function's image without Docker: what the Dockerfile says, and a function that runs from it."""

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import catalogue

DOCKERFILE = catalogue.ROOT / "package" / "Dockerfile"
IMAGE_USER = 2000
# Root may write where permissions say no; without capabilities it may not. Nobody else has any.
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
SECONDS = 20


@dataclass
class Stage:
    """A stage of the Dockerfile: its base, its name, and its instructions in order."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [text for found, text in self.instructions if found == word]

    def one(self, word: str) -> str:
        (found,) = self.all(word)
        return found


@dataclass
class Dockerfile:
    arguments: dict[str, str]
    stages: list[Stage]


def parsed(text: str) -> Dockerfile:
    found = Dockerfile({}, [])
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.stages.append(Stage(base, name))
        elif word == "ARG" and not found.stages:
            name, _, value = rest.partition("=")
            found.arguments[name] = value
        else:
            found.stages[-1].instructions.append((word, rest))
    return found


def environment(stage: Stage) -> dict[str, str]:
    """Return what the image's ENV instructions set."""
    words = (word for text in stage.all("ENV") for word in shlex.split(text))
    return dict(word.split("=", 1) for word in words)


def build(stage: Stage, context: Path, folder: Path, python: str = sys.executable) -> None:
    """Do what *stage* does, in *folder* instead of its WORKDIR, with the files of *context*."""
    names = folder.with_name(f"{folder.name}-bin")
    names.mkdir()
    program = names / "python"
    program.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    program.chmod(0o755)
    path = {"PATH": f"{names}{os.pathsep}{os.environ['PATH']}"}
    for word, text in stage.instructions:
        if word == "COPY":
            source, target = text.split()
            for found in context.glob(source):
                destination = folder / target / found.name if target.endswith("/") else folder / target
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(found, destination)
        elif word == "RUN":
            run = ("sh", "-c", text)
            done = subprocess.run(run, cwd=folder, env=os.environ | path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"


def files(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*")}


def read_only(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)


def removable(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


@contextlib.contextmanager
def serving(stage: Stage, tree: Path, python: str) -> Iterator[str]:
    """Run the ENTRYPOINT of *stage* by *python*, with *tree* where its files are, and give its address.

    The process has no packages but those of *tree*, no home, no right beyond its user's, and *tree* to stand in.
    """
    (copied,) = stage.all("COPY")
    place = copied.split()[-1]
    settings = {name: value.replace(place, str(tree)) for name, value in environment(stage).items()}
    entry = json.loads(stage.one("ENTRYPOINT"))
    words = [*powerless(), python, "-S", *entry[1:], "--insecure", "--address", "127.0.0.1:0"]
    with subprocess.Popen(
        words, cwd=tree, env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield f"127.0.0.1:{_port(process)}"
        finally:
            process.terminate()
            assert process.wait(SECONDS) == 0


def powerless() -> tuple[str, ...]:
    return POWERLESS if os.geteuid() == 0 else ()


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    told, end = "", time.monotonic() + SECONDS
    while time.monotonic() < end and (line := process.stdout.readline()):
        told += line
        if line.startswith("{") and "port" in (said := json.loads(line)):
            port: int = said["port"]
            return port
    raise AssertionError(told)
