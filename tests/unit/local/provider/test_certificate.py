"""A certificate is read again when one of its files is another, and once a day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundplane.local.host.certificates import CA, CERTIFICATE, KEY, Authority
from groundplane.local.provider import process
from groundplane.local.provider.paths import Machine
from groundplane.local.provider.process import ProcessSubject
from groundplane.local.provider.workload import Tools

NOW = datetime.now(UTC)


@pytest.fixture
def subject(tmp_path: Path) -> ProcessSubject:
    nothing: Any = None
    authority = Authority.kept(tmp_path / "authority", "made up", NOW)
    metadata = {"namespace": "team-a", "name": "one", "uid": "uid-1"}
    spec = {"program": {"name": "sleep"}, "size": "1Gi", "certificate": True}
    tools = Tools(Machine(tmp_path), nothing, authority, nothing, nothing)
    return ProcessSubject({"metadata": metadata, "spec": spec}, tools)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names for which certificates were read."""
    found: list[str] = []
    keep = Authority.keep

    def noted(authority: Authority, folder: Path, name: str, now: datetime) -> bool:
        found.append(name)
        return keep(authority, folder, name, now)

    monkeypatch.setattr(Authority, "keep", noted)
    return found


def test_files_that_are_as_they_were_are_not_read_again(subject: ProcessSubject, reads: list[str]) -> None:
    assert [subject._certify() for _ in range(4)] == [True, False, False, False]
    assert reads == ["one"]


@pytest.mark.parametrize("name", [CA, CERTIFICATE, KEY])
@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_is_another_or_gone_is_made_good_at_once(subject: ProcessSubject, name: str, *, gone: bool) -> None:
    subject._certify()
    file = subject.tools.machine.files(subject.whose) / name
    was = file.read_bytes()
    if gone:
        file.unlink()
    else:
        file.write_bytes(b"x" * len(was))
    assert subject._certify()
    assert file.exists()
    assert file.read_bytes() != b"x" * len(was)


def test_it_is_read_again_on_another_day(subject: ProcessSubject) -> None:
    subject._certify()
    folder = subject.tools.machine.files(subject.whose)
    assert process._marks(folder, NOW) == process._marks(folder, NOW)
    assert process._marks(folder, NOW) != process._marks(folder, NOW + timedelta(days=1))
