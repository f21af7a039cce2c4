"""Certificates: made once, by one authority, and again when they would not be believed."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from groundplane.local.certificates import CA, CA_KEY, CERTIFICATE, KEY, LIFE, RENEW, Authority
from groundplane.local.private import folder, write

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def kept(path: Path, now: datetime = NOW) -> Authority:
    return Authority.kept(path / "authority", "authority", now)


def believed(path: Path) -> None:
    """Serve with what lies in *path*, and be a client that knows only the authority there."""
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(path / CA))
    serving.load_cert_chain(path / CERTIFICATE, path / KEY)
    client_in, server_in = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(client_in, server_in, server_hostname="127.0.0.1")
    server = serving.wrap_bio(server_in, client_in, server_side=True)
    for _ in range(3):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert()


def test_a_certificate_is_made_once_and_by_an_authority_that_stays(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert kept(tmp_path, now).keep(tmp_path, "orders", now)
    assert not kept(tmp_path, now).keep(tmp_path, "orders", now)
    believed(tmp_path)
    assert [one for one in tmp_path.rglob("*") if one.is_file() and one.stat().st_mode & 0o077] == []


def test_a_certificate_is_made_again_before_it_ends(tmp_path: Path) -> None:
    authority = kept(tmp_path)
    authority.keep(tmp_path, "orders", NOW)
    soon = NOW + LIFE - RENEW
    assert not authority.keep(tmp_path, "orders", soon - timedelta(hours=1))
    assert authority.keep(tmp_path, "orders", soon + timedelta(hours=1))
    found = x509.load_pem_x509_certificate((tmp_path / CERTIFICATE).read_bytes())
    assert found.not_valid_after_utc > soon + RENEW


def test_a_clock_that_is_set_back_a_little_makes_nothing_again(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    kept(tmp_path, now + timedelta(hours=20)).keep(tmp_path, "orders", now + timedelta(hours=20))
    assert not kept(tmp_path, now).keep(tmp_path, "orders", now)
    believed(tmp_path)


@pytest.mark.parametrize("name", [KEY, CERTIFICATE])
@pytest.mark.parametrize("content", [b"", b"half of it", None])
def test_what_was_cut_or_belongs_to_another_key_is_made_again(tmp_path: Path, name: str, content: bytes | None) -> None:
    now = datetime.now(UTC)
    authority = kept(tmp_path, now)
    authority.keep(tmp_path, "orders", now)
    pair = authority.issue("orders", now)
    other = pair.key if name == KEY else pair.certificate
    (tmp_path / name).write_bytes(other if content is None else content)
    assert authority.keep(tmp_path, "orders", now)
    believed(tmp_path)


@pytest.mark.parametrize("name", [CA, CA_KEY])
def test_an_authority_that_lost_a_part_is_made_anew_and_vouches_for_its_own_alone(tmp_path: Path, name: str) -> None:
    now = datetime.now(UTC)
    kept(tmp_path, now).keep(tmp_path, "orders", now)
    (tmp_path / "authority" / name).unlink()
    fresh = kept(tmp_path, now)
    assert fresh.pem == kept(tmp_path, now).pem
    assert fresh.keep(tmp_path, "orders", now)
    believed(tmp_path)


def test_an_authority_whose_key_is_of_another_is_made_anew(tmp_path: Path) -> None:
    kept(tmp_path)
    before = (tmp_path / "authority" / CA).read_bytes()
    kept(tmp_path / "other")
    write(tmp_path / "authority" / CA_KEY, (tmp_path / "other" / "authority" / CA_KEY).read_bytes())
    assert kept(tmp_path).pem != before


def test_a_file_that_stays_the_same_is_not_written_again_and_many_writers_leave_one_whole(tmp_path: Path) -> None:
    path = folder(tmp_path / "deep" / "own") / "file"
    assert path.parent.parent.stat().st_mode & 0o077 == 0
    assert write(path, "one")
    before = path.stat().st_ino
    assert not write(path, b"one")
    assert path.stat().st_ino == before
    texts = [str(number) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert path.read_text() in texts
    assert [*path.parent.iterdir()] == [path]
    assert path.stat().st_mode & 0o077 == 0
