"""The folder of a plane on this machine, and who works in it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import psutil

from groundplane.local.private import write

F = TypeVar("F", bound=Any)
NOT_RUNNING: Final = 3  # exit code of a command that needs a plane
_SAME_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Home:
    """Where the plane, its data, backups and logs lie."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """How clients reach the plane."""
        return self.folder / "kubeconfig"

    @property
    def plane(self) -> Path:
        """What the plane itself keeps."""
        return self.folder / "plane"

    @property
    def log(self) -> Path:
        """What the plane says."""
        return self.folder / "logs" / "plane.log"

    @property
    def run(self) -> Path:
        """Records of what runs."""
        return self.folder / "run"

    @property
    def _record(self) -> Path:
        return self.folder / "plane.json"

    def enter(self) -> None:
        """Say that this process is the plane here."""
        own = psutil.Process()
        write(self._record, json.dumps({"pid": own.pid, "began": own.create_time()}).encode())

    def leave(self) -> None:
        """Say that no plane is here any more."""
        self._record.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """Return the plane's process; None when none runs. Another one of its number is none."""
        try:
            found = json.loads(self._record.read_text())
            process = psutil.Process(found["pid"])
            same = abs(process.create_time() - found["began"]) < _SAME_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None

    def need(self) -> psutil.Process:
        """Return the plane's process.

        Raises:
            NotRunningError: none runs.
        """
        found = self.process()
        if found is None:
            raise NotRunningError(self)
        return found


class NotRunningError(click.ClickException):
    """No plane runs; the message says how to start one."""

    exit_code = NOT_RUNNING

    def __init__(self, home: Home) -> None:
        """Say so of *home*."""
        super().__init__(f"no plane runs in {home.folder}; start it: groundplane up")


def default() -> Path:
    """Return the folder of a person's own plane."""
    if chosen := os.environ.get("GROUNDPLANE_HOME"):
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(state) / "groundplane"


def _home(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Home:
    return Home((value or default()).expanduser().absolute())


def option(command: F) -> F:
    """Give *command* the option --home, a `Home`."""
    text = "Folder of the plane. Default: GROUNDPLANE_HOME, else ~/.local/state/groundplane."
    decorate = click.option("--home", type=click.Path(path_type=Path), callback=_home, help=text)
    decorated: F = decorate(command)
    return decorated
