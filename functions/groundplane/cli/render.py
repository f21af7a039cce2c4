"""The command ``groundplane render``."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

import click
from crossplane.function import logging

from groundplane.crossplane import function_client
from groundplane.crossplane.errors import RenderError, UnservedError
from groundplane.render import files, installed, output_tree, run
from groundplane.render import output as report
from groundplane.render.admission import Admission
from groundplane.render.inputs import Inputs, load

BAD_INPUT = 1
REFUSED = 3
# The worst first: a claim that could not be rendered says more about a run than one refused.
_WORST = (BAD_INPUT, REFUSED, 0)


HELP = """Show what a cluster would make of a claim, without a cluster.

Each CLAIM is a YAML file, or - for standard input. It is checked as the API server checks it,
bound to a Composition as its environment decides, and sent through the real function as
Crossplane sends it. Nothing is applied anywhere, and no password is shown.

\b
Examples:
  groundplane render orders.yaml
  groundplane render orders.yaml --environment prod.yaml
  kubectl get xdb orders -o yaml | groundplane render - --observed live/

\b
Exit code, the worst of all claims:
  0 rendered, 1 bad input, 2 wrong usage, 3 refused
"""


class _Time(click.ParamType[datetime]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return *value* as a time with its zone."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no RFC 3339 time", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.command(help=HELP)
@click.argument("claims", metavar="CLAIM...", nargs=-1, required=True)
@click.option(
    "--environment",
    default="",
    metavar="NAME|FILE",
    help=(
        "The environment the claim's namespace belongs to: the name of an EnvironmentConfig among --required, or its"
        " file. It chooses the engine."
    ),
)
@click.option(
    "--observed",
    multiple=True,
    metavar="FILE|FOLDER",
    help=("Objects the claim has composed already, as kubectl get -o yaml prints them."),
)
@click.option(
    "--required",
    multiple=True,
    metavar="FILE|FOLDER",
    help=("Further objects the function may read: environments, Secrets, other claims."),
)
@click.option(
    "--composition",
    default="",
    metavar="FILE",
    help=("Use the Compositions of this file instead of the package's."),
)
@click.option(
    "--claim-before",
    default="",
    metavar="FILE",
    help=("The claim as it is now; the rules about changes are checked too."),
)
@click.option(
    "--absent",
    multiple=True,
    metavar="GROUP|KIND.GROUP|companion",
    help=("What is not installed; everything is unless you say so. `companion`: no grants."),
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "tree", "json"]),
    default=None,
    help=("Default: tree on a terminal, else yaml."),
)
@click.option("--now", type=_Time(), default=None, hidden=True)
@click.pass_context
def render(
    context: click.Context,
    /,
    claims: tuple[str, ...],
    output: str | None,
    now: datetime | None,
    **around: Any,
) -> None:
    """Render every claim, and exit with the worst of their codes."""
    logging.configure(logging.Level.DISABLED)
    try:
        inputs = load(**around)
    except RenderError as error:
        _say(str(error))
        context.exit(BAD_INPUT)
    rendered, code = _all(claims, inputs, now or datetime.now(UTC))
    for one in rendered:
        if one.outcome.broken:
            _say(f"{one.where}: {one.title}: {one.outcome.broken}")
            code.append(BAD_INPUT)
        elif one.outcome.refused:
            _say("\n".join(report.refusal(one, _again(context, one.where))))
            code.append(REFUSED)
    try:
        _print(rendered, output or default_output(sys.stdout))
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader has had enough; click ends quietly then
            raise
        _say(f"standard output: cannot be written: {error.strerror}")
        code.append(BAD_INPUT)
    context.exit(next(worst for worst in _WORST if worst in {*code, 0}))


def _all(names: Sequence[str], inputs: Inputs, now: datetime) -> tuple[list[report.Rendered], list[int]]:
    """Return what could be rendered, and the exit code of every claim that could not."""
    found: list[report.Rendered] = []
    documents, codes = _documents(names)
    if not documents:
        return found, codes
    admission = Admission(installed.apis())
    try:
        with function_client.serving(function_client.make_runner(now)) as call:
            for document in documents:
                found += _one(document, inputs, admission, call, codes)
    except UnservedError as error:
        _say(str(error))
        codes.append(BAD_INPUT)
    return found, codes


def _one(
    document: files.Document, inputs: Inputs, admission: Admission, call: function_client.Function, codes: list[int]
) -> list[report.Rendered]:
    """Return what *document* became; nothing, with one more of *codes*, when there is no answer."""
    try:
        one, notes = run.render(document, inputs, admission, call)
    except RenderError as error:
        _say(str(error))
        codes.append(BAD_INPUT)
        return []
    for note in notes:
        _say(note)
    return [one]


def _documents(names: Sequence[str]) -> tuple[list[files.Document], list[int]]:
    found: list[files.Document] = []
    codes: list[int] = []
    for name in names:
        try:
            found += files.unchecked(name, sys.stdin.buffer.read)
        except RenderError as error:
            _say(str(error))
            codes.append(BAD_INPUT)
    return found, codes


def _print(rendered: Sequence[report.Rendered], output: str) -> None:
    if output == "json":
        click.echo(json.dumps(report.as_json(rendered), indent=2, sort_keys=True))
    elif output == "tree":
        colour = wants_colour(sys.stdout, os.environ)
        click.echo(output_tree.as_tree(rendered, colour=colour), nl=False, color=colour)
    else:
        # Bytes: YAML is UTF-8, whatever the terminal's language says.
        click.echo(report.as_yaml(rendered).encode(), nl=False)


def default_output(stream: IO[str]) -> str:
    """Return the format for *stream*: a person reads a terminal, a program anything else."""
    return "tree" if stream.isatty() else "yaml"


def wants_colour(stream: IO[str], environment: Mapping[str, str]) -> bool:
    """Whether to colour what goes to *stream*: a terminal, unless ``NO_COLOR`` is set."""
    return stream.isatty() and not environment.get("NO_COLOR")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _again(context: click.Context, where: str) -> list[str]:
    """Return the command line, as a person can run it again for the claim found at *where*."""
    names = context.params["claims"]
    own = [name for name in names if where == name or where.startswith(f"{name}, ")]
    words = ["groundplane", "render", *(own[:1] or [files.STANDARD_INPUT])]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if isinstance(parameter, click.Option) and not parameter.hidden and value:
            option = parameter.opts[0]
            given = value if isinstance(value, tuple) else (value,)
            words += [word for one in given for word in (option, one)]
    return [shlex.quote(word) for word in words]
