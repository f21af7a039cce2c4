"""``groundplane kubeconfig``: where clients find how to reach the plane."""

from __future__ import annotations

import click

from groundplane.local.plane import home as homes
from groundplane.local.plane.home import Home


@click.command("kubeconfig")
@homes.option
def kubeconfig(*, home: Home) -> None:
    """Print the path of the plane's kubeconfig."""
    home.need()
    click.echo(home.kubeconfig)
