"""A machine whose programs cost nothing: small scripts in the place of PostgreSQL's; all else is real."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmark.local import standins
from faults.machine import COMMAND_SECONDS, GROUNDPLANE, Machine

FUNCTIONS = Path(__file__).parents[2] / "functions"
# Python runs it in every process that finds it; only the plane is to have other programs.
_SITE = """
import sys
if 'groundplane.local.plane.run' in sys.orig_argv or '--foreground' in sys.orig_argv:
    from pathlib import Path
    from groundplane.local.host import executables
    executables._bin = lambda _: Path({folder!r})
"""


@dataclass
class StandIns(Machine):
    """A plane in *home* whose database servers are scripts."""

    def run(self, *words: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run `groundplane` for this home, with other programs for its plane, and return how it ended."""
        return super().run(*words, prefix=("env", f"PYTHONPATH={self.path}", *prefix))

    @property
    def path(self) -> str:
        """Where Python looks first."""
        folder = self.home.parent / "site"
        if not folder.exists():
            programs = standins(self.home.parent / "bin")
            folder.mkdir()
            (folder / "sitecustomize.py").write_text(_SITE.format(folder=str(programs)))
        return os.pathsep.join([str(folder), str(FUNCTIONS)])

    def serve(self, script: str) -> None:
        """Let each database server that is started from now on be *script*."""
        path = self.path  # the folder is there after this
        (Path(path.partition(os.pathsep)[0]).parent / "bin" / "postgres").write_text(f"#!/bin/sh\n{script}\n")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Begin to run `groundplane` for this home."""
        environment = {**os.environ, "GROUNDPLANE_HOME": str(self.home), "PYTHONPATH": self.path}
        return subprocess.Popen(
            [str(GROUNDPLANE), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def said(begun: subprocess.Popen[str]) -> str:
    """Return what a command printed, once it has ended as it should."""
    told = begun.communicate(timeout=COMMAND_SECONDS)[0]
    assert begun.returncode == 0, told
    return told


def line(begun: subprocess.Popen[str], text: str) -> str:
    """Return the line with *text* that a command prints."""
    assert begun.stdout
    found = next((one for one in begun.stdout if text in one), "")
    assert found, f"it ended without: {text}"
    return found
