"""The folder of a plane on this machine, and who works in it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import psutil

from groundplane.local.host.private_files import write

F = TypeVar("F", bound=Any)
NOT_RUNNING: Final = 3  # exit code of a command that needs a plane
END_SECONDS: Final = 120.0  # a server that has much to write takes its time to end
LONGEST: Final = 70  # bytes: what lies in it has sockets, whose whole paths have 103 on every system
_SAME_SECONDS = 0.05
_LOOK_SECONDS = 0.1


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
        self._say(ending=False)

    def end(self) -> None:
        """Say that this process is the plane here no more, and holds the folder until it has ended."""
        self._say(ending=True)

    def process(self) -> psutil.Process | None:
        """Return the plane's process; None when none runs, or it is ending. Another one of its number is none."""
        return self._found(ending=False)

    def ending(self) -> psutil.Process | None:
        """Return the process of a plane that is ending; None when there is none."""
        return self._found(ending=True)

    def _say(self, *, ending: bool) -> None:
        own = psutil.Process()
        write(self._record, json.dumps({"pid": own.pid, "began": own.create_time(), "ending": ending}).encode())

    def _found(self, *, ending: bool) -> psutil.Process | None:
        try:
            found = json.loads(self._record.read_text())
            process = psutil.Process(found["pid"])
            is_same = abs(process.create_time() - found["began"]) < _SAME_SECONDS
            return process if is_same and found.get("ending", False) == ending and runs(process) else None
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


def runs(process: psutil.Process) -> bool:
    """Return whether *process* runs; one that has ended and waits for its parent to notice does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def ends(process: psutil.Process) -> bool:
    """Return whether *process* ends within `END_SECONDS`."""
    until = time.monotonic() + END_SECONDS
    while runs(process):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


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
