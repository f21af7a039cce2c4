"""A claim on one machine is a real PostgreSQL: its data, its backups, its credentials, and what happens to it."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import pytest

from bareplane.waiting import eventually
from controlplane.cluster import Cluster, Team, condition, is_true
from controlplane.local import PROCESS, TASK, Provider, claim, connected, entries, process
from controlplane.resting import belonging, rests

SOON = 60


@pytest.fixture(scope="module")
def provider(living: Cluster) -> Iterator[Provider]:
    if living.plane is None:
        pytest.skip("this cluster is not ours to run programs for: it needs the bare plane")
    found = Provider(living.plane)
    found.install()
    found.start()
    yield found
    if found.running():
        living.plane.end("provider", signal.SIGTERM)


@pytest.fixture
def here(cluster: Cluster, provider: Provider) -> Team:
    """Return a namespace whose databases this machine serves."""
    if not provider.running():
        provider.start()
    return cluster.team("local")


def served(team: Team, name: str = "orders", **spec: object) -> None:
    team.apply(claim(name, **spec))
    team.ready(name)


def programs(root: Path) -> list[psutil.Process]:
    """Return the servers that run on data below *root*; their children come and go with them."""
    found = {}
    for one in psutil.process_iter(["cmdline", "ppid"]):
        words = one.info["cmdline"] or []
        if words[:1] and words[0].endswith("/postgres") and any(word.startswith(str(root)) for word in words):
            found[one.pid] = one
    # A child that was born this moment still carries the command line of its server.
    return [one for one in found.values() if one.info["ppid"] not in found]


def test_an_application_reads_what_it_wrote_through_its_binding_and_nobody_else_gets_in(here: Team) -> None:
    served(here)
    with connected(here) as application:
        application.execute("CREATE TABLE written (line text)")
        application.execute("INSERT INTO written VALUES ('kept')")
        assert application.execute("SELECT line FROM written").fetchall() == [("kept",)]
        owner = "SELECT tableowner, current_user FROM pg_tables WHERE tablename = 'written'"
        assert application.execute(owner).fetchone() == ("app_owner", "app_owner")
        assert application.pgconn.ssl_in_use
    bound = entries(here)
    without_tls = bound["uri"].replace("verify-full", "disable")
    as_superuser = f"postgresql://postgres@{bound['host']}:{bound['port']}/postgres?sslmode=require"
    guessed = bound["uri"].replace(bound["password"], "guessed").replace("verify-full", "require")
    for uri in (without_tls, as_superuser, guessed):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(uri, connect_timeout=5)


def test_a_backup_is_made_at_once_and_a_table_that_was_dropped_is_brought_back(here: Team) -> None:
    served(here)
    here.wait(lambda it: is_true(it, "BackupCurrent"))
    with connected(here) as application:
        application.execute("CREATE TABLE written AS SELECT generate_series(1, 1000) AS line")
        time.sleep(1.1)  # times to restore have whole seconds
        before = datetime.now(UTC)
        time.sleep(1.1)
        application.execute("DROP TABLE written")
        application.execute("CREATE TABLE later ()")
    copied = {"from": "Claim", "claimRef": {"name": "orders"}}
    served(here, "before", restore={**copied, "pointInTime": before.strftime("%Y-%m-%dT%H:%M:%SZ")})
    served(here, "latest", restore=copied)
    with connected(here, "before") as application:
        assert application.execute("SELECT count(*), sum(line) FROM written").fetchone() == (1000, 500500)
        assert application.execute("SELECT to_regclass('later')").fetchone() == (None,)
    with connected(here, "latest") as application:
        assert application.execute("SELECT to_regclass('later')::text").fetchone() == ("later",)
        assert application.execute("SELECT to_regclass('written')").fetchone() == (None,)
    assert entries(here)["password"] != entries(here, "latest")["password"]


def test_a_server_that_is_killed_comes_back_with_all_that_was_acknowledged(here: Team) -> None:
    served(here)
    with connected(here) as application:
        application.execute("CREATE TABLE written AS SELECT generate_series(1, 100) AS line")
    first = process(here)["pid"]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: process(here).get("pid") not in {None, first}, SOON)
    here.ready()
    with connected(here) as application:
        assert application.execute("SELECT count(*) FROM written").fetchone() == (100,)
    assert process(here)["restarts"] == 1


def test_a_provider_that_is_killed_finds_its_servers_again(here: Team, provider: Provider) -> None:
    served(here)
    first, before = process(here)["pid"], {one.pid for one in programs(provider.root)}
    with connected(here) as application:
        provider.kill()
        assert application.execute("SELECT 1").fetchone() == (1,)
        provider.start()
        here.run("patch", "xdatabase", "orders", "--type=merge", "-p", '{"spec":{"parameters":{"work_mem":"9MB"}}}')
        eventually(lambda: process(here).get("pid") not in {None, first}, SOON)  # it does what is asked again
    here.ready()
    assert {one.pid for one in programs(provider.root)} == (before - {first}) | {process(here)["pid"]}


def test_a_setting_that_the_server_does_not_take_is_told_in_its_own_words(here: Team) -> None:
    served(here)
    wrong = '{"spec":{"parameters":{"log_timezone":"Nowhere/Land"}}}'  # what zones there are only the server knows
    here.run("patch", "xdatabase", "orders", "--type=merge", "-p", wrong)
    found = here.wait(lambda it: condition(it, "Serving")["reason"] == "EngineFailed")
    assert 'invalid value for parameter "log_timezone": "Nowhere/Land"' in condition(found, "Serving")["message"]
    right = '{"spec":{"parameters":{"log_timezone":null,"work_mem":"8MB"}}}'
    here.run("patch", "xdatabase", "orders", "--type=merge", "-p", right)
    here.ready()
    with connected(here) as application:
        assert application.execute("SHOW work_mem").fetchone() == ("8MB",)


def test_a_password_that_was_changed_reaches_server_and_binding(here: Team) -> None:
    served(here)
    changed = '{"stringData":{"password":"another-one-of-the-owner"}}'
    here.run("patch", "secret", "orders-db-1-login-a", "--type=merge", "-p", changed)
    eventually(lambda: entries(here)["password"] == "another-one-of-the-owner", SOON)

    def works() -> bool:
        try:
            with connected(here):
                return True
        except psycopg.OperationalError:
            return False

    eventually(works, SOON)


def test_it_ends_quiet_and_nothing_secret_lies_open(here: Team, provider: Provider) -> None:
    served(here)
    here.wait(lambda it: is_true(it, "BackupCurrent"))
    rests(here)
    password = entries(here)["password"]
    assert [
        one for one in programs(provider.root) if password in " ".join([*one.cmdline(), *one.environ().values()])
    ] == []
    for path in provider.root.rglob("*"):
        if path.is_socket():
            continue
        assert path.stat().st_mode & 0o077 == 0, path
        if path.suffix in {".log", ".1"}:
            assert password not in path.read_text(errors="replace")
    assert password not in provider.plane.log("provider")


def test_a_claim_that_is_deleted_leaves_its_backups_alone(here: Team, provider: Provider) -> None:
    served(here)
    here.wait(lambda it: is_true(it, "BackupCurrent"))
    pid, uid = process(here)["pid"], here.get(PROCESS, "orders-db-1")["metadata"]["uid"]
    here.wait(lambda it: it["status"]["deletion"]["inForce"] == "Delete")
    here.run("delete", "xdatabase", "orders")
    eventually(lambda: not belonging(here) and not here.get(TASK), SOON)
    assert not psutil.pid_exists(pid)
    assert [*(provider.root / "data" / here.namespace).iterdir()] == []
    assert uid not in str([*provider.root.rglob("*")])
    (archive,) = (provider.root / "backups" / here.namespace).iterdir()
    assert [*(archive / "base").glob("*.tar.gz")]
