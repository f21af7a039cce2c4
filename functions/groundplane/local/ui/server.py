"""What the browser talks to: the page's files, the plane's API for reading, its watches in one stream, and logs.

The server has no rights of its own. Every request for data carries the plane's token, sent by the browser.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from groundplane.local.host.kubeconfig import Kubeconfig
from groundplane.local.plane.home import Home
from groundplane.local.ui import logs
from groundplane.local.ui.proxy import Forwarder, Refusal

HOST: Final = "127.0.0.1"
_FILES: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(home: Home, port: int) -> web.Application:
    """Return what serves the page of the plane in *home* on *port* of loopback."""
    forwarder = Forwarder(home.kubeconfig)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _admit(request, port)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.status(), status=refusal.code)
        except ConnectionResetError:
            return web.Response()  # the browser went away; nobody reads it
        except web.HTTPException as error:
            return web.json_response(Refusal(error.status, "NotFound", error.reason).status(), status=error.status)

    async def prepare(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    async def told(request: web.Request) -> web.StreamResponse:
        _check(request, home)
        return web.json_response(logs.read(home.log.parent, request.query))

    async def connected(_app: web.Application) -> AsyncIterator[None]:
        yield
        await forwarder.close()

    made = web.Application(middlewares=[guard])
    made.on_response_prepare.append(prepare)
    made.cleanup_ctx.append(connected)
    for path, file in _pages().items():
        made.router.add_get(path, _file(file))
    made.router.add_get("/logs", told)
    made.router.add_get("/watch", forwarder.watch)
    made.router.add_get("/{path:.*}", forwarder.forward)
    return made


def _admit(request: web.Request, port: int) -> None:
    # A page elsewhere can make its own name mean this machine; it cannot change what the browser calls it.
    if request.host not in (f"{HOST}:{port}", f"localhost:{port}"):
        raise Refusal(403, "Forbidden", f"this server is called {HOST}:{port}")
    if request.method != "GET":
        raise Refusal(405, "MethodNotAllowed", "the page reads, and changes nothing")


def _pages() -> dict[str, Path]:
    """Return every file by its path; no other file can be asked for."""
    found = {f"/{path.name}": path for path in _FILES.iterdir() if path.suffix in _TYPES}
    return {"/": found.pop("/index.html"), **found}


def _file(path: Path) -> Handler:
    content = path.read_bytes()

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, headers={"Content-Type": _TYPES[path.suffix]})

    return answer


def _check(request: web.Request, home: Home) -> None:
    """Let only who has the plane's token go on."""
    token = Kubeconfig.read(home.kubeconfig).token
    sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if not token or not hmac.compare_digest(sent, f"Bearer {token}".encode()):
        raise Refusal(401, "Unauthorized", "Unauthorized")
