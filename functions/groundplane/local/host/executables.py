"""From what a spec names to what is executed."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.apis.processes import Program

SYSTEM: Final = ("/usr/local/bin", "/usr/bin", "/bin")
# Nobody, in a user namespace of its own: files stay root's, and servers that refuse to run as root do not see it.
UNPRIVILEGED: Final = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
_TRIED_SECONDS: Final = 10
_VARIABLE: Final = re.compile(r"(\$\$\()|\$\(([A-Z_0-9]+)\)")
PACKAGES: Final = Path(__file__).parent.parent.parent.parent


class ProgramError(Exception):
    """The message says which program cannot be run here, and what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of this machine. *folders* takes the place of a distribution's own folder of programs."""

    folders: Mapping[str, Path] = field(default_factory=dict)

    def argv(self, program: Program, variables: Mapping[str, str]) -> list[str]:
        """Return the words that run *program*.

        Raises:
            ProgramError: it is not here, or a variable is not known.
        """
        known = {**variables, **({"BIN": str(self.bin(program.distribution))} if program.distribution else {})}
        args = [expand(word, known) for word in program.args]
        if program.module:
            return [sys.executable, "-P", "-m", program.module, *args]
        return [str(self.find(program.distribution, program.name or "")), *args]

    def find(self, distribution: str | None, name: str) -> Path:
        """Return the file of a program.

        Raises:
            ProgramError: it is not here.
        """
        if distribution is None:
            found = shutil.which(name, path=os.pathsep.join(SYSTEM))
            if found is None:
                raise ProgramError(f"program {name} is not in {', '.join(SYSTEM)}; install it")
            return Path(found)
        path = self.bin(distribution) / name
        if not path.is_file():
            raise ProgramError(f"{distribution} has no program {name}")
        return path

    def bin(self, distribution: str) -> Path:
        """Return the folder of a distribution's programs.

        Raises:
            ProgramError: the distribution is not installed, or has none.
        """
        return self.folders.get(distribution) or _bin(distribution)


@functools.cache
def _bin(distribution: str) -> Path:
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        raise ProgramError(f"{distribution} is not installed; run: pip install 'groundplane[local]'") from None
    folders = {Path(str(file.locate())).parent for file in files if file.parent.name == "bin"}
    inside = sorted(folder for folder in folders if folder != Path(sys.executable).parent)
    if not inside:
        raise ProgramError(
            f"{distribution} brings no programs; run: pip install --force-reinstall 'groundplane[local]'"
        )
    return inside[0].resolve()


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return *text* with every $(NAME) replaced; $$( stands for $( itself, whatever follows.

    Raises:
        ProgramError: a name is not known.
    """

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$("
        if match[2] not in variables:
            raise ProgramError(f"$({match[2]}) is not known here; there are: {', '.join(sorted(variables))}")
        return variables[match[2]]

    return _VARIABLE.sub(value, text)


@functools.cache
def unprivileged() -> tuple[str, ...]:
    """Return the words before every program, so that none runs as root.

    Raises:
        ProgramError: this is root, and it cannot be anything else.
    """
    if os.geteuid() != 0:
        return ()
    try:
        words = (*UNPRIVILEGED, "true")
        done = subprocess.run(words, capture_output=True, check=False, timeout=_TRIED_SECONDS)  # noqa: S603  # Fixed.
    except subprocess.TimeoutExpired:
        raise ProgramError(
            f"programs do not run as root, and unshare does not end within {_TRIED_SECONDS} s: this machine has too"
            " much to do. It is tried again"
        ) from None
    except OSError as error:
        raise ProgramError(f"programs do not run as root, and unshare is missing: {error}") from None
    if done.returncode:
        raise ProgramError("programs do not run as root, and this system allows no user namespaces; run as a user")
    return UNPRIVILEGED


def environment() -> dict[str, str]:
    """Return the variables that a program is given: none of ours, which may hold secrets."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TZ") if name in os.environ}
    return {**kept, "PATH": os.pathsep.join(SYSTEM), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(PACKAGES)}
