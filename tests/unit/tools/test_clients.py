"""What `make clients` runs: the page has every client with the line of its program, and nothing passes untried."""

import shutil
import sys
from pathlib import Path

import pytest

import clients
import demo
from boundclients import building, mounts, page, running
from boundclients.catalogue import CLIENTS, SOURCES, Client

ENTRIES = {"host": "127.0.0.1", "port": "5", "uri": "postgresql://a:b@127.0.0.1:5/app?sslmode=verify-full"}
PASSWORD = "of-the-database"
every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
# A program that tells by its mount whom it meets.
MEETS = "import os; mount = os.environ['SERVICE_BINDING_ROOT'].rpartition('/')[2];"
REFUSES = (
    "told = {'another-authority': 'certificate verify failed', 'another-host': 'IP address mismatch'}.get(mount);"
    "told and exit(told);"
)
READS = "print('read: made-up');"


@every_client
def test_the_page_says_what_a_run_wrote_of_every_client(client: Client) -> None:
    found = page.rows(page.PAGE.read_text())
    assert found.keys() == {one.name for one in CLIENTS}
    assert found[client.name] == page.row(client, running.WHOLE), "run make clients"


@every_client
def test_the_line_that_the_page_shows_is_the_one_that_the_program_has(client: Client) -> None:
    assert client.words()
    assert client.line in (SOURCES / client.family / client.source).read_text()


def test_every_program_is_a_client() -> None:
    suffixes = {".java", ".js", ".go", ".py"}
    programs = {path for path in SOURCES.rglob("*") if path.suffix in suffixes}
    assert len(programs) == len(CLIENTS)


def test_a_client_that_did_not_run_keeps_its_row() -> None:
    before = page.PAGE.read_text()
    after = page.written(before, {"pgx": "something else"})
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.split("`")[1] for line in changed] == ["pgx"]
    assert page.written(after, {"pgx": running.WHOLE}) == before


def ran(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str, *, leave_out: tuple[str, ...] = ()) -> str:
    """Return what is found of a client whose program is *code*."""
    made_up = building.Family((), lambda _: None, lambda *_: [sys.executable, "-c", MEETS + code])
    monkeypatch.setitem(building.FAMILIES, "made-up", made_up)
    client = Client("made-up", "made-up", {}, "", "", leave_out=leave_out)
    right, authority, host, smaller = (folder / name for name in ("right", "another-authority", "another-host", "less"))
    return running.result(
        client,
        running.Mounts(right, authority, host, (), {"SERVICE_BINDING_ROOT": "/exec"}, PASSWORD),
        folder,
        smaller if leave_out else None,
    )


def test_a_client_passes_that_connects_and_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ran(monkeypatch, tmp_path, REFUSES + READS) == running.WHOLE


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("exit('no driver')", "did not connect: no driver"),
        ("pass", "did not connect"),
        ("mount == 'exec' and exit('no PATH');" + REFUSES + READS, "did not connect: no PATH"),
        (READS, "believed another-authority"),
        ("mount.startswith('another') and exit('no driver');" + READS, "not because of its certificate: no driver"),
        ("mount == 'another-authority' and exit('certificate verify failed');" + READS, "believed another-host"),
        (f"print({PASSWORD!r});" + REFUSES + READS, "shows the password"),
        (f"exit('cannot use {PASSWORD}')", r"cannot use \(hidden\)"),
    ],
)
def test_a_client_fails_that_does_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, told: str
) -> None:
    with pytest.raises(running.ClientError, match=told):
        ran(monkeypatch, tmp_path, code)


def test_a_client_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(running, "SECONDS", 0.1)
    with pytest.raises(running.ClientError, match="did not end within"):
        ran(monkeypatch, tmp_path, "import time; time.sleep(60)")


def test_a_client_that_shows_an_entry_must_not_show_it_where_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shows = f"mount == 'right' and print({PASSWORD!r});"
    assert ran(monkeypatch, tmp_path, shows + REFUSES + READS, leave_out=("uri",)) == running.WHOLE
    with pytest.raises(running.ClientError, match="shows the password"):
        ran(monkeypatch, tmp_path, f"print({PASSWORD!r});" + REFUSES + READS, leave_out=("uri",))


def test_a_client_has_nothing_of_the_shell_that_leads_to_a_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGSERVICE", "other")
    for client in CLIENTS:
        found = running.environment(client, tmp_path, tmp_path)
        assert found.keys() <= {"PATH", "JAVA_HOME", "LANG", "HOME", "SERVICE_BINDING_ROOT", *client.variables}


def test_a_mount_looks_as_in_a_pod(tmp_path: Path) -> None:
    root = mounts.mount(tmp_path / "right", ENTRIES)
    assert {one.name for one in (root / "orders").iterdir() if not one.name.startswith("..")} == ENTRIES.keys()
    assert (root / "orders" / "host").readlink() == Path("..data/host")
    assert (root / "orders" / "uri").read_text() == ENTRIES["uri"]


def test_another_host_is_in_every_entry_that_names_one() -> None:
    found = mounts.of_another_host(ENTRIES, 7)
    assert found == {
        "host": mounts.OTHER_HOST,
        "port": "7",
        "uri": f"postgresql://a:b@{mounts.OTHER_HOST}:7/app?sslmode=verify-full",
    }


def test_what_cannot_run_here_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(demo.Shell, "run", lambda *_: pytest.fail("nothing is started for nobody"))
    assert clients.main(["pgx", "spring-jdbc", "pg"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "clients: spring-jdbc: skipped: there is no javac and no mvn here",
        "clients: pg: skipped: there is no node and no npm here",
        "clients: pgx: skipped: there is no go here",
        "clients: skipped: none of them can run here",
    ]


def test_what_cannot_be_built_fails_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def built(family: str) -> None:
        if family == "go":
            raise building.BuildError("go build -o: no network")

    monkeypatch.setattr(building, "built", built)
    monkeypatch.setattr(building.Family, "lacks", lambda _: "")
    monkeypatch.setattr(clients, "connected", lambda ran: ({one.name: running.WHOLE for one in ran}, {}))
    assert clients.main(["pgx", "psycopg"]) == 1
    out = capsys.readouterr().out
    assert "clients: go cannot be built: go build -o: no network" in out
    assert "1 passed, 1 failed, 0 skipped" in out


def test_a_client_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert clients.main(["pgy"]) == 2
    assert "there is no client pgy" in capsys.readouterr().err
