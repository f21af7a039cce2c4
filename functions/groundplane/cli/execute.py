"""``groundplane exec``: run a program with the binding of a claim, as it would have it in a pod."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from groundplane.cli import _claims
from groundplane.local.host import binding_variables, private_files
from groundplane.local.host.executables import ProgramError, Programs
from groundplane.local.plane import home as homes
from groundplane.local.plane.distributions import distributions
from groundplane.local.plane.home import Home

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # A folder of our own is made in it: what lies there never reaches a disk.
NOT_FOUND: Final = 127  # exit code of a shell for a command that is not there
_PASSED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("exec", context_settings={"ignore_unknown_options": True})
@_claims.options
@homes.option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(*, claim: str, namespace: str, kubeconfig: Path | None, home: Home, command: tuple[str, ...]) -> None:
    """Run COMMAND with the binding of CLAIM, mounted below SERVICE_BINDING_ROOT and as variables.

    For example: groundplane exec xdb/orders -n team-a -- psql

    No other variable that the clients of the binding read (every PG*) is handed on. The engine's own clients, such as
    psql, come first in PATH; with --kubeconfig they come last.
    """
    kind, name = _claims.parsed(claim)
    entries = _claims.binding(_claims.client(home, kubeconfig), kind, namespace, name)
    where = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="groundplane-", dir=where) as folder:
        mounted = mount(Path(folder), name, entries)
        sys.exit(_run(command, environment(entries, mounted, searched(own_first=kubeconfig is None))))


def mount(root: Path, name: str, entries: Mapping[str, str]) -> Path:
    """Write *entries* as the files of the folder *name* below *root*, for the owner alone; return that folder."""
    folder = private_files.folder(root / name)
    files = binding_variables.mounted(entries, folder)
    for key, text in files.items():
        private_files.write(folder / key, text)
    for file in folder.iterdir():
        if file.name not in files and not file.name.startswith("."):  # an entry of before, not one half written
            file.unlink(missing_ok=True)
    return folder


def environment(entries: Mapping[str, str], mounted: Path, path: str) -> dict[str, str]:
    """Return all variables of a program: the shell's, less those that would lead elsewhere, and the binding's."""
    out = set(binding_variables.taken_out(entries, os.environ))
    kept = {name: text for name, text in os.environ.items() if name not in out}
    return {**kept, **binding_variables.of(entries, mounted), "PATH": path}


def searched(*, own_first: bool) -> str:
    """Return where programs are looked for: in PATH, and where the engines of this machine have their clients.

    *own_first* is for databases of this machine: only its own clients are surely of their version.
    """
    places = [os.environ.get("PATH", os.defpath)]
    for one in distributions():
        with contextlib.suppress(ProgramError):
            places.insert(0 if own_first else len(places), str(Programs().bin(one.name)))
    return os.pathsep.join(places)


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> int:
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def passed(number: int, _frame: object) -> None:
        if started:
            started[0].send_signal(number)
        else:
            early.append(number)

    for number in _PASSED:  # before it is started: a signal in between would end us and leave the binding behind
        signal.signal(number, passed)
    try:
        process = subprocess.Popen([program, *command[1:]], env=environment)  # noqa: S603  # What the person asked for.
    except OSError as error:
        click.echo(f"groundplane exec: {command[0]}: {error.strerror}", err=True)
        return NOT_FOUND
    started.append(process)
    for missed in early:
        process.send_signal(missed)
    code = process.wait()
    return code if code >= 0 else 128 - code
