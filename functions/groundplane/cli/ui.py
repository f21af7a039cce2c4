"""``groundplane ui``: show the plane in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from aiohttp import web

from groundplane.local.host.kubeconfig import ConnectionFailedError, Kubeconfig
from groundplane.local.host.private_files import write
from groundplane.local.plane import home as homes
from groundplane.local.plane.home import Home
from groundplane.local.ui import server

_GRACE_SECONDS: Final = 1.0


@click.command("ui")
@homes.option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: the one of last time, or a free one.")
@click.option("--no-open", is_flag=True, help="Open no browser.")
def ui(*, home: Home, port: int, no_open: bool) -> None:
    """Show the plane in a browser, until Ctrl-C. The page reads, and changes nothing."""
    home.need()
    try:
        listening = _listening(home, port)
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used: {error.strerror}; choose another --port") from None
    try:
        asyncio.run(_serve(home, listening, wants_browser=not no_open))
    except ConnectionFailedError as error:
        raise click.ClickException(str(error)) from None


async def _serve(home: Home, listening: socket.socket, *, wants_browser: bool) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    port = listening.getsockname()[1]
    # Nobody's requests are logged: a log would hold nothing but what the page asks every second.
    runner = web.AppRunner(
        server.application(home, port),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_GRACE_SECONDS,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        address = f"http://{server.HOST}:{port}/#token={Kubeconfig.read(home.kubeconfig).token}"
        click.echo(f"The plane in {home.folder}, for whoever has this address, until Ctrl-C:\n  {address}")
        with _opened(home, address) if wants_browser and _has_display() else contextlib.nullcontext():
            await ended.wait()
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def _opened(home: Home, address: str) -> Iterator[None]:
    """Open *address* by way of a file: an argument of the browser's process could be read by other people."""
    path = home.folder / "ui.html"
    there = html.escape(address)
    text = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={there}"><title>…</title>\n'
    write(path, text.encode())
    try:
        webbrowser.open(path.as_uri())
        yield
    finally:
        path.unlink(missing_ok=True)


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _listening(home: Home, port: int) -> socket.socket:
    """Return a socket on loopback; a page that is open finds its server again when it has the port of last time."""
    remembered = home.folder / "ui.port"
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((server.HOST, port or _last(remembered)))
    except OSError:
        if port:
            made.close()
            raise
        made.bind((server.HOST, 0))
    write(remembered, str(made.getsockname()[1]).encode())
    return made


def _last(remembered: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(remembered.read_text())
    return 0
