"""The real function behind its real server, reached as Crossplane reaches it: by gRPC."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

import grpc
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.render.problem import FunctionError

if TYPE_CHECKING:
    import grpc.aio
    from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

    from groundplane.fn import FunctionRunner

METHOD = "/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction"
SOCKET = "function.sock"  # in a folder of its own
LARGEST_RESPONSE = 4 * 1024 * 1024  # bytes: what Crossplane accepts
SECONDS = 120.0  # how long Crossplane waits for a whole reconcile
MADE_PASSWORD = "placeholder-for-a-made-password"  # noqa: S105  # a placeholder, on purpose

Function = Callable[[fnv1.RunFunctionRequest], fnv1.RunFunctionResponse]
T = TypeVar("T")


def make_runner(now: datetime) -> grpcv1.FunctionRunnerServiceServicer:
    """Return our function with its clock standing still at *now* and no real password in it."""
    from groundplane.fn import FunctionRunner  # noqa: PLC0415  # only a real run needs all engines

    return FunctionRunner(clock=lambda: now, make_password=lambda: MADE_PASSWORD)


async def start_server(runner: grpcv1.FunctionRunnerServiceServicer, address: str) -> grpc.aio.Server:
    """Start our server for *runner* at *address*."""
    from groundplane.server import start  # noqa: PLC0415  # only a real run needs the server

    # Our server asks no more of a runner than the protocol does.
    server, _port = await start(cast("FunctionRunner", runner), address)
    return server


@contextmanager
def serving(runner: grpcv1.FunctionRunnerServiceServicer) -> Iterator[Function]:
    """Serve *runner* on a socket of its own and give a callable that sends it one request.

    The callable raises `FunctionError` when the call fails. The server is gone afterwards.
    """
    with (
        tempfile.TemporaryDirectory(prefix="groundplane-") as folder,
        _quiet(),
        _background_loop() as run,
    ):
        address = f"unix:{folder}/{SOCKET}"
        server = run(start_server(runner, address))
        options = [("grpc.max_receive_message_length", LARGEST_RESPONSE)]
        try:
            with grpc.insecure_channel(address, options=options) as channel:
                yield _caller(channel)
        finally:
            run(server.stop(None))


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
            raise FunctionError(
                f"the function broke ({error.code().name}): this is a bug of the function, not of your files; please"
                " report it with the claim and this command"
            ) from None
        return response

    return call


@contextmanager
def _background_loop() -> Iterator[Callable[[Coroutine[object, object, T]], T]]:
    """Run an event loop in a thread and give a callable that runs a coroutine there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="function", daemon=True)
    thread.start()

    def run(work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(SECONDS)

    try:
        yield run
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
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
