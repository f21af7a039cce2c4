"""The real function behind its real server, reached as Crossplane reaches it: by gRPC."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote

import grpc
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.crossplane.errors import FunctionError, UnservedError

if TYPE_CHECKING:
    import grpc.aio
    from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

    from groundplane.function.fn import FunctionRunner

METHOD = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction"
SOCKET = "function.sock"  # in a folder of its own
LONGEST_SOCKET = 107  # bytes: what the system takes as the path of one
LARGEST_RESPONSE = 4 * 1024 * 1024  # bytes: what Crossplane accepts
SECONDS = 120.0  # how long Crossplane waits for a whole reconcile
MADE_PASSWORD = "placeholder-for-a-made-password"  # noqa: S105  # a placeholder, on purpose

_ANOTHER_FOLDER = "set TMPDIR to another folder"

Function = Callable[[fnv1.RunFunctionRequest], fnv1.RunFunctionResponse]
T = TypeVar("T")


def make_runner(now: datetime) -> grpcv1.FunctionRunnerServiceServicer:
    """Return our function with its clock standing still at *now* and no real password in it."""
    from groundplane.function.fn import FunctionRunner  # noqa: PLC0415  # only a real run needs all engines

    return FunctionRunner(clock=lambda: now, make_password=lambda: MADE_PASSWORD)


async def start_server(runner: grpcv1.FunctionRunnerServiceServicer, address: str) -> grpc.aio.Server:
    """Start our server for *runner* at *address*."""
    from groundplane.function.server import start  # noqa: PLC0415  # only a real run needs the server

    # Our server asks no more of a runner than the protocol does.
    server, _port = await start(cast("FunctionRunner", runner), address)
    return server


async def stop_server(server: grpc.aio.Server) -> None:
    """End *server*, and return once nothing of it is left."""
    from groundplane.function.server import stop  # noqa: PLC0415  # as above

    await stop(server)


def address_of(socket: Path) -> str:
    """Return the address of *socket* as gRPC reads it: a URI, in which some letters of a path mean something else."""
    return f"unix:{quote(os.fspath(socket))}"


@contextmanager
def serving(runner: grpcv1.FunctionRunnerServiceServicer) -> Iterator[Function]:
    """Serve *runner* on a socket of its own and give a callable that sends it one request.

    The callable raises `FunctionError` when the call fails. The server is gone afterwards.

    Raises:
        UnservedError: It cannot be started here.
    """
    with _folder() as folder, _quiet(), _background_loop() as run:
        address = address_of(folder / SOCKET)
        try:
            server = run(start_server(runner, address))
        except OSError as error:
            raise UnservedError(f"{error}; {_ANOTHER_FOLDER}") from None
        options = [("grpc.max_receive_message_length", LARGEST_RESPONSE)]
        try:
            with grpc.insecure_channel(address, options=options) as channel:
                yield _caller(channel)
        finally:
            run(stop_server(server))


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        made = tempfile.TemporaryDirectory(prefix="groundplane-")
    except OSError as error:
        raise UnservedError(f"no folder for the function's socket: {error.strerror}; {_ANOTHER_FOLDER}") from None
    with made as name:
        folder = Path(name)
        if (length := len(os.fsencode(folder / SOCKET))) > LONGEST_SOCKET:
            raise UnservedError(
                f"{folder.parent}: too long for the function's socket, whose path would have {length} bytes of at most"
                f" {LONGEST_SOCKET}; {_ANOTHER_FOLDER}"
            )
        yield folder


def _caller(channel: grpc.Channel) -> Function:
    send = channel.unary_unary(
        METHOD,
        request_serializer=fnv1.RunFunctionRequest.SerializeToString,
        response_deserializer=fnv1.RunFunctionResponse.FromString,
    )

    def call(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        try:
            response: fnv1.RunFunctionResponse = send(request, timeout=SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            # The details may quote what the function was given, secrets included.
            raise FunctionError(_told(error.code())) from None
        return response

    return call


def _told(code: grpc.StatusCode) -> str:
    report = "please report it with the claim and this command"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return (
            f"the function did not answer within {SECONDS:.0f} s, which is as long as Crossplane waits. A machine that"
            f" slept or has far too much to do explains it once; if it happens again, {report}"
        )
    return f"the function broke ({code.name}): this is a bug of the function, not of your files; {report}"


@contextmanager
def _background_loop() -> Iterator[Callable[[Coroutine[object, object, T]], T]]:
    """Run an event loop in a thread and give a callable that runs a coroutine there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="function", daemon=True)
    thread.start()

    def run(work: Coroutine[object, object, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, loop).result(SECONDS)
        except TimeoutError:
            raise UnservedError(
                f"the function's server neither began nor ended within {SECONDS:.0f} s: a call of the function never"
                " ends, or this machine does not get to it"
            ) from None

    try:
        yield run
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        if not thread.is_alive():  # else a call never ends, and it goes with the process
            loop.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep gRPC from logging the traceback of a function that broke: it may quote a secret."""
    log = logging.getLogger("grpc._cython.cygrpc")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before
