"""``groundplane up``: start a plane on this machine, and return once it serves."""

from __future__ import annotations

import http.client
import importlib.metadata
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final

import click

from groundplane.local.host import log_rotation
from groundplane.local.host.client import Client, UnreachableError
from groundplane.local.host.private_files import OWN, PRIVATE
from groundplane.local.plane import home as homes
from groundplane.local.plane import run
from groundplane.local.plane.distributions import distributions
from groundplane.local.plane.home import Home

PATIENCE_SECONDS: Final = 60.0
_FUNCTIONS = Path(__file__).parents[2]


@click.command("up")
@homes.option
@click.option("--foreground", is_flag=True, help="Stay, until Ctrl-C, and log here.")
def up(*, home: Home, foreground: bool) -> None:
    """Start a plane on this machine; it runs until `groundplane down`."""
    if (length := len(os.fsencode(home.folder))) > homes.LONGEST:
        raise click.ClickException(
            f"{home.folder}: a path of {length} bytes is too long for the sockets of servers; choose a --home of at"
            f" most {homes.LONGEST}"
        )
    try:
        for folder in (home.folder, home.log.parent):
            folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            folder.chmod(PRIVATE)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or home.folder}: {error.strerror}; choose another --home"
        ) from None
    if home.process() is not None:
        click.echo(f"A plane runs already in {home.folder}.")
        _next(home)
        return
    if foreground:
        sys.exit(run.main(str(home.folder)))
    click.echo(f"Starting a plane in {home.folder}")
    _start(home)
    _next(home)


def _start(home: Home) -> None:
    reading, writing = os.pipe()
    log_rotation.rotate(home.log)
    # Its own session: it outlives the terminal. The descriptor has the number at which the plane looks for it.
    script = f'exec {run.TELLING}<&{writing}; exec "$@"' if writing != run.TELLING else 'exec "$@"'
    words = ("sh", "-c", script, "sh", sys.executable, "-m", "groundplane.local.plane.run", str(home.folder))
    descriptor = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWN)
    path = os.pathsep.join(filter(None, (str(_FUNCTIONS), os.environ.get("PYTHONPATH", ""))))
    started = subprocess.Popen(  # noqa: S603  # This very program.
        words,
        stdin=subprocess.DEVNULL,
        stdout=descriptor,
        stderr=descriptor,
        pass_fds=(writing,),
        start_new_session=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": path},
    )
    os.close(writing)
    os.close(descriptor)
    with os.fdopen(reading, encoding="utf-8") as told:
        _listen(home, told, started)


def _listen(home: Home, told: IO[str], started: subprocess.Popen[bytes]) -> None:
    for line in told:
        word, _, rest = line.strip().partition(" ")
        if word == "error":
            started.wait()  # whoever hears of it finds nothing left
            if "another provider works" in rest:
                click.echo("Somebody else works here; waiting for their plane to answer")
                if _answers(home):
                    return
            raise click.ClickException(f"{rest}\nNothing was started. The log is {home.log}")
        if word == run.SERVES:
            for one in distributions():
                click.echo(f"  {one.product} {importlib.metadata.version(one.name)} is ready for claims")
            click.echo(f"Serving after {rest} s, as process {started.pid}.")
            return
        click.echo(f"  {line.strip()}")
    code = started.wait()
    raise click.ClickException(f"the plane ended with {code} before it served; the log is {home.log}")


def _answers(home: Home) -> bool:
    """Return whether the plane in *home* answers: it has as long as it runs, and `PATIENCE_SECONDS` to run at all."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := home.process()) is not None or time.monotonic() < end:
        try:
            if found is not None and Client.of(home.kubeconfig).get("/readyz"):
                return True
        except (UnreachableError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    return False


def _next(home: Home) -> None:
    own = Path(sys.executable).parent / "kubectl"
    program = "kubectl" if shutil.which("kubectl") or not own.exists() else own
    click.echo("\nNext:")
    click.echo(f"  export KUBECONFIG={home.kubeconfig}")
    click.echo(f"  {program} apply -f CLAIM.yaml      then: groundplane status")
