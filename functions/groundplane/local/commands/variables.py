"""A binding as variables of an environment: the names of its entries, and those that PostgreSQL's own clients read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CERTIFICATES: Final = "certificates"
#: Entries of a binding by the variable that libpq reads.
POSTGRESQL: Final = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGDATABASE": "database",
    "PGUSER": "username",
    "PGPASSWORD": "password",
    "PGSSLMODE": "sslmode",
}


def of(entries: Mapping[str, str], certificates: str) -> dict[str, str]:
    """Return *entries* as variables; *certificates* is the path of the file that holds theirs."""
    own = {name.upper().replace("-", "_"): text for name, text in entries.items() if name != CERTIFICATES}
    if CERTIFICATES in entries:
        own["CERTIFICATES"] = certificates
    if entries.get("type") != "postgresql":
        return own
    libpq = {name: entries[key] for name, key in POSTGRESQL.items() if key in entries}
    return {**own, **libpq, "PGSSLROOTCERT": certificates}
