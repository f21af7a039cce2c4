"""``groundplane down``: end a plane and everything it runs, in order."""

from __future__ import annotations

import asyncio
from typing import Final

import click
import psutil

from groundplane.local.commands import home as homes
from groundplane.local.commands.home import Home
from groundplane.local.provider import child

PATIENCE_SECONDS: Final = 120.0  # a server that has much to write takes its time


@click.command("down")
@homes.option
def down(*, home: Home) -> None:
    """End the plane on this machine with all that it runs. Data, backups and logs stay."""
    running = home.process()
    if running is not None:
        count = len(_children(home))
        click.echo(f"Ending the plane, process {running.pid}, and {count} programs that it runs")
        running.terminate()
        try:
            running.wait(PATIENCE_SECONDS)
        except psutil.TimeoutExpired:
            raise click.ClickException(
                f"the plane does not end within {PATIENCE_SECONDS:.0f} s; see {home.log}, and end process {running.pid}"
            ) from None
    left = asyncio.run(_end_left(home))
    if left:
        click.echo(f"Ended {left} programs of a plane that was killed")
    if running is None and not left:
        click.echo(f"No plane runs in {home.folder}.")
        return
    click.echo(f"Everything ended. Data and backups stay in {home.folder}")


def _children(home: Home) -> list[child.Child]:
    folders = home.run.iterdir() if home.run.exists() else ()
    return [found for folder in folders if (found := child.adopt(folder)) is not None]


async def _end_left(home: Home) -> int:
    """End what runs on although its plane does not, and return how many that were."""
    folders = [*home.run.iterdir()] if home.run.exists() else []
    return sum(await asyncio.gather(*(child.end(folder) for folder in folders)))
