"""``groundplane logs``: what the plane says, or what the programs of a claim say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from groundplane.apis.processes import PROCESS, TASK
from groundplane.cli import _claims
from groundplane.cli._interrupt import until_told
from groundplane.core.manifest import CLAIM_LABEL, Manifest
from groundplane.local.host.log_tail import Growing
from groundplane.local.plane import home as homes
from groundplane.local.plane.home import Home

LINES: Final = 100
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
    if not any(follow or path.exists() for path in paths):
        raise click.ClickException("there is nothing to show yet")
    found = [Growing(path) for path in paths]
    many = len(found) > 1
    for log in found:
        _show(log, log.last(count, half=not follow), many=many)
    if follow:
        with until_told():
            _follow(found, many=many)


def _paths(home: Home, claim: str, namespace: str) -> list[Path]:
    """Return the logs of everything that *claim* runs on this machine."""
    kind, name = _claims.parsed(claim)
    client = _claims.client(home, None)
    _claims.found(client, kind, namespace, name)
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


def _follow(found: Sequence[Growing], *, many: bool) -> None:
    while True:
        for log in found:
            _show(log, log.more(), many=many)
        time.sleep(_LOOK_SECONDS)


def _show(log: Growing, lines: Iterable[str], *, many: bool) -> None:
    for line in lines:
        click.echo(f"{log.path.stem}: {line}" if many else line)
