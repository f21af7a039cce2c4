"""Who gets in, as which role, how far, and how to tell that the application's login does."""

from __future__ import annotations

from typing import Final

from groundplane.apis import processes
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.local._names import HOST, SUPERUSER, Place

SOCKET: Final = ("-h", "$(RUN)", "-p", "$(PORT_PRIMARY)")
PSQL: Final = ("-X", "-q", "-t", "-A", "-w", "-v", "ON_ERROR_STOP=1", *SOCKET)
AS_SUPERUSER: Final = ("-U", SUPERUSER, "-d", SUPERUSER)
# The application may set any of these for its database or itself, for good reasons of its own. They are no reason for
# us to fail, and none of them may lead our own session, in its database, astray.
_OURS: Final = {
    "client_min_messages": "warning",
    "default_transaction_read_only": "off",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "0",
    "statement_timeout": "0",
    "transaction_timeout": "0",
}
# The text of a statement with a password in it: neither in the log, nor where statements are counted. A parameter may
# have asked for each of them.
QUIET: Final = (
    "SET client_min_messages = warning;",
    "SET log_min_error_statement = panic;",
    "SET log_min_duration_statement = -1;",
    "SET log_min_duration_sample = -1;",
    "SET log_transaction_sample_rate = 0;",
    "SET debug_print_parse = off;",
    "SET debug_print_rewritten = off;",
    "SET pg_stat_statements.track = 'none';",
)
READ_PASSWORD: Final = '\\set password `cat "$(FILES)/password"`'  # noqa: S105  # It reads one.

# Committed like any write: it takes a number of a transaction, which a server in recovery has not to give, and the
# commit returns when the log is on the disk. Everybody may call it, it touches no object, no trigger sees it, and
# nothing of it stays but a few bytes of log. Ten thousand numbers do not fit into 64 kB: they go to a new file of the
# server, and are read back; a full disk still has room in the log, and none for that.
_PROOF: Final = """\
BEGIN READ WRITE;
SELECT pg_catalog.pg_logical_emit_message(true, 'groundplane', '');
SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 10000);
COMMIT;
"""


def hosts(place: Place) -> str:
    """Return pg_hba.conf.

    Nobody reaches the socket's folder but the server's own user, so no password is needed there. Over the network,
    which needs TLS, the application's logins reach the database of the claim, and nobody reaches another one: whoever
    is in no other database cannot drop this one. A name in quotes is a name, whatever it means without them.
    """
    return f"""\
local   all  {SUPERUSER}  trust
local   replication  {SUPERUSER}  trust
hostssl "{place.ask.spec.database.name}"  +{postgresql.OWNER}  {HOST}/32  scram-sha-256
host    all  all  all  reject
"""


def serving(place: Place, secret: str) -> processes.ServingProbe:
    """Return what logs in as the application does, with the password in *secret*, and writes."""
    files = [
        processes.ConfigFile(name="serving.sql", content=_login(place)),
        processes.ConfigFile(name="password", secret=processes.SecretKey(name=secret, key="password")),
    ]
    args = [*PSQL, *AS_SUPERUSER, "-f", "$(FILES)/serving.sql"]
    return processes.ServingProbe(name="psql", args=args, files=files, after=[place.task("setup")])


def database(name: str) -> list[str]:
    """Return the SQL that opens the database *name* to the application, whatever that did to it, and no other one."""
    quoted, owner = f'"{name}"', postgresql.OWNER
    closed = f"SELECT 'ALTER DATABASE {quoted} CONNECTION LIMIT -1' FROM pg_database WHERE datname = '{name}'"  # noqa: S608  # It is SQL for psql; names are patterns.
    return [
        f"ALTER DATABASE {quoted} ALLOW_CONNECTIONS true;",
        f"{closed} AND datconnlimit = 0 \\gexec",
        f"REVOKE CONNECT ON DATABASE {quoted} FROM PUBLIC;",
        f"GRANT CONNECT ON DATABASE {quoted} TO {owner};",
        "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;",
    ]


def options(**more: str) -> str:
    """Return what psql gives the next session instead of what the application set, and *more*."""
    return " ".join(f"-c {name}={value}" for name, value in {**_OURS, **more}.items())


def _login(place: Place) -> str:
    """Return what psql does. It begins as the superuser, because only then it can be told a password from a file."""
    name = place.ask.spec.database.name
    return "\n".join(
        [
            READ_PASSWORD,
            "\\setenv PGPASSWORD :password",
            "\\setenv PGSSLMODE verify-full",
            "\\setenv PGSSLROOTCERT '$(FILES)/ca.crt'",
            "\\setenv PGCONNECT_TIMEOUT 4",
            f"\\setenv PGOPTIONS '{options(work_mem='64kB', synchronous_commit='on')}'",
            f'\\connect "host={HOST} port=$(PORT_PRIMARY) user={postgresql.ACTIVE} dbname={name}"',
            _PROOF,
        ]
    )
