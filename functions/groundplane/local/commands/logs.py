"""``groundplane logs``: what the plane says, or what the programs of a claim say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Final

import click

from groundplane.core.manifest import CLAIM_LABEL, Manifest
from groundplane.engines._local import PROCESS, TASK
from groundplane.local.commands import claims
from groundplane.local.commands import home as homes
from groundplane.local.commands.home import Home

LINES: Final = 100
_BYTES: Final = 256 * 1024
_LOOK_SECONDS: Final = 0.5


@click.command("logs")
@click.argument("claim", required=False)
@click.option("-n", "--namespace", default="default", show_default=True, help="Of the claim.")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--tail", "count", type=click.IntRange(0), default=LINES, show_default=True, help="Lines of each log.")
@homes.option
def logs(*, claim: str | None, namespace: str, follow: bool, count: int, home: Home) -> None:
    """Print what the plane says, or what the programs of CLAIM say, such as xdb/orders."""
    paths = _paths(home, claim, namespace) if claim else [home.log]
    files = [(path.stem, path.open(encoding="utf-8", errors="replace")) for path in paths if path.exists()]
    if not files:
        raise click.ClickException("there is nothing to show yet")
    many = len(files) > 1
    for name, file in files:
        for line in _last(file, count):
            click.echo(f"{name}: {line}" if many else line)
    if follow:
        _follow(files, many=many)


def _paths(home: Home, claim: str, namespace: str) -> list[Path]:
    """Return the logs of everything that *claim* runs on this machine."""
    kind, name = claims.parsed(claim)
    client = claims.client(home, None)
    claims.found(client, kind, namespace, name)
    folder = home.folder / "logs" / namespace
    return sorted(
        folder / f"{one.kind.lower()}-{made['metadata']['name']}.log"
        for one in (PROCESS, TASK)
        for made in client.all(one, namespace)
        if _belongs(made, kind.kind, name)
    )


def _belongs(made: Manifest, kind: str, name: str) -> bool:
    owners = made["metadata"].get("ownerReferences") or []
    is_owned = any((one["kind"], one["name"]) == (kind, name) for one in owners)
    return is_owned and CLAIM_LABEL in made["metadata"].get("labels", {})


def _last(file: IO[str], count: int) -> Iterable[str]:
    end = file.seek(0, 2)
    file.seek(max(0, end - _BYTES))
    lines = file.read().splitlines()
    return lines[-count:] if count else []


def _follow(files: Sequence[tuple[str, IO[str]]], *, many: bool) -> None:
    try:
        while True:
            for name, file in files:
                for line in file.readlines():
                    click.echo(f"{name}: {line.rstrip()}" if many else line.rstrip())
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return
