"""The command ``groundplane doctor``."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Final

import click

from groundplane.doctor.finding import State
from groundplane.doctor.snapshot import User

PROBLEM: Final = 1
UNREACHABLE: Final = 2
CROSSPLANE: Final = "system:serviceaccount:crossplane-system:crossplane"
_ACCOUNT_WORDS: Final = 4  # system:serviceaccount:<namespace>:<name>

HELP = """Say what keeps a cluster from serving claims, and what to do.

It only reads, and asks the API server who may do what. It reads no Secret.

\b
Examples:
  groundplane doctor
  groundplane doctor --context production -n team-a
  groundplane doctor -o json

\b
Exit code:
  0 no problem, 1 a problem, 2 wrong usage, or the cluster cannot be read
"""


@click.command(help=HELP)
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Default: what kubectl takes, KUBECONFIG or ~/.kube/config; inside a pod, its own account.",
)
@click.option("--context", metavar="NAME", help="Context of the kubeconfig. Default: its current one.")
@click.option("-n", "--namespace", metavar="NAME", help="Look at the claims of this namespace only.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--crossplane-user",
    default=CROSSPLANE,
    show_default=True,
    metavar="USER",
    help="The user whose rights are asked for.",
)
@click.pass_context
def doctor(  # noqa: PLR0913  # One parameter for each option.
    click_context: click.Context,
    /,
    *,
    kubeconfig: Path | None,
    context: str | None,
    namespace: str | None,
    output: str,
    crossplane_user: str,
) -> None:
    """Read the cluster, print what is found, and exit with 1 when something is a problem."""
    if importlib.util.find_spec("kubernetes") is None:
        click.echo("doctor: the Kubernetes client is not installed: pip install 'groundplane[doctor]'", err=True)
        click_context.exit(UNREACHABLE)
    # Only here, so that --help works without the client, and at once.
    from groundplane.doctor import cluster, connection, examination, printing  # noqa: PLC0415  # see above

    try:
        found = cluster.read(connection.connect(kubeconfig, context), user(crossplane_user), namespace)
    except connection.UnreachableError as error:
        click.echo(f"doctor: {error}", err=True)
        click_context.exit(UNREACHABLE)
    findings = examination.examine(found)
    if output == "json":
        click.echo(printing.as_json(findings, found.version), nl=False)
    else:
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(printing.as_table(findings, columns), nl=False)
    click_context.exit(PROBLEM if any(finding.state is State.PROBLEM for finding in findings) else 0)


def user(name: str) -> User:
    """Return the user called *name* with the groups that the API server gives it."""
    words = name.split(":")
    if name.startswith("system:serviceaccount:") and len(words) == _ACCOUNT_WORDS:
        accounts = ("system:serviceaccounts", f"system:serviceaccounts:{words[2]}")
        return User(name, (*accounts, "system:authenticated"))
    return User(name, ("system:authenticated",))
