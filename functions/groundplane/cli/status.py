"""``groundplane status``: a tree of claims and of what runs for them."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click

from groundplane.cli._interrupt import until_told
from groundplane.cli._status_data import Seen, see
from groundplane.local.plane import home as homes
from groundplane.local.plane.home import Home

EVERY_SECONDS: Final = 1.0
_MEBIBYTE: Final = 1024 * 1024
_MOVING: Final = frozenset({"memory", "seconds"})
_CLEAR: Final = "\x1b[H\x1b[J"
_MARKS: Final = {"True": ("ok", "green"), "False": ("no", "red"), "Unknown": ("?", "yellow")}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"))
_WIDTH: Final = 100


@click.command("status")
@click.option("-w", "--watch", is_flag=True, help="Go on until Ctrl-C; show it again when something changes.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form.")
@homes.option
def status(*, watch: bool, output: str, home: Home) -> None:
    """Show the plane, its claims, and what runs for them."""
    form = _text if output == "text" else _json
    if watch:
        with until_told():
            _watch(home, form, clears=output == "text" and sys.stdout.isatty())
    else:
        click.echo(form(see(home)))


def _watch(home: Home, form: Callable[[Seen], str], *, clears: bool) -> None:
    """Show how the plane is: on a terminal always as it is now, elsewhere each change of it."""
    shown: Seen | None = None
    while True:
        seen = see(home)
        if clears:
            click.echo(_CLEAR + form(seen))
        elif (lasting := _lasting(seen)) != shown:
            shown = lasting
            click.echo(form(seen) + ("\n" if form is _text else ""))
        time.sleep(EVERY_SECONDS)


def _lasting(value: Any) -> Any:
    """Return what of *value* is no news every second."""
    if isinstance(value, dict):
        return {name: _lasting(one) for name, one in value.items() if name not in _MOVING}
    return [*map(_lasting, value)] if isinstance(value, list) else value


def _json(seen: Seen) -> str:
    return json.dumps(seen, indent=2)


def _text(seen: Seen) -> str:
    return "\n".join(_lines(seen, datetime.now(UTC)))


def _lines(seen: Seen, now: datetime) -> Iterator[str]:
    plane = seen["plane"]
    up = _span(plane["seconds"])
    yield f"Groundplane {plane['version']}  {plane['address']}  up {up}  {_size(plane['memory'])}  pid {plane['pid']}"
    yield f"in {plane['folder']}"
    namespace = None
    for claim in seen["claims"]:
        if claim["namespace"] != namespace:
            namespace = claim["namespace"]
            yield f"\n{namespace}"
        yield from _claim(claim, now)
    if not seen["claims"]:
        yield "\nNo claims yet."


def _claim(claim: Seen, now: datetime) -> Iterator[str]:
    at_ = f"  {', '.join(claim['endpoints'])}" if claim["endpoints"] else ""
    engine = f" by {claim['engine']}" if claim["engine"] else ""
    yield f"  {click.style(claim['kind'] + ' ' + claim['name'], bold=True)}{engine}{at_}"
    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns) - 4
    yield from textwrap.wrap(claim["told"], width, initial_indent="    ", subsequent_indent="    ")
    marks = (f"{name} {_mark(value)}" for name, value in claim["conditions"].items())
    yield "    " + "  ".join(marks)
    if claim["lastBackup"]:
        yield f"    last backup {_ago(claim['lastBackup'], now)}"
    for program in claim["programs"]:
        yield f"    {program['kind'].lower():8} {program['name']:28} {_program(program, now)}"


def _program(program: Seen, now: datetime) -> str:
    if program["kind"] == "Task":
        return f"{program['state']}  {_ago(program['last'], now)}" if program["last"] else str(program["state"])
    if not program["pid"]:
        return str(program["state"])
    return f"{program['state']}  pid {program['pid']}  {_size(program['memory'])}"


def _mark(status: str) -> str:
    word, colour = _MARKS.get(status, _MARKS["Unknown"])
    return click.style(word, fg=colour)


def _size(count: int) -> str:
    return f"{count / _MEBIBYTE:.0f} MiB"


def _ago(moment: str, now: datetime) -> str:
    return f"{_span(int((now - datetime.fromisoformat(moment)).total_seconds()))} ago"


def _span(seconds: int) -> str:
    for length, word in _UNITS:
        if seconds >= length:
            return f"{seconds // length}{word}"
    return f"{max(seconds, 0)}s"
