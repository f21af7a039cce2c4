"""A binding as variables of an environment: only those that the clients of its type read, and none of a shell's beside.

A name that many programs read for themselves (PORT, HOST, USERNAME) is never set: a web server takes it for its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

CERTIFICATES: Final = "certificates"
ROOT: Final = "SERVICE_BINDING_ROOT"


@dataclass(frozen=True, slots=True)
class Clients:
    """What clients of one type of binding read from their environment.

    Attributes:
        entries: The entry of the binding that a variable has.
        certificates: The variable that has the path of the certificates.
        url: The variable that has the whole address, and the entry that it is.
        unread: The value of a variable that leads away from a file of the person, and that file. It is set only where
            there is the file: some clients refuse a variable that they do not know.
        parameter: What the path of the certificates is called in a URL.
        prefixes: How variables begin that only these clients read.
        names: Other variables that name a server, or a login to it.
    """

    entries: Mapping[str, str]
    certificates: str
    url: tuple[str, str]
    unread: Mapping[str, tuple[str, str]]
    parameter: str
    prefixes: tuple[str, ...]
    names: frozenset[str]

    def reads(self, name: str) -> bool:
        """Whether these clients read the variable *name*."""
        return name.startswith(self.prefixes) or name in self.names


TYPES: Final = {
    "postgresql": Clients(
        entries={
            "PGHOST": "host",
            "PGPORT": "port",
            "PGDATABASE": "database",
            "PGUSER": "username",
            "PGPASSWORD": "password",
            "PGSSLMODE": "sslmode",
        },
        certificates="PGSSLROOTCERT",
        url=("DATABASE_URL", "uri"),
        unread={
            # A login is a password here, and libpq fails where this file is broken or of another authority.
            "PGSSLCERTMODE": ("disable", "~/.postgresql/postgresql.crt"),
            # Of another authority, it would make libpq miss a list of this one.
            "PGSSLCRL": (os.devnull, "~/.postgresql/root.crl"),
        },
        parameter="sslrootcert",
        prefixes=("PG",),
        names=frozenset(
            {
                "DATABASE_URL",
                *(f"SPRING_DATASOURCE_{word}" for word in ("URL", "USERNAME", "PASSWORD")),
                *(f"SPRING_R2DBC_{word}" for word in ("URL", "USERNAME", "PASSWORD")),
                *(f"QUARKUS_DATASOURCE_{word}" for word in ("JDBC_URL", "REACTIVE_URL", "USERNAME", "PASSWORD")),
            }
        ),
    )
}


def mounted(entries: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return *entries* as they are mounted in *folder*: a URL names the file of the certificates there."""
    clients = TYPES.get(entries.get("type", ""))
    if clients is None or clients.url[1] not in entries:
        return dict(entries)
    url = entries[clients.url[1]]
    mark = "&" if "?" in url else "?"
    path = quote(str(folder / CERTIFICATES))
    return {**entries, clients.url[1]: f"{url}{mark}{clients.parameter}={path}"}


def of(entries: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variables that a program is given for *entries*, which are mounted in *folder*."""
    given = {ROOT: str(folder.parent)}
    clients = TYPES.get(entries.get("type", ""))
    if clients is None:
        return given
    given |= {name: entries[key] for name, key in clients.entries.items() if key in entries}
    given[clients.certificates] = str(folder / CERTIFICATES)
    given |= {name: value for name, (value, file) in clients.unread.items() if Path(file).expanduser().exists()}
    variable, key = clients.url
    return given | ({variable: mounted(entries, folder)[key]} if key in entries else {})


def taken_out(entries: Mapping[str, str], shell: Iterable[str]) -> list[str]:
    """Return the names in *shell* that clients of *entries* would read beside what the binding says, in order."""
    clients = TYPES.get(entries.get("type", ""))
    return sorted(name for name in shell if clients is not None and clients.reads(name))
