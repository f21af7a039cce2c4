"""What the local engine says and does is true at the server: a real one, with what is rendered for a claim."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local_server import LOGIN, Server, running


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return an empty folder with a short name, because the path of a socket has 107 letters at most."""
    made = Path(tempfile.mkdtemp(prefix="gp-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Server]:
    """Return a server that all tests share; whoever changes something puts it right by the setup."""
    home = folder / "one"
    home.mkdir(mode=0o700)
    with running(home) as server:
        yield server


@pytest.fixture
def server(one: Server) -> Iterator[Server]:
    """Return the server as the setup leaves it."""
    yield one
    one.password, one.spec = b"made-up", {}
    assert one.setup() == ""


HARD = [
    "it's",
    'a\\b\\n"c"',
    "$HOME $(id) `id` $$(X)",
    "100%41 %s",
    "  :x :'y' {}[];--/* ",
    "ü日本ﬁ",
    "in\nner\ttab",
    "\\",
    ":password",
]


@pytest.mark.parametrize("password", HARD)
def test_a_password_arrives_as_it_is_in_server_probe_and_client(server: Server, password: str) -> None:
    server.password = password.encode()
    assert server.setup() == ""
    assert server.serving().holds
    with server.connect() as application:
        assert application.execute("SELECT session_user, current_user").fetchone() == (LOGIN, "app_owner")
    assert password not in server.log


def test_the_probe_tells_a_password_that_is_another_and_puts_it_nowhere(server: Server) -> None:
    server.password = b"another-one"
    found = server.serving()
    assert (found.holds, found.said) == (False, f'FATAL:  password authentication failed for user "{LOGIN}"')
    assert "another-one" not in server.log


def test_the_probe_writes_to_the_log_and_leaves_nothing_behind(server: Server) -> None:
    count = "SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_stat_user_tables)"
    with server.superuser("app") as seen:
        before = seen.execute(count).fetchone()
        position = seen.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        assert server.serving().holds
        assert seen.execute("SELECT pg_current_wal_flush_lsn() > %s::pg_lsn", position).fetchone() == (True,)
        assert seen.execute(count).fetchone() == before
        committed = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'app'"
        assert seen.execute(committed).fetchone()


SHADOWED = """
    CREATE SCHEMA mine;
    CREATE FUNCTION mine.count(bigint) RETURNS int LANGUAGE sql AS 'SELECT 1/0';
    ALTER DATABASE app SET search_path = mine, pg_catalog
"""
OWN_DOINGS = [
    "ALTER DATABASE app SET default_transaction_read_only = on",
    "ALTER DATABASE app SET statement_timeout = 1",
    "ALTER DATABASE app SET transaction_timeout = 1",
    "ALTER DATABASE app SET search_path = elsewhere",
    "ALTER DATABASE app SET role = 'nobody_at_all'",
    SHADOWED,
    "REVOKE ALL ON DATABASE app FROM PUBLIC",
    "DROP SCHEMA public CASCADE",
    "DROP OWNED BY app_owner",
]


@pytest.mark.parametrize("doing", OWN_DOINGS)
def test_what_the_application_does_to_its_database_is_no_outage(server: Server, doing: str) -> None:
    try:
        with server.connect() as application:
            application.execute(doing)
        assert server.serving().holds
        assert server.setup() == ""
        assert server.serving().holds
    finally:
        with server.superuser() as tidy:
            tidy.execute("ALTER DATABASE app RESET ALL")
        with server.superuser("app") as tidy:
            tidy.execute("CREATE SCHEMA IF NOT EXISTS public AUTHORIZATION pg_database_owner")


LOCKED_OUT = [
    f"SET ROLE NONE; ALTER ROLE {LOGIN} PASSWORD 'of-my-own'",
    "ALTER DATABASE app CONNECTION LIMIT 0",
    "REVOKE CONNECT ON DATABASE app FROM app_owner",
]


@pytest.mark.parametrize("doing", LOCKED_OUT)
def test_who_locks_himself_out_is_told_and_let_in_again_by_the_setup(server: Server, doing: str) -> None:
    with server.connect() as application:
        application.execute(doing)
    found = server.serving()
    assert not found.holds
    assert found.said.startswith("FATAL:  ")
    assert server.setup() == ""
    assert server.serving().holds


def test_a_server_in_recovery_does_not_serve(folder: Path) -> None:
    home = folder / "rec"
    home.mkdir(mode=0o700)
    with running(home) as server:
        server.stop()
        (server.folder / "data" / "pgdata" / "standby.signal").touch()
        server.start()
        found = server.serving()
        assert not found.holds
        assert "during recovery" in found.said


def test_a_server_that_hangs_does_not_serve(server: Server) -> None:
    process = server._process
    assert process
    process.send_signal(signal.SIGSTOP)
    try:
        assert not server.serving(patient=False).holds
    finally:
        process.send_signal(signal.SIGCONT)


REACHED = ["postgres", "template1", "later", "replication"]


@pytest.mark.parametrize("database", REACHED)
def test_the_application_reaches_no_other_database(server: Server, database: str) -> None:
    with server.superuser() as superuser:
        superuser.execute("DROP DATABASE IF EXISTS later")
        superuser.execute("CREATE DATABASE later OWNER app_owner")
    with pytest.raises(psycopg.OperationalError, match="reject"):
        server.connect(dbname=database)
    with pytest.raises(psycopg.OperationalError, match="reject"):
        server.connect(dbname="app", user="postgres")
    with pytest.raises(psycopg.OperationalError, match="WAL sender"):
        server.connect(replication="database")


@pytest.mark.parametrize("database", ["app", "postgres", "template1"])
def test_no_database_lets_anybody_in_who_is_not_named(server: Server, database: str) -> None:
    with server.superuser() as superuser:
        superuser.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO PUBLIC")
    assert server.setup() == ""
    with server.superuser() as superuser:
        superuser.execute("CREATE ROLE passer_by")
        asked = "SELECT has_database_privilege(%s, %s, %s)"
        rights = [
            superuser.execute(asked, (role, database, right)).fetchone()
            for role in ("passer_by", "app_owner")
            for right in ("CONNECT", "TEMPORARY")
        ]
        superuser.execute("DROP ROLE passer_by")
    assert rights[0] == (False,)
    assert rights[2:] == [(database == "app",)] * 2


def test_a_copy_obeys_its_claim_and_no_more_what_its_recovery_was_told(server: Server) -> None:
    with server.superuser() as superuser:
        superuser.execute("ALTER SYSTEM SET max_connections = '500'")
    server.spec = {"restore": {"from": "Backup", "backupID": "orders-0123abcd"}}
    assert server.setup() == ""
    with server.superuser() as superuser:
        left = superuser.execute("SELECT name FROM pg_file_settings WHERE sourcefile ~ 'auto.conf'").fetchall()
    assert left == []


FORBIDDEN = [
    ("DROP DATABASE app", "cannot drop the currently open database"),
    ("ALTER DATABASE app RENAME TO mine", "permission denied|cannot be renamed"),
    ("ALTER SYSTEM SET work_mem = '1MB'", "permission denied"),
    ("CREATE ROLE mine", "permission denied"),
    ("CREATE DATABASE mine", "permission denied"),
    ("COPY (SELECT 1) TO PROGRAM 'true'", "permission denied"),
    ("SELECT pg_read_file('/etc/passwd')", "permission denied"),
    ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'", "SUPERUSER"),
]


@pytest.mark.parametrize(("statement", "said"), FORBIDDEN)
def test_the_application_cannot_leave_its_database(server: Server, statement: str, said: str) -> None:
    with (
        server.superuser(),
        server.connect() as application,
        pytest.raises(psycopg.errors.DatabaseError, match=said),
    ):
        application.execute(statement)


DONE = [
    "CREATE SCHEMA more; CREATE TABLE more.lines (n int); DROP SCHEMA more CASCADE",
    "CREATE EXTENSION pg_trgm; DROP EXTENSION pg_trgm",
    "ALTER DATABASE app SET work_mem = '5MB'; ALTER DATABASE app RESET work_mem",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'; DROP FUNCTION f()",
    "CREATE PUBLICATION p; DROP PUBLICATION p",
]


@pytest.mark.parametrize("statements", DONE)
def test_the_application_can_do_everything_in_its_database(server: Server, statements: str) -> None:
    with server.connect() as application:
        application.execute(statements)


def test_the_application_sees_and_ends_its_own_sessions_of_both_logins(server: Server) -> None:
    with server.superuser() as superuser:
        superuser.execute("ALTER ROLE app_login_b LOGIN PASSWORD 'of-b'")
    with server.connect() as application:
        for more in ({}, {"user": "app_login_b", "password": "of-b"}):
            other: psycopg.Connection[Any] = server.connect(**more)
            other.execute("SELECT 'what it does'")
            row = application.execute(
                "SELECT pid, query FROM pg_stat_activity WHERE pid = %s", [other.info.backend_pid]
            ).fetchone()
            assert row == (other.info.backend_pid, "SELECT 'what it does'")
            assert application.execute("SELECT pg_terminate_backend(%s)", [row[0]]).fetchone() == (True,)
            with pytest.raises(psycopg.OperationalError):
                other.execute("SELECT 1")
            other.close()


def test_the_text_of_the_setup_is_in_no_log_whatever_a_parameter_asks_for(folder: Path) -> None:
    home = folder / "log"
    home.mkdir(mode=0o700)
    talkative = {"log_min_duration_statement": "0", "debug_print_parse": "on", "log_duration": "on"}
    hard = {f"app.hard_{number}": value for number, value in enumerate(HARD)}
    names = ["pg_stat_statements", "postgres_fdw", "earthdistance"]
    listed = [{"name": name} for name in names]
    with running(home, parameters={**talkative, **hard}, database={"extensions": listed}) as server:
        assert server.setup() == ""
        assert server.serving().holds
        assert "app_login_a LOGIN PASSWORD" not in server.log
        assert "made-up" not in server.log
        with server.connect() as application:
            found = application.execute("SELECT count(*) FROM pg_stat_statements WHERE query ~ 'PASSWORD'").fetchone()
            assert found == (0,)
            application.execute("CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw")
            assert application.execute("SELECT earth()").fetchone()
            told = {name: application.execute("SELECT current_setting(%s)", [name]).fetchone() for name in hard}
            assert told == {name: (value,) for name, value in hard.items()}
