"""``groundplane binding``: how to connect, for people and their shells."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from groundplane.core.manifest import digest
from groundplane.local import private
from groundplane.local.commands import claims, variables
from groundplane.local.commands import home as homes
from groundplane.local.commands.home import Home
from groundplane.local.private import write

FORMS: Final = ("env", "dotenv", "json", "psql")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,=?&-]*")


@click.command("binding")
@claims.options
@click.option("-o", "--output", type=click.Choice(FORMS), default="env", show_default=True, help="How to print it.")
@homes.option
def binding(*, claim: str, namespace: str, kubeconfig: Path | None, output: str, home: Home) -> None:
    """Print how to connect to CLAIM, such as xdb/orders. All forms but psql hold its password."""
    kind, name = claims.parsed(claim)
    entries = claims.binding(claims.client(home, kubeconfig), kind, namespace, name)
    if output == "json":
        click.echo(json.dumps(entries, indent=2))
        return
    folder = private.folder(home.folder / "bindings" / digest(kind.kind, namespace, name))
    certificates = folder / variables.CERTIFICATES
    write(certificates, entries.get(variables.CERTIFICATES, "").encode())
    found = variables.of(entries, str(certificates))
    click.echo(_psql(found, folder) if output == "psql" else _lines(found, output))


def _lines(found: Mapping[str, str], form: str) -> str:
    if form == "env":
        return "\n".join(f"export {name}={shlex.quote(text)}" for name, text in found.items())
    return "\n".join(f"{name}={text if _PLAIN.fullmatch(text) else json.dumps(text)}" for name, text in found.items())


def _psql(found: Mapping[str, str], folder: Path) -> str:
    """Return a command line; the password stands in a file of its own, where other users cannot read it."""
    parts = [found[name].replace("\\", "\\\\").replace(":", "\\:") for name in _PASS]
    write(folder / "pgpass", ":".join(parts).encode())
    names = ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSSLMODE", "PGSSLROOTCERT")
    words = [f"PGPASSFILE={shlex.quote(str(folder / 'pgpass'))}"]
    return " ".join([*words, "psql", shlex.quote(" ".join(f"{_WORDS[name]}={found[name]}" for name in names))])


_PASS: Final = ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD")
_WORDS: Final = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGDATABASE": "dbname",
    "PGUSER": "user",
    "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert",
}
