"""How a watch reaches its client: as one body without an end, or as messages of a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMsgType, web
from yarl import URL

from groundplane.local.apiserver.http import negotiation
from groundplane.local.apiserver.protobuf import codec

SLOW_SECONDS = 30.0  # a client that takes nothing for so long, or twice, is cut off; it goes on where it was
_CLOSE_SECONDS = 1.0  # how long a client may take to answer a close
_LARGEST_MESSAGE = 64 * 1024  # bytes; a client has nothing to say
_LENGTH_BYTES = 4  # before each event in protobuf
_LOG = logging.getLogger("groundplane.plane")


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer without an end: each event as bytes in the form *media_type*, without what parts it from the next."""

    events: AsyncGenerator[bytes]
    media_type: str = negotiation.JSON_TYPE

    @property
    def is_text(self) -> bool:
        """Whether an event is text; else it is protobuf."""
        return self.media_type != codec.MEDIA_TYPE

    def in_body(self, event: bytes) -> bytes:
        """Return *event* as a part of a body."""
        return event + b"\n" if self.is_text else len(event).to_bytes(_LENGTH_BYTES) + event

    def in_message(self, event: bytes) -> bytes:
        """Return *event* as a message of a WebSocket."""
        return event + b"\n" if self.is_text else event


async def streamed(request: web.Request, stream: Stream) -> web.StreamResponse:
    """Send *stream* until its end, until the client goes, or until the client takes no more."""
    try:
        if _wants_socket(request):
            return await _by_socket(request, stream)
        return await _by_body(request, stream)
    finally:
        await stream.events.aclose()


async def _by_body(request: web.Request, stream: Stream) -> web.StreamResponse:
    kind = stream.media_type if stream.is_text else f"{stream.media_type};stream=watch"
    response = web.StreamResponse(headers={"Content-Type": kind})
    response.enable_chunked_encoding()
    await response.prepare(request)
    with _cut_off(request) as patience:
        async for event in stream.events:
            patience.begun = patience.clock()
            await response.write(stream.in_body(event))
            patience.begun = 0.0
        await response.write_eof()
    return response


async def _by_socket(request: web.Request, stream: Stream) -> web.StreamResponse:
    _check_origin(request)
    socket = web.WebSocketResponse(
        timeout=_CLOSE_SECONDS, protocols=_protocols(request), compress=False, max_msg_size=_LARGEST_MESSAGE
    )
    await socket.prepare(request)
    with _cut_off(request) as patience:
        tasks = [asyncio.create_task(_sent(socket, stream, patience)), asyncio.create_task(_until_closed(socket))]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()
        await socket.close(code=WSCloseCode.OK)
    return socket


async def _sent(socket: web.WebSocketResponse, stream: Stream, patience: _Patience) -> None:
    kind = WSMsgType.TEXT if stream.is_text else WSMsgType.BINARY
    async for event in stream.events:
        patience.begun = patience.clock()
        await socket.send_frame(stream.in_message(event), kind)
        patience.begun = 0.0


async def _until_closed(socket: web.WebSocketResponse) -> None:
    """Return when the client closes *socket*; pings are answered meanwhile, and what it says is nothing to us."""
    async for _ in socket:
        pass


class _Patience:
    """Ends a connection on which an event has been on its way for too long; one timer for all events costs nothing."""

    def __init__(self, request: web.Request) -> None:
        loop = asyncio.get_running_loop()
        self.clock = loop.time
        self.begun = 0.0  # when the event that is on its way was begun; 0 while none is
        self._later = loop.call_later
        self._request = request
        self._timer = self._later(SLOW_SECONDS, self._look)

    def _look(self) -> None:
        if self.begun and self.clock() - self.begun > SLOW_SECONDS:
            self.cut_off()
        else:
            self._timer = self._later(SLOW_SECONDS, self._look)

    def cut_off(self) -> None:
        """End the connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()


@contextlib.contextmanager
def _cut_off(request: web.Request) -> Iterator[_Patience]:
    """End the connection at once when the client is gone, too slow, or cannot be told any more that we failed."""
    patience = _Patience(request)
    try:
        yield patience
    except ConnectionResetError:
        pass
    except Exception as error:  # noqa: BLE001  # the answer has begun, so that no other can be given
        _LOG.exception("watch of %s failed: %s", request.path, type(error).__name__, exc_info=False)
        patience.cut_off()
    finally:
        patience.end()


def _wants_socket(request: web.Request) -> bool:
    words = [word.strip().lower() for word in request.headers.get("Connection", "").split(",")]
    return "upgrade" in words and request.headers.get("Upgrade", "").lower() == "websocket"


def _protocols(request: web.Request) -> tuple[str, ...]:
    """Return the protocol that the client asks for; of several none can be chosen, as on the real server.

    Raises:
        HTTPBadRequest: There are several.
    """
    words = [word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if word.strip()]
    if len(words) > 1:
        raise web.HTTPBadRequest
    return tuple(words)


def _check_origin(request: web.Request) -> None:
    """Refuse, as the real server does, who says not from where the request comes: a page of a browser always says it.

    Raises:
        HTTPForbidden: There is no Origin, or it is no address.
    """
    try:
        origin = URL(request.headers.get("Origin", ""))
    except ValueError:
        raise web.HTTPForbidden from None
    if not origin.is_absolute() and not origin.path.startswith("/"):
        raise web.HTTPForbidden
