"""Killed at random moments, while everything is under way: all comes back, and nothing acknowledged is lost."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bareplane.waiting import eventually
from faults.journal import Journal, rows
from faults.machine import SOON, Apart, Machine, listening, machine

KILLS = int(os.environ.get("GROUNDPLANE_KILLS", "50"))
SEED = int(os.environ.get("GROUNDPLANE_FAULTS_SEED", "17"))
LATEST_SECONDS = 3.0
BETWEEN_CHECKS = 5
WORK = ("apply", "write", "backup", "restore", "delete")


def plane(here: Machine, seconds: float) -> None:
    """Kill the plane, and with it the provider, or the provider that is apart, after *seconds*; start it again."""
    time.sleep(seconds)
    here.kill()
    here.up()


def engine(here: Machine, seconds: float) -> None:
    """Kill the server of the database that is written to, *seconds* after it was seen to run: it may be backed off."""
    pid = None
    while pid is None:
        eventually(lambda: _server(here), 2 * SOON)
        time.sleep(seconds)
        pid = _server(here)
    os.kill(pid, signal.SIGKILL)


def _server(here: Machine) -> int | None:
    """Return the number of the server that is written to, while it runs."""
    pid = here.kubectl.get("process", "orders-db-1").get("status", {}).get("pid")
    return pid if pid and psutil.pid_exists(pid) else None


@pytest.mark.parametrize(
    ("kind", "kill"),
    [
        pytest.param(Machine, plane, id="plane"),
        pytest.param(Machine, engine, id="engine"),
        pytest.param(Apart, plane, id="provider"),
    ],
)
def test_all_comes_back_and_nothing_acknowledged_is_lost(
    short: Path, kind: type[Machine], kill: Callable[[Machine, float], None]
) -> None:
    chance = random.Random(SEED)  # noqa: S311  # The same moments every time, no secret.
    with machine(short, kind) as here:
        here.apply("orders")
        here.serves("orders")
        here.backed_up("orders")
        connect = here.connector()
        living: list[str] = []
        with Journal(connect) as journal:
            for number in range(KILLS):
                _begin(here, WORK[number % len(WORK)], number, living)
                kill(here, chance.uniform(0, LATEST_SECONDS))
                print(f"{number + 1} killed, {len(journal.acknowledged)} rows")  # noqa: T201  # The figures of a long run.
                if number % BETWEEN_CHECKS == BETWEEN_CHECKS - 1:
                    _whole(here, journal, living)
            _whole(here, journal, living)
        with connect() as connection:
            journal.agrees(connection)
        ports = [int(here.binding(name)["port"]) for name in ("orders", *living)]
        for name in ("orders", *living):
            here.kubectl("delete", "xdatabase", name)
        eventually(lambda: not here.servers() and not any(map(listening, ports)), SOON)
        eventually(lambda: here.data() == [], SOON)
        assert [*here.temporary.iterdir()] == []


def _begin(here: Machine, work: str, number: int, living: list[str]) -> None:
    """Let something begin, and do not wait for it."""
    if work == "apply":
        here.apply(f"other-{number}")
        living.append(f"other-{number}")
    elif work == "backup":
        here.kubectl("patch", "xdatabase", "orders", "--type=merge", "-p", _kept(2 + number))
    elif work == "restore":
        here.apply(f"copy-{number}", restore={"from": "Claim", "claimRef": {"name": "orders"}})
        living.append(f"copy-{number}")
    elif work == "delete" and living:
        here.kubectl("delete", "xdatabase", living.pop(0), "--wait=false")


def _kept(days: int) -> str:
    """Return the patch that makes a new base backup: what is done once is done again when it changes."""
    return f'{{"spec":{{"backup":{{"retentionDays":{days}}}}}}}'


def _whole(here: Machine, journal: Journal, living: list[str]) -> None:
    """Return once every claim is served, rows are there, rows are written, and nothing runs that should not."""
    for name in ("orders", *living):
        here.serves(name, 2 * SOON)
    here.backed_up("orders", 2 * SOON)
    before = len(journal.acknowledged)
    eventually(lambda: len(journal.acknowledged) > before + 10, SOON)
    with here.connector()() as connection:
        journal.agrees(connection)
    wanted = {here.kubectl.get("process", f"{name}-db-1")["status"]["pid"] for name in ("orders", *living)}
    eventually(lambda: {one.pid for one in here.servers()} == wanted, SOON)
    for name in living:
        if name.startswith("copy-"):
            with here.connector(name)() as copy:
                found = rows(copy)
            assert found <= {*range(1, journal.acknowledged[-1].number + 2)}
            assert found, "an empty copy"
    assert all(psutil.pid_exists(pid) for pid in wanted)
