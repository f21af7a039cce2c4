"""The plane as one process: opens the store, serves it on loopback, collects, prunes, and ends on a signal.

``python -m groundplane.local.apiserver.server FOLDER`` prints the path of the kubeconfig once it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
import ssl
import sys
import uuid
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver import garbage_collector, tls
from groundplane.local.apiserver.http import application
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.records import Change
from groundplane.local.apiserver.storage.store import Store, StoreError
from groundplane.local.apiserver.storage.surroundings import Surroundings
from groundplane.local.host.certificates import Authority
from groundplane.local.host.private_files import write

HISTORY_SECONDS = 3600.0  # how long a watch can be resumed
HISTORY_COUNT = 20_000
EVENT_LIFE = timedelta(hours=1)  # as on a real server
_LOG = logging.getLogger(__name__)
_PRUNE_SECONDS = 60.0
_RENEW_SECONDS = 24 * 60 * 60.0  # the certificate is looked at as often
_AGAIN_SECONDS = 5.0  # after which what goes and did not is tried again
_GRACE_SECONDS = 2.0
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # no word comes of them


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane that serves: its API, and the kubeconfig for clients."""

    api: Api
    kubeconfig: Path
    address: str


def _clock() -> datetime:
    return datetime.now(UTC)


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def open_api(folder: Path) -> Api:
    """Return the API over the store in *folder*, which is made when it is not there.

    Raises:
        StoreError: The store cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    store = Store(folder / "plane.sqlite", lambda: _clock().timestamp())
    surroundings = Surroundings(
        now=lambda: _stamp(_clock()),
        uid=lambda: str(uuid.uuid4()),
        suffix=lambda: "".join(secrets.choice(_LETTERS) for _ in range(5)),
    )
    return Api(store, surroundings)


@contextlib.asynccontextmanager
async def serving(
    folder: Path, port: int = 0, kubeconfig: Path | None = None, authority: Authority | None = None
) -> AsyncIterator[Plane]:
    """Serve the plane in *folder* on loopback, yield it, and end everything.

    Args:
        folder: Where its store, its certificates and its kubeconfig are.
        port: 0 takes the one of last time, or a free one.
        kubeconfig: Where to write the kubeconfig; into *folder* when not given.
        authority: Whose certificate to serve with; one of the plane's own, kept in *folder*, when not given.

    Raises:
        StoreError: The store cannot be used.
    """
    api = open_api(folder)
    try:
        token = _token(folder)
        runner = web.AppRunner(
            application.application(api, token, _clock), handler_cancellation=True, shutdown_timeout=_GRACE_SECONDS
        )
        await runner.setup()
        try:
            authority = authority or Authority.kept(folder / "authority", f"{tls.NAME}-authority", _clock())
            context = tls.context(folder, authority, _clock())
            sock = _listening(port or _last_port(folder))
            await web.SockSite(runner, sock, ssl_context=context).start()
            write(folder / "port", str(sock.getsockname()[1]).encode())
            address = f"https://{tls.HOST}:{sock.getsockname()[1]}"
            async with _background(_collecting(api), _pruning(api), _renewing(context, folder, authority)):
                yield Plane(api, tls.kubeconfig(folder, address, token, kubeconfig), address)
        finally:
            api.end()
            await runner.cleanup()
    finally:
        api.store.close()


def _token(folder: Path) -> str:
    path = folder / "token"
    if not path.exists():
        write(path, secrets.token_urlsafe(32).encode())
    return path.read_text()


def _last_port(folder: Path) -> int:
    # Clients that watch find a plane again that was started anew.
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int((folder / "port").read_text())
    return 0


def _listening(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((tls.HOST, port))
    except OSError:
        made.bind((tls.HOST, 0))  # somebody else has it now
    return made


@contextlib.asynccontextmanager
async def _background(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _collecting(api: Api) -> None:
    """Collect whenever a change may have left something behind, and once at the start."""
    changed, left = asyncio.Event(), garbage_collector.Left()
    changed.set()

    def listener(change: Change) -> None:
        if left.hear(change):
            changed.set()

    cancel = api.subscribe(listener)
    try:
        while True:
            # What a policy refused may be allowed later, by a change that is nobody's business here.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _AGAIN_SECONDS if api.store.deleting() else None)
            changed.clear()
            try:
                if garbage_collector.settle(api, left):
                    changed.set()
                    await asyncio.sleep(0)  # requests come first
            except StatusError as error:
                _LOG.warning("collecting: %s", error)
                changed.set()
                await asyncio.sleep(_AGAIN_SECONDS)
    finally:
        cancel()


async def _pruning(api: Api) -> None:
    while True:
        try:
            api.store.prune(HISTORY_SECONDS, HISTORY_COUNT)
            garbage_collector.forget_events(api, _stamp(_clock() - EVENT_LIFE))
        except StatusError as error:
            _LOG.warning("pruning: %s", error)
        await asyncio.sleep(_PRUNE_SECONDS)


async def _renewing(context: ssl.SSLContext, folder: Path, authority: Authority) -> None:
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        try:
            tls.renew(context, folder, authority, _clock())
        except OSError as error:
            _LOG.warning("renewing the certificate: %s", error)


async def _main(folder: Path) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with serving(folder) as plane:
        print(plane.kubeconfig, flush=True)  # noqa: T201  # a person or a script reads it
        await ended.wait()


def main(folder: str) -> int:
    """Serve the plane in *folder* until a signal; return 1 when it cannot."""
    try:
        asyncio.run(_main(Path(folder)))
    except StoreError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a person reads it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
