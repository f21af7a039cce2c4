"""``groundplane down``: end a plane and everything it runs, in order."""

from __future__ import annotations

import asyncio

import click

from groundplane.local.host import child_process
from groundplane.local.plane import home as homes
from groundplane.local.plane.home import Home


@click.command("down")
@homes.option
def down(*, home: Home) -> None:
    """End the plane on this machine with all that it runs. Data, backups and logs stay."""
    running = home.process()
    ending = running or home.ending()
    if running is not None:
        click.echo(f"Ending the plane, process {running.pid}, and {_programs(len(_children(home)))} that it runs")
        running.terminate()
    elif ending is not None:
        click.echo(f"The plane, process {ending.pid}, is ending already")
    if ending is not None and not homes.ends(ending):
        raise click.ClickException(
            f"the plane does not end within {homes.END_SECONDS:.0f} s; see {home.log}, and end process {ending.pid}"
        )
    left = asyncio.run(_end_left(home))
    if left:
        click.echo(f"Ended {_programs(left)} of a plane that was killed")
    if ending is None and not left:
        click.echo(f"No plane runs in {home.folder}.")
        return
    click.echo(f"Everything ended. Data and backups stay in {home.folder}")


def _children(home: Home) -> list[child_process.Child]:
    folders = home.run.iterdir() if home.run.exists() else ()
    return [found for folder in folders if (found := child_process.adopt(folder)) is not None]


async def _end_left(home: Home) -> int:
    """End what runs on although its plane does not, and return how many that were."""
    folders = [*home.run.iterdir()] if home.run.exists() else []
    return sum(await asyncio.gather(*(child_process.end(folder) for folder in folders)))


def _programs(number: int) -> str:
    return f"{number} program" if number == 1 else f"{number} programs"
