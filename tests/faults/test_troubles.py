"""A machine that is full, taken or in another time: what is wrong is said, and nothing is lost."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from bareplane.kubectl import KubectlError
from bareplane.waiting import always, eventually
from faults.journal import Journal
from faults.machine import LOOPBACK, SOON, Machine, listening, machine

SIZE = "400m"
FEW_SECONDS = 5
DAY_SECONDS = 24 * 60 * 60
_OTHER_TIME = """
import datetime, os, time
_shift, _time = {seconds}, time.time
time.time = lambda: _time() + _shift
class _Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=_shift)
datetime.datetime = _Shifted
"""


@pytest.fixture
def small_disk(short: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own, of `SIZE`."""
    home = short / "home"
    home.mkdir(mode=0o700)
    words = ("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(home))
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield home
    finally:
        subprocess.run(("umount", "--lazy", str(home)), check=True)


def test_a_full_disk_is_said_and_nothing_acknowledged_is_lost(short: Path, small_disk: Path) -> None:
    with machine(short) as here:
        here.apply("orders")
        here.serves("orders")
        here.backed_up("orders")
        plane = here.status()["plane"]["pid"]
        with Journal(here.connector()) as journal:
            eventually(lambda: len(journal.acknowledged) > 100, SOON)
            _fill(small_disk)
            with pytest.raises(psycopg.Error, match="No space left on device"), here.connector()() as connection:
                connection.execute("CREATE TABLE much AS SELECT generate_series(1, 10000000)")
            _fill(small_disk)
            with pytest.raises(KubectlError, match="make room on its disk"):
                _write_much(here)
            always(lambda: here.status()["plane"]["pid"] == plane, FEW_SECONDS)
            (small_disk / "filler").unlink()
            here.serves("orders", 2 * SOON)
            before = len(journal.acknowledged)
            eventually(lambda: len(journal.acknowledged) > before + 100, SOON)
            with here.connector()() as connection:
                journal.agrees(connection)


def _write_much(here: Machine) -> None:
    """Write to the plane what no page of its store that is half empty has room for."""
    for number in range(20):
        much = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"much-{number}"}}
        here.kubectl.apply(much | {"data": {"it": "x" * 200_000}}, server_side=True)


def _fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "filler").open("ab", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


def test_a_database_never_takes_another_port(short: Path) -> None:
    with machine(short) as here:
        here.apply("orders")
        here.serves("orders")
        port = int(here.binding()["port"])
        here.kill()
        here.run("down")
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((LOOPBACK, port))
            other.listen()
            here.up()
            eventually(lambda: _reason(here) == "PortTaken", SOON)
            assert str(port) in here.run("status").stdout
        here.serves("orders")
        assert int(here.binding()["port"]) == port
        assert listening(port)


def _reason(here: Machine) -> str:
    process = here.kubectl.get("process", "orders-db-1")
    found = process.get("status", {}).get("conditions", [])
    return next((str(one["reason"]) for one in found if one["type"] == "Ready"), "")


@pytest.mark.parametrize("days", [1, -1], ids=["ahead", "behind"])
def test_a_clock_that_jumps_a_day_harms_nothing(short: Path, days: int) -> None:
    with machine(short) as here:
        here.apply("orders")
        here.serves("orders")
        here.backed_up("orders")
        here.kill()
        other = short / "time"
        other.mkdir()
        (other / "sitecustomize.py").write_text(_OTHER_TIME.format(seconds=days * DAY_SECONDS))
        done = here.run("up", prefix=("env", f"PYTHONPATH={other}"))
        assert done.returncode == 0, done.stderr
        here.serves("orders")
        here.backed_up("orders")
        here.apply("later")
        here.serves("later")
        with here.connector("later")() as connection:
            connection.execute("SELECT 1")
        here.kubectl("delete", "xdatabase", "later")
        here.kill()  # and the clock is set right again
        here.up()
        here.serves("orders")
        here.apply("after")
        here.serves("after")
        with here.connector("after")() as connection:
            connection.execute("SELECT 1")


def test_a_claim_that_goes_during_its_backup_leaves_nothing_unfinished(short: Path) -> None:
    with machine(short) as here:
        for number in range(4):
            name = f"brief-{number}"
            here.apply(name)
            end = time.monotonic() + SOON
            while not _is_backed_up(here, name):  # it takes less than a second
                assert time.monotonic() < end
            time.sleep(0.3 * number)  # with each of its steps
            here.kubectl("delete", "xdatabase", name)
        eventually(lambda: not here.servers() and not here.data(), SOON)
        assert [one for one in here.home.glob("backups/**/*") if "unfinished" in one.name] == []


def _is_backed_up(here: Machine, name: str) -> bool:
    """Tell whether the program of the backup runs now; its Task says so only of one that takes long."""
    for one in here.processes():
        with contextlib.suppress(psutil.Error):
            words = one.cmdline()
            if "backup" in words and any(f"/{name}-db-1" in word for word in words):
                return True
    return False
