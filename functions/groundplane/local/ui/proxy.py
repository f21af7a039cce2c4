"""Requests to the plane: the ones that read, with the token that the browser sent, and never a Secret."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from groundplane.core.manifest import SECRET, Manifest
from groundplane.local.apiserver.http.routes import route
from groundplane.local.host.kubeconfig import ConnectionFailedError, Kubeconfig

MOST_WATCHES: Final = 32
LONGEST_EVENT: Final = 4 * 1024 * 1024  # bytes; no object is larger
_CONNECT_SECONDS: Final = 5.0
_FORWARDED: Final = ("api", "apis", "openapi", "version", "readyz")
_HIDDEN: Final = (SECRET.plural, "watch")  # the latter is another way to ask for everything
_ASKED: Final = ("Authorization", "Accept")  # nothing else of the browser's reaches the plane


class Refusal(Exception):  # noqa: N818  # it is an answer, not a mistake
    """A request that is not answered; becomes the Status that an API server would send."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        """Refuse with the HTTP *code*; *reason* is for programs, *message* for people."""
        super().__init__(message)
        self.code = code
        self._reason = reason

    def status(self) -> Manifest:
        """Return it as the API says it."""
        said = {"reason": self._reason, "message": str(self), "code": self.code}
        return {"kind": "Status", "apiVersion": "v1", "status": "Failure", **said}


class Forwarder:
    """Asks the plane that a kubeconfig names. The kubeconfig's own credentials are never used."""

    def __init__(self, kubeconfig: Path) -> None:
        """Remember where the kubeconfig is; it is read for each request, because a plane may be started anew."""
        self._kubeconfig = kubeconfig
        self._session: aiohttp.ClientSession | None = None
        self._trusted: tuple[bytes, ssl.SSLContext] | None = None

    async def close(self) -> None:
        """Let go of every connection."""
        if self._session:
            await self._session.close()

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Answer *request* as the plane does, piece by piece.

        Raises:
            Refusal: it asks for what is not shown, or the plane does not answer.
        """
        async with self._ask(request, URL(request.path_qs, encoded=True)) as answer:
            kind = {"Content-Type": answer.headers.get("Content-Type", "application/octet-stream")}
            response = web.StreamResponse(status=answer.status, headers=kind)
            await response.prepare(request)
            with contextlib.suppress(aiohttp.ClientError, ConnectionResetError):
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
        return response

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """Answer with the events of every watch that *request* names by ``of``, each as ``{"of": 0, "event": {...}}``.

        A browser opens six connections to a server and no more, so that all watches of a page share one. The stream
        ends when any of them does; a watch that is refused is told as ``{"of": 0, "status": {...}}``.

        Raises:
            Refusal: there are none or too many, or one asks for what is not shown.
        """
        try:
            targets = [URL(text) for text in request.query.getall("of", [])]
        except ValueError:
            targets = []
        if not 0 < len(targets) <= MOST_WATCHES or any(one.query.get("watch") not in ("1", "true") for one in targets):
            raise Refusal(400, "BadRequest", f"of names a watch, at least once and at most {MOST_WATCHES} times")
        for target in targets:
            _check(target)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        tasks = [asyncio.create_task(self._copy(request, *one, response)) for one in enumerate(targets)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(ConnectionResetError):
            await response.write_eof()
        return response

    async def _copy(self, request: web.Request, number: int, target: URL, response: web.StreamResponse) -> None:
        head = b'{"of":%d,"' % number
        try:
            async with self._ask(request, target) as answer:
                if answer.status != 200:  # noqa: PLR2004  # everything else is a Status
                    await response.write(head + b'status":' + (await answer.read()).strip() + b"}\n")
                    return
                async for line in _lines(answer.content):
                    await response.write(head + b'event":' + line + b"}\n")
        except Refusal as refusal:
            await response.write(head + b'status":' + json.dumps(refusal.status()).encode() + b"}\n")
        except (aiohttp.ClientError, ConnectionResetError):
            return  # one of both has gone away

    @contextlib.asynccontextmanager
    async def _ask(self, request: web.Request, target: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        _check(target)
        headers = {name: request.headers[name] for name in _ASKED if name in request.headers}
        try:
            kubeconfig = Kubeconfig.read(self._kubeconfig)
            url = URL(kubeconfig.server).with_path(target.path).with_query(target.query)
            context = self._context(kubeconfig)
            asked = await self._client().get(url, headers=headers, ssl=context, allow_redirects=False)
        except (ConnectionFailedError, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Refusal(502, "PlaneUnreachable", f"the plane does not answer ({type(error).__name__})") from None
        async with asked:
            yield asked

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No limit of time: a watch lasts. No limit of connections: the browser has one, and a watch waits here.
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        return self._session

    def _context(self, kubeconfig: Kubeconfig) -> ssl.SSLContext:
        if self._trusted is None or self._trusted[0] != kubeconfig.authority:
            self._trusted = kubeconfig.authority, ssl.create_default_context(cadata=kubeconfig.authority.decode())
        return self._trusted[1]


def _check(target: URL) -> None:
    """Refuse what is not of the API, and Secrets. Exactly the path that is seen here is asked of the plane later."""
    parts = [part for part in target.path.split("/") if part]
    # A percent sign that is left after decoding would be decoded once more on the way.
    if target.absolute or not parts or parts[0] not in _FORWARDED or {".", ".."} & set(parts) or "%" in target.path:
        raise Refusal(404, "NotFound", "there is no such page")
    where = route(target.path)
    if where is not None and where.plural in _HIDDEN:
        raise Refusal(403, "Forbidden", "the page shows no Secret; use: groundplane binding")


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield the lines of *content*, whose own reader takes short ones only; what is not ended is left out."""
    held = bytearray()
    async for piece in content.iter_any():
        held += piece
        *whole, rest = held.split(b"\n")
        for line in whole:
            if line:
                yield bytes(line)
        held = bytearray(rest)
        if len(held) > LONGEST_EVENT:
            return
