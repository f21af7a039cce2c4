"""The command ``groundplane provider``: the controller, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

import click

from groundplane.local.host.executables import Programs
from groundplane.local.host.folder_lock import hold
from groundplane.local.host.kubeconfig import ConnectionFailedError, Kubeconfig
from groundplane.local.provider.operator import operate
from groundplane.local.provider.paths import Machine

STATE: Final = "~/.local/state/groundplane"


@click.command("provider")
@click.option("--kubeconfig", type=click.Path(path_type=Path), envvar="KUBECONFIG", help="The cluster to serve.")
@click.option("--root", type=click.Path(path_type=Path), default=STATE, help="Folder for data, backups and logs.")
@click.option(
    "--programs", "folders", multiple=True, metavar="NAME=FOLDER", help="Programs instead of a distribution's."
)
def provider(*, kubeconfig: Path | None, root: Path, folders: tuple[str, ...]) -> None:
    """Run Processes and Tasks of a cluster on this machine."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kopf").setLevel(logging.WARNING)
    root = root.expanduser().resolve()
    hold(root)
    chosen = {name: Path(folder) for name, _, folder in (one.partition("=") for one in folders)}
    try:
        found = Kubeconfig.read((kubeconfig or Path("~/.kube/config")).expanduser())
    except ConnectionFailedError as error:
        raise click.ClickException(str(error)) from None
    asyncio.run(operate(Machine(root), found, Programs(chosen)))
