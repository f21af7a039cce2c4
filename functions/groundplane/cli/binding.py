"""``groundplane binding``: how to connect, for people and their shells."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from groundplane.cli import _claims, execute
from groundplane.core.manifest import digest
from groundplane.local.host import binding_variables, private_files
from groundplane.local.plane import home as homes
from groundplane.local.plane.home import Home

FORMS: Final = ("env", "dotenv", "json", "psql")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,=?&-]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_./:-]+")  # what a connection string of libpq takes without quotes
_ROOT: Final = "mounted"


@click.command("binding")
@_claims.options
@click.option("-o", "--output", type=click.Choice(FORMS), default="env", show_default=True, help="How to print it.")
@homes.option
def binding(*, claim: str, namespace: str, kubeconfig: Path | None, output: str, home: Home) -> None:
    """Print how to connect to CLAIM, such as xdb/orders. All forms but psql hold its password.

    The variables are those of `groundplane exec`, and so are the files that they name. The forms for a shell also take
    out what this shell has beside them.
    """
    kind, name = _claims.parsed(claim)
    entries = _claims.binding(_claims.client(home, kubeconfig), kind, namespace, name)
    folder = private_files.folder(home.folder / "bindings" / digest(kind.kind, namespace, name))
    mounted = execute.mount(folder / _ROOT, name, entries)
    found = binding_variables.of(entries, mounted)
    out = binding_variables.taken_out(entries, sorted(os.environ.keys() - found.keys()))
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    elif output == "psql":
        path = execute.searched(own_first=kubeconfig is None)
        click.echo(_psql(found, out, folder / "pgpass", shutil.which("psql", path=path) or "psql"))
    else:
        click.echo("\n".join(_exports(found, out) if output == "env" else _lines(found)))


def _exports(found: Mapping[str, str], out: Sequence[str]) -> list[str]:
    taken = [f"unset {' '.join(out)}"] if out else []
    return [*taken, *(f"export {name}={shlex.quote(text)}" for name, text in found.items())]


def _lines(found: Mapping[str, str]) -> list[str]:
    return [f"{name}={text if _PLAIN.fullmatch(text) else json.dumps(text)}" for name, text in found.items()]


def _psql(found: Mapping[str, str], out: Sequence[str], passwords: Path, program: str) -> str:
    """Return a command line; the password stands in a file of its own, where other users cannot read it."""
    parts = [found[name].replace("\\", "\\\\").replace(":", "\\:") for name in _PASS]
    private_files.write(passwords, ":".join(parts))
    target = " ".join(f"{word}={_quoted(found[name])}" for name, word in _WORDS.items())
    rest = {name: text for name, text in found.items() if name.startswith("PG") and name not in {*_WORDS, *_PASS}}
    sets = [f"{name}={text}" for name, text in {"PGPASSFILE": str(passwords), **rest}.items()]
    unset = [word for name in ("PGPASSWORD", *out) if name.startswith("PG") for word in ("-u", name)]
    return shlex.join(["env", *unset, *sets, program, target])


def _quoted(text: str) -> str:
    """Return *text* as a value of a connection string."""
    return text if _BARE.fullmatch(text) else "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_PASS: Final = ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD")
_WORDS: Final = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGDATABASE": "dbname",
    "PGUSER": "user",
    "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert",
}
