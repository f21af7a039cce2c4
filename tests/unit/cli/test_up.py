"""A plane on this machine, by its commands alone: a real PostgreSQL behind a claim, until nothing is left."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bareplane.waiting import eventually
from faults.machine import COMMAND_SECONDS, GROUNDPLANE, NAMESPACE, SOON, Machine, listening, machine

CLAIM = ("xdb/orders", "-n", NAMESPACE)
ROW = """
import os, pathlib, psycopg
with psycopg.connect() as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS written (it int)")
    connection.execute("INSERT INTO written VALUES (1)")
    print(connection.execute("SELECT count(*) FROM written").fetchone()[0])
root = pathlib.Path(os.environ["SERVICE_BINDING_ROOT"])
files = [*root.rglob("*")]
print(sorted(one.name for one in files if one.is_file()), root)
print([str(one) for one in [root, *files] if one.stat().st_mode & 0o077])
"""


@pytest.fixture(scope="module")
def here() -> Iterator[Machine]:
    """Return a machine with one claim that is served."""
    with tempfile.TemporaryDirectory(prefix="gp-") as folder, machine(Path(folder)) as made:
        made.apply("orders")
        made.serves("orders")
        yield made


def say(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command printed; it must have done what was asked."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_row_is_written_through_exec_and_nothing_of_the_binding_stays(here: Machine) -> None:
    count, files, open_to_others = say(here.run("exec", *CLAIM, "--", sys.executable, "-c", ROW)).splitlines()
    names, _, root = files.rpartition(" ")
    assert int(count) >= 1
    assert {"type", "host", "port", "username", "password", "certificates"} <= {*json.loads(names.replace("'", '"'))}
    assert open_to_others == "[]"
    assert not Path(root).exists()


def test_exec_ends_as_its_program_ends(here: Machine) -> None:
    assert here.run("exec", *CLAIM, "--", "sh", "-c", "exit 7").returncode == 7
    assert here.run("exec", *CLAIM, "--", "sh", "-c", "kill -9 $$").returncode == 128 + signal.SIGKILL
    missing = here.run("exec", *CLAIM, "--", "no-such-program")
    assert (missing.returncode, missing.stderr) == (
        127,
        "groundplane exec: no-such-program: No such file or directory\n",
    )


def test_exec_passes_a_signal_on_and_takes_the_binding_away(here: Machine) -> None:
    words = [
        str(GROUNDPLANE),
        "exec",
        *CLAIM,
        "--",
        "sh",
        "-c",
        # Not `read`: a shell that is told just before it reads never looks.
        "trap 'exit 9' TERM; echo $SERVICE_BINDING_ROOT; while :; do sleep 0.1; done",
    ]
    environment = {**os.environ, "GROUNDPLANE_HOME": str(here.home)}
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        root = Path(process.stdout.readline().strip())
        assert (root / "orders" / "password").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(COMMAND_SECONDS) == 9
    assert not root.exists()


def test_a_binding_is_printed_in_every_form_and_psql_shows_no_password(here: Machine) -> None:
    bound, found = here.binding(), json.loads(say(here.run("binding", *CLAIM, "-o", "json")))
    assert (found["PGPASSWORD"], found["PGUSER"]) == (bound["password"], bound["username"])
    script = say(here.run("binding", *CLAIM)) + '\nprintf "%s" "$PGPASSWORD $PGUSER"; test -s "$PGSSLROOTCERT"'
    told = say(subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=False))
    assert told == f"{bound['password']} {bound['username']}"
    assert f"PGPASSWORD={bound['password']}" in say(here.run("binding", *CLAIM, "-o", "dotenv"))
    line = say(here.run("binding", *CLAIM, "-o", "psql"))
    assert bound["password"] not in line
    (pgpass,) = [Path(word.partition("=")[2]) for word in shlex.split(line) if word.startswith("PGPASSFILE=")]
    assert bound["password"] in pgpass.read_text()
    assert [one for one in [pgpass, *pgpass.parents[:2]] if one.stat().st_mode & 0o077] == []


def test_a_claim_that_is_not_there_or_no_claim_at_all_is_said(here: Machine) -> None:
    absent = here.run("binding", "xdb/absent", "-n", NAMESPACE)
    assert (absent.returncode, absent.stderr) == (1, f"Error: there is no XDatabase absent in namespace {NAMESPACE}\n")
    assert "xyz/orders is no claim; write for example xdb/orders" in here.run("binding", "xyz/orders").stderr


def test_status_tells_claims_and_programs_to_people_and_to_programs(here: Machine) -> None:
    seen = here.status()
    (claim,) = seen["claims"]
    assert (claim["name"], claim["engine"], claim["told"]) == ("orders", "local", "serving")
    (server,) = [one for one in claim["programs"] if one["kind"] == "Process"]
    assert psutil.pid_exists(server["pid"])
    assert server["memory"] > 0
    text = say(here.run("status"))
    assert "\x1b" not in text
    assert f"pid {server['pid']}" in text
    assert claim["endpoints"][0] in text


def test_logs_are_those_of_the_plane_or_of_a_claim(here: Machine) -> None:
    assert "serves" in say(here.run("logs"))
    told = say(here.run("logs", *CLAIM))
    assert "process-orders-db-1: " in told
    assert "database system is ready" in told
    assert "no claim" in here.run("logs", "orders").stderr


def test_up_again_starts_nothing(here: Machine) -> None:
    before = here.status()["plane"]["pid"]
    assert "A plane runs already" in say(here.run("up"))
    assert here.status()["plane"]["pid"] == before
    assert say(here.run("kubeconfig")) == f"{here.home / 'kubeconfig'}\n"


def test_a_plane_that_was_killed_finds_its_server_again(here: Machine) -> None:
    before = here.kubectl.get("process", "orders-db-1")["status"]["pid"]
    here.kill()
    assert here.run("status").returncode == 3
    assert psutil.pid_exists(before)
    here.up()
    here.serves("orders")
    assert here.kubectl.get("process", "orders-db-1")["status"]["pid"] == before


def test_down_ends_what_a_killed_plane_left_and_data_stay(here: Machine) -> None:
    port = int(here.binding()["port"])
    assert listening(port)
    here.kill()
    assert "Ended 1 program of a plane that was killed" in say(here.run("down"))
    assert not listening(port)
    assert here.processes() == []
    assert [*(here.home / "data").rglob("PG_VERSION")]
    here.up()
    here.serves("orders")
    assert int(here.binding()["port"]) == port
    say(here.run("exec", *CLAIM, "--", sys.executable, "-c", ROW))


def test_down_leaves_no_process_and_no_port(here: Machine) -> None:
    ports = [int(here.binding()["port"]), int(here.status()["plane"]["address"].rpartition(":")[2])]
    assert all(map(listening, ports))
    told = say(here.run("down"))
    assert "Ending the plane" in told
    assert f"Data and backups stay in {here.home}" in told
    eventually(lambda: not any(map(listening, ports)), SOON)
    assert here.processes() == []
    assert "No plane runs" in say(here.run("down"))
    for command in (("status",), ("kubeconfig",), ("binding", "xdb/orders")):
        done = here.run(*command)
        assert (done.returncode, done.stderr) == (
            3,
            f"Error: no plane runs in {here.home}; start it: groundplane up\n",
        )
