"""Write what PostgreSQL's settings are again: names, values and ranges, by major version, as running servers tell.

`.venv/bin/python tools/settings.py BIN...` takes for each major version a folder with its `initdb` and `postgres`, such
as /usr/lib/postgresql/17/bin; the newest minor release is best, because some settings came with one. Majors of which no
folder is given stay as they are. Needs no network: each server listens on a socket of its own, and is stopped again.
"""

import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from groundplane.engines.database import _pg_settings
from groundplane.local.host.executables import UNPRIVILEGED

PORT: Final = "5432"
QUERY: Final = """\
SELECT name, context, vartype, coalesce(unit, ''), coalesce(min_val, ''), coalesce(max_val, ''), enumvals
FROM pg_settings WHERE name NOT LIKE '%.%' ORDER BY lower(name)
"""
# Words that PostgreSQL takes and does not show: for each enumeration the server itself is asked which.
UNSHOWN: Final = ("on", "off", "true", "false", "yes", "no", "1", "0", "", "debug", "archive", "hot_standby", "default")
# Settings that PostgreSQL takes and lists nowhere, with the type they have.
UNLISTED: Final = {"default_with_oids": "bool"}
# Old names that a server may still know, and what each has become.
RENAMED: Final = {
    "force_parallel_mode": "debug_parallel_query",
    "sort_mem": "work_mem",
    "ssl_ecdh_curve": "ssl_groups",
    "vacuum_mem": "maintenance_work_mem",
}
# Settings that postgresql.conf may have and ALTER SYSTEM may not: else what ALTER SYSTEM refuses, no file may set.
BY_HAND: Final = frozenset({"allow_alter_system", "data_directory"})
# What only some builds offer, by setting. Whether a server's own build does is for that server to say.
BUILDS: Final = {
    "default_toast_compression": ["lz4"],
    "io_method": ["io_uring"],
    "wal_compression": ["lz4", "zstd"],
}

Rows = dict[str, list[Any]]  # by name: context, type, unit, least, most, words shown, words taken besides


def main(folders: list[str]) -> int:
    """Write the file again with what the servers in *folders* say, and return 0; 2 when there is none."""
    if not folders:
        print("settings: name a folder with initdb and postgres for each major version", file=sys.stderr)
        return 2
    path = _pg_settings.FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"servers": {}, "renamed": {}}
    by_major: dict[str, Rows] = {
        major: {name: row[1:] for name, rows in known["settings"].items() for row in rows if major in row[0].split()}
        for major in known["servers"]
    }
    for folder in folders:
        with server(Path(folder)) as connection:
            version = str(connection.execute("SHOW server_version").fetchone()[0]).split()[0]  # type: ignore[index]  # SHOW always answers.
            major = version.partition(".")[0]
            by_major[major], known["renamed"][major] = settings(connection), renamed(connection)
            known["servers"][major] = version
            print(f"PostgreSQL {version}: {len(by_major[major])} settings")
    known["generated"] = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    path.write_text(text(known, by_major), encoding="utf-8")
    return 0


@contextlib.contextmanager
def server(folder: Path) -> Iterator[psycopg.Connection]:
    """Run the server in *folder* on new data, and yield a connection to it."""
    prefix = UNPRIVILEGED if os.geteuid() == 0 else ()  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory(prefix="pg") as home:
        data = str(Path(home) / "data")
        words = [*prefix, str(folder / "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        options = f"-c fsync=off -c listen_addresses='' -c unix_socket_directories={home} -p {PORT}"
        control = [*prefix, str(folder / "pg_ctl"), "-D", data, "-w", "-s"]
        subprocess.run([*control, "-o", options, "-l", f"{home}/log", "start"], check=True)
        try:
            with psycopg.connect(host=home, port=PORT, user="postgres", autocommit=True) as connection:
                yield connection
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True)


def settings(connection: psycopg.Connection) -> Rows:
    """Return what the server says of each of its settings; `internal` is what no file may set, too."""
    found: Rows = {}
    rows = connection.execute(QUERY).fetchall()
    words = sorted({word for row in rows for word in row[6] or ()} | set(UNSHOWN))
    for name, context, kind, unit, least, most, shown in rows:
        fixed = context == "internal" or not (name in BY_HAND or taken(connection, name, None))
        besides = [] if shown is None or fixed else _besides(connection, name, shown, words)
        more = [word for word in BUILDS.get(name, ()) if word not in shown]
        limits = ["internal", kind, unit, "", ""] if fixed else [context, kind, unit, least, most]
        found[name.lower()] = [*limits, [*(shown or ()), *more], besides]
    for name, kind in UNLISTED.items():
        if _shows(connection, name):
            found[name] = ["user", kind, "", "", "", [], []]
    return dict(sorted(found.items()))


def renamed(connection: psycopg.Connection) -> dict[str, str]:
    """Return the old names that the server still knows."""
    return {old: new for old, new in RENAMED.items() if old != _shows(connection, old) == new}


def taken(connection: psycopg.Connection, name: str, value: str | None) -> bool:
    """Whether the server takes *value* for setting *name* in a file; None stands for the default."""
    literal = sql.SQL("DEFAULT") if value is None else sql.Literal(value)
    try:
        connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), literal))
    except psycopg.Error:
        return False
    if value is not None:
        connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
    return True


def text(known: dict[str, Any], by_major: dict[str, Rows]) -> str:
    """Return the file: one line for each setting, as long as it is the same in all majors that have it."""
    lines = []
    for name in sorted({name for rows in by_major.values() for name in rows}):
        variants: list[tuple[list[str], list[Any]]] = []
        for major in sorted(by_major, key=int):
            row = by_major[major].get(name)
            if row is None:
                continue
            same = next((majors for majors, other in variants if other == row), None)
            same.append(major) if same is not None else variants.append(([major], row))
        entry = [[" ".join(majors), *row] for majors, row in variants]
        lines.append(f"    {json.dumps(name)}: {json.dumps(entry)}")
    head = [f'  "{key}": {json.dumps(known[key], sort_keys=True)},' for key in ("generated", "servers", "renamed")]
    return "\n".join(["{", *head, '  "settings": {', ",\n".join(lines), "  }", "}"]) + "\n"


def _besides(connection: psycopg.Connection, name: str, shown: Iterable[str], words: Iterable[str]) -> list[str]:
    known = {word.lower() for word in shown}
    return [word for word in words if word.lower() not in known and taken(connection, name, word)]


def _shows(connection: psycopg.Connection, name: str) -> str | None:
    """Return the name under which the server knows setting *name*, or None."""
    try:
        described = connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).description
    except psycopg.Error:
        return None
    return described[0].name if described else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
