"""Certificates: made once, by one authority, and again when they would not be believed."""

import asyncio
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.local.apiserver import server
from groundplane.local.host.certificates import (
    AUTHORITY_LIFE,
    CA,
    CA_KEY,
    CERTIFICATE,
    KEY,
    LIFE,
    RENEW,
    RENEW_AUTHORITY,
    Authority,
)
from groundplane.local.host.private_files import folder, write

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def kept(path: Path, now: datetime = NOW) -> Authority:
    return Authority.kept(path / "authority", "authority", now)


def believed(path: Path, authority: bytes = b"") -> None:
    """Serve with what lies in *path*, and be a client that knows only *authority*, or the one there."""
    known = authority or (path / CA).read_bytes()
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cadata=known.decode())
    serving.load_cert_chain(path / CERTIFICATE, path / KEY)
    client_in, server_in = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(client_in, server_in, server_hostname="127.0.0.1")
    accepting = serving.wrap_bio(server_in, client_in, server_side=True)
    for _ in range(3):
        for end in (client, accepting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert()


def of(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


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
    found = of((tmp_path / CERTIFICATE).read_bytes())
    assert found.not_valid_after_utc > soon + RENEW


def test_a_clock_that_is_set_back_a_little_makes_nothing_again(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    kept(tmp_path, now + timedelta(hours=20)).keep(tmp_path, "orders", now + timedelta(hours=20))
    assert not kept(tmp_path, now).keep(tmp_path, "orders", now)
    believed(tmp_path)


def test_an_authority_is_renewed_before_anything_it_signs_outlives_it(tmp_path: Path) -> None:
    first = kept(tmp_path)
    end = of(first.pem).not_valid_after_utc
    assert end == NOW + AUTHORITY_LIFE
    last = end - RENEW_AUTHORITY - timedelta(hours=1)
    assert kept(tmp_path, last).pem == first.pem
    assert of(first.issue("orders", last).certificate).not_valid_after_utc < end - RENEW + timedelta(days=1)
    second = kept(tmp_path, end - RENEW_AUTHORITY)
    assert of(second.pem).not_valid_after_utc > end + timedelta(days=365)
    assert of(second.pem).not_valid_before_utc == of(first.pem).not_valid_before_utc
    assert kept(tmp_path, end - RENEW_AUTHORITY).pem == second.pem


def test_old_and_new_authority_are_believed_for_old_and_new_certificates(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    first = kept(tmp_path, now - AUTHORITY_LIFE + RENEW_AUTHORITY + timedelta(hours=1))
    first.keep(tmp_path, "orders", now)
    (tmp_path / "old").mkdir()
    for name in (CERTIFICATE, KEY):
        (tmp_path / "old" / name).write_bytes((tmp_path / name).read_bytes())
    second = kept(tmp_path, now + timedelta(hours=2))
    assert second.pem != first.pem
    assert second.keep(tmp_path, "orders", now)  # a server must take the new authority
    assert (tmp_path / CERTIFICATE).read_bytes() == (tmp_path / "old" / CERTIFICATE).read_bytes()
    (tmp_path / CERTIFICATE).unlink()
    second.keep(tmp_path, "orders", now)
    for folder_ in (tmp_path, tmp_path / "old"):
        for one in (first, second):
            believed(folder_, one.pem)


@pytest.mark.parametrize("days", [(0, 7300, 0), (0, -365, 0), (730, 0)], ids=["ahead", "behind", "ahead at birth"])
def test_a_clock_that_was_wrong_once_locks_nobody_out(tmp_path: Path, days: tuple[int, ...]) -> None:
    now = datetime.now(UTC)
    for moment in (now + timedelta(days=one) for one in days):
        kept(tmp_path, moment).keep(tmp_path, "orders", moment)
    believed(tmp_path)


def test_a_plane_that_runs_on_shows_a_certificate_that_was_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_RENEW_SECONDS", 0.01)

    async def scenario() -> None:
        async with server.serving(tmp_path) as plane:
            port = int(plane.address.rpartition(":")[2])

            async def shown() -> str:
                return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))

            before = await shown()
            assert await shown() == before
            (tmp_path / CERTIFICATE).unlink()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await shown() == before:
                    pass
            assert (await shown()).encode() == (tmp_path / CERTIFICATE).read_bytes()

    asyncio.run(scenario())


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
        thread.join()
    assert path.read_text() in texts
    assert [*path.parent.iterdir()] == [path]
    assert path.stat().st_mode & 0o077 == 0
