"""Server processes: started, watched and ended by their own id."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

METHOD = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction"
SECONDS = 30.0  # the longest any start, call or end may take
_ROOT = Path(__file__).resolve().parent.parent.parent
_SERVER = Path(__file__).with_name("server.py")


class ServerError(Exception):
    """A server did not start, or answered something else than before."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: the function, or the echo of one response."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, on a Unix socket that only this user can reach."""

    process: subprocess.Popen[bytes]
    address: Path
    log: Path

    def memory_mib(self) -> float | None:
        """Return its resident memory now, in MiB; None where the system does not tell."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return int(lines["VmRSS"].split()[0]) / 1024

    def cpu_seconds(self) -> float | None:
        """Return the processor time all its threads have used so far; None where the system does not tell."""
        try:
            threads = list(Path(f"/proc/{self.process.pid}/task").iterdir())
            return sum(int((one / "schedstat").read_text(encoding="ascii").split()[0]) for one in threads) / 1e9
        except OSError:
            return None

    def last_words(self) -> str:
        """Return the last line of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1][:300] if lines else "its log is empty"

    def check(self, answer: bytes, size: int) -> None:
        """Return if *answer* has the *size* of the expected one: maps on the wire have no order, so bytes may differ.

        Raises:
            ServerError: it has another.
        """
        if len(answer) != size:
            raise ServerError(f"an answer has {len(answer)} bytes, expected {size}: {self.last_words()}")

    def wait_until_it_listens(self) -> None:
        """Return once the socket takes connections.

        Raises:
            ServerError: it ended, or does not listen in time.
        """
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise ServerError(f"the server ended with {self.process.returncode}: {self.last_words()}")
            with socket.socket(socket.AF_UNIX) as one:
                try:
                    one.connect(str(self.address))
                except OSError:
                    time.sleep(0.002)
                else:
                    return
        raise ServerError(f"the server does not listen after {SECONDS:.0f} seconds: {self.last_words()}")


@contextmanager
def running(program: Program, folder: Path) -> Iterator[Server]:
    """Start *program* with its socket and log in *folder*; it is gone afterwards, whatever happens."""
    number = time.monotonic_ns()
    address, log = folder / f"{number}.sock", folder / f"{program.name}-{number}.log"
    command = [sys.executable, str(_SERVER), program.name, str(address), *program.arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=_environment(), start_new_session=True
        )
    try:
        yield Server(process, address, log)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End *process* at once and wait until it is gone: it holds nothing that is worth an orderly end."""
    process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()


def _environment() -> dict[str, str]:
    # A cold start with nothing compiled measures the compiler.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(_ROOT / "functions")}


def compile_all() -> None:
    """Compile what a server imports of ours, as an installed package is."""
    folders = [str(_ROOT / "functions" / "groundplane"), str(_SERVER)]
    command = [sys.executable, "-m", "compileall", "-q", *folders]
    subprocess.run(command, check=True, env=_environment(), timeout=SECONDS)


def channel(address: Path) -> grpc.aio.Channel:
    """Return a channel of its own to *address*."""
    limit = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(f"unix:{address}", options=limit)


def call(opened: grpc.aio.Channel) -> Callable[..., Awaitable[bytes]]:
    """Return RunFunction on *opened*, bytes in and bytes out: parsing would be the client's own time."""
    return opened.unary_unary(METHOD, None, None)


def cold_start(program: Program, folder: Path, request: bytes, size: int) -> float:
    """Return the seconds from starting *program* to its first answer to *request*, which has *size* bytes.

    Raises:
        ServerError: it does not start, or answers something else.
    """
    began = time.perf_counter()
    with running(program, folder) as server:
        server.wait_until_it_listens()
        return asyncio.run(_first_answer(server, request, size, began))


async def _first_answer(server: Server, request: bytes, size: int, began: float) -> float:
    async with channel(server.address) as opened:
        answer = await call(opened)(request, timeout=SECONDS, wait_for_ready=True)
    took = time.perf_counter() - began
    server.check(answer, size)
    return took
