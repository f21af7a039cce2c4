"""The plane as it runs on a machine: API, reconciler and provider in one process, begun and ended in order.

``python -m groundplane.local.plane.run HOME`` tells on file descriptor 3, if it is open, what it does until it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final

import click

from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver import server
from groundplane.local.apiserver.storage.store import StoreError
from groundplane.local.host import log_rotation as rotation
from groundplane.local.host.executables import ProgramError, Programs
from groundplane.local.host.folder_lock import hold
from groundplane.local.host.kubeconfig import Kubeconfig
from groundplane.local.plane import bootstrap
from groundplane.local.plane import home as homes
from groundplane.local.plane.distributions import distributions
from groundplane.local.plane.home import Home
from groundplane.local.provider.operator import authority, operate
from groundplane.local.provider.paths import Machine
from groundplane.local.xr_controller.controller import reconciling

TELLING: Final = 3  # the file descriptor on which `groundplane up` listens
SERVES: Final = "serves"
_LOG_SECONDS: Final = 60.0
_LET_GO_SECONDS: Final = 5.0  # a process that has ended holds its locks until the last of its threads has, too
_LOOK_SECONDS: Final = 0.1
_LOG = logging.getLogger("groundplane")


class ProviderLostError(Exception):
    """The provider ended although nobody told it to; the plane has ended in order after it."""


async def run(home: Home, programs: Programs, tell: Callable[[str], None]) -> None:
    """Be the plane in *home* until a signal; *tell* is told what is done, and `SERVES` at the end.

    Raises:
        StoreError, StatusError, ProgramError, OSError: it cannot be.
        ProviderLostError: it was, and could not go on.
    """
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    began = time.monotonic()
    own = authority(Machine(home.folder))
    for one in distributions():  # better said now than by the first claim
        programs.bin(one.name)
    async with server.serving(home.plane, kubeconfig=home.kubeconfig, authority=own) as plane:
        for what in bootstrap.install(plane.api):
            tell(f"installed  {what}")
        async with reconciling(plane.api, home.plane), providing(home, programs, ended.set):
            home.enter()
            tell(f"started    API at {plane.address}, reconciler, provider")
            tell(f"{SERVES} {time.monotonic() - began:.1f}")
            rotation = asyncio.create_task(_rotate(home.log))
            await ended.wait()
            rotation.cancel()
            _LOG.info("ending")
            home.end()
    _LOG.info("ended")


async def _rotate(log: Path) -> None:
    while True:
        await asyncio.sleep(_LOG_SECONDS)
        with contextlib.suppress(OSError):  # a full disk must not end what makes room
            await asyncio.to_thread(rotation.rotate, log)


@contextlib.asynccontextmanager
async def providing(home: Home, programs: Programs, lost: Callable[[], object]) -> AsyncIterator[None]:
    """Run the provider beside the plane, in a thread and a loop of its own, and end all that it runs at the end.

    Should it end before, *lost* is called in the loop of the plane: nobody would notice a plane that starts nothing.
    It is not begun again here, beside whatever is left of the one that failed: a new process begins with nothing.

    Raises:
        ProviderLostError: it ended before.
    """
    told, kubeconfig, loop = threading.Event(), Kubeconfig.read(home.kubeconfig), asyncio.get_running_loop()
    early = threading.Event()

    def work() -> None:
        try:
            asyncio.run(operate(Machine(home.folder), kubeconfig, programs, told))
        except Exception:  # noqa: BLE001  # A thread has nobody to raise it to.
            _LOG.exception("the provider ended")
        finally:
            if not told.is_set():
                early.set()
                loop.call_soon_threadsafe(lost)

    thread = threading.Thread(target=work, name="provider", daemon=True)
    thread.start()
    try:
        yield
    finally:
        told.set()
        await asyncio.to_thread(thread.join)  # it asks the plane to the last, so the plane must go on answering
    if early.is_set():
        raise ProviderLostError(
            "the provider failed, see above, so the plane has ended. What it ran may run on: groundplane up finds it"
            " again, groundplane down ends it"
        )


def main(folder: str) -> int:
    """Be the plane in *folder*; return 1 when that cannot be, or not any longer, and say why."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kopf").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    home = Home(Path(folder))
    with _teller() as tell:
        try:
            _take(home, tell)
            asyncio.run(run(home, Programs(), tell))
        except (StoreError, StatusError, ProgramError, ProviderLostError, click.ClickException) as error:
            tell(f"error {error.format_message() if isinstance(error, click.ClickException) else error}")
            return 1
        except OSError as error:
            tell(f"error {error.filename or home.folder}: {error.strerror or error}")
            return 1
    return 0


def _take(home: Home, tell: Callable[[str], None]) -> None:
    """Hold *home* for as long as this process lives, after a plane that is ending there.

    Raises:
        click.ClickException: another one works there, or does not end.
        OSError: the folder cannot be written.
    """
    ending = home.ending()
    if ending is not None:
        tell(f"waiting    for process {ending.pid}, which is ending the plane here")
        if not homes.ends(ending):
            raise click.ClickException(
                f"the plane before, process {ending.pid}, does not end within {homes.END_SECONDS:.0f} s; end it"
            )
    until = time.monotonic() + _LET_GO_SECONDS
    while True:
        try:
            hold(home.folder)
        except click.ClickException:
            if home.process() is not None or time.monotonic() > until:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return


@contextlib.contextmanager
def _teller() -> Iterator[Callable[[str], None]]:
    """Give what tells a line to whoever waits; when nobody does any more, or never did, it goes to the log."""
    try:
        file = os.fdopen(TELLING, "w", encoding="utf-8", buffering=1)
    except OSError:
        file = None
    if file is not None:
        os.set_inheritable(TELLING, False)  # noqa: FBT003  # What is started later must not keep it open.

    def tell(line: str) -> None:
        nonlocal file
        _LOG.info("%s", line)
        with contextlib.suppress(OSError, ValueError):
            if file is not None:
                file.write(line + "\n")
                if line.startswith(SERVES):
                    file.close()
                    file = None

    yield tell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
