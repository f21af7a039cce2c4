"""A plane and the server of its page in a thread of this process, asked as a browser would ask it, or worse."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.local.apiserver import server
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.plane.home import Home
from groundplane.local.ui import server as serving


@dataclass
class Answer:
    code: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Page:
    """The page's server on a port of loopback, and the plane behind it."""

    home: Home
    port: int
    loop: asyncio.AbstractEventLoop
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    api: Api | None = None

    @property
    def token(self) -> str:
        return (self.home.plane / "token").read_text()

    def start_plane(self) -> None:
        """Start the plane, or start it anew."""
        self._do(self._start())

    def end_plane(self) -> None:
        """End the plane."""
        self._do(self.stack.aclose())
        self.stack = contextlib.AsyncExitStack()

    async def _start(self) -> None:
        made = server.serving(self.home.plane, kubeconfig=self.home.kubeconfig)
        self.api = (await self.stack.enter_async_context(made)).api

    def create(self, manifest: dict[str, Any]) -> None:
        """Create an object, in the thread of the plane."""

        async def act() -> None:
            assert self.api
            namespace = manifest["metadata"].get("namespace", "")
            self.api.create(self.api.request(manifest["apiVersion"], manifest["kind"], namespace), manifest)

        self._do(act())

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)

    @contextlib.contextmanager
    def open(
        self, path: str, method: str = "GET", token: str | None = None, host: str | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send one request exactly as it is written, and yield what answers; token "" sends none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        if token != "":
            connection.putheader("Authorization", f"Bearer {token or self.token}")
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        try:
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, path: str, method: str = "GET", **more: Any) -> Answer:
        """Send one request and return its whole answer."""
        with self.open(path, method, **more) as answer:
            return Answer(answer.status, answer.read().decode(), dict(answer.headers))


@contextlib.asynccontextmanager
async def _served(page: Page) -> AsyncIterator[None]:
    runner = web.AppRunner(
        serving.application(page.home, page.port), access_log=None, handler_cancellation=True, shutdown_timeout=1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, serving.HOST, page.port).start()
        yield
    finally:
        await runner.cleanup()


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


@contextlib.contextmanager
def page_of(folder: Path, port: int) -> Iterator[Page]:
    """Serve the page of a plane in *folder*, and end both."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    page = Page(Home(folder), port, loop)
    try:
        page.start_plane()
        served = _served(page)
        page._do(served.__aenter__())
        try:
            yield page
        finally:
            page._do(served.__aexit__(None, None, None))
            page.end_plane()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()
