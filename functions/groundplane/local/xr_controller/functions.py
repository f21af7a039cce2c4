"""The functions of pipelines, called over gRPC; our own is served by this very process where nobody says another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc.aio
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane import contracts
from groundplane.crossplane.errors import FunctionError, ReconcileError
from groundplane.crossplane.function_client import LARGEST_RESPONSE, METHOD, SOCKET, address_of
from groundplane.crossplane.pipeline import Call
from groundplane.generate import packages

if TYPE_CHECKING:
    from groundplane.function.fn import FunctionRunner

_RECONNECT_MILLISECONDS: Final = 2000  # a function that comes back is found again at once
_END_SECONDS: Final = 3.0
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", LARGEST_RESPONSE),
    ("grpc.max_send_message_length", -1),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", _RECONNECT_MILLISECONDS),
    # Two planes in one process, as in tests, must not share a connection.
    ("grpc.use_local_subchannel_pool", 1),
]


class Functions:
    """The functions that pipelines may name, by that name."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        """Call each function at its target, as gRPC writes it."""
        channels = {target: grpc.aio.insecure_channel(target, options=_OPTIONS) for target in {*targets.values()}}
        self._channels = channels
        self._callers = {
            name: channels[target].unary_unary(
                METHOD,
                request_serializer=fnv1.RunFunctionRequest.SerializeToString,
                response_deserializer=fnv1.RunFunctionResponse.FromString,
            )
            for name, target in targets.items()
        }

    async def __call__(self, call: Call) -> fnv1.RunFunctionResponse:
        """Return the answer to *call*; a function that is not there is waited for.

        Raises:
            FunctionError: it breaks.
            ReconcileError: nobody knows it.
        """
        caller = self._callers.get(call.function)
        if caller is None:
            raise ReconcileError(
                f'cannot run Composition pipeline step "{call.step}": function "{call.function}" is not known here'
            )
        try:
            response: fnv1.RunFunctionResponse = await caller(call.request, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            # The details may quote what the function was given, secrets included.
            raise FunctionError(
                f'cannot run Composition pipeline step "{call.step}": cannot run function "{call.function}":'
                f" {error.code().name}"
            ) from None
        return response

    async def close(self) -> None:
        """Let go of every connection."""
        for channel in self._channels.values():
            await _bounded(channel.close(None))


@contextlib.asynccontextmanager
async def connected(targets: Mapping[str, str] | Path, ttl: int | None) -> AsyncIterator[Functions]:
    """Return the functions at *targets*.

    A folder, which is nobody else's, stands for our own, which asks to be called again after *ttl* seconds.
    """
    async with contextlib.AsyncExitStack() as stack:
        if isinstance(targets, Path):
            targets = await stack.enter_async_context(_own(targets / SOCKET, ttl))
        functions = Functions(targets)
        stack.push_async_callback(functions.close)
        yield functions


async def _bounded(ending: Awaitable[object]) -> None:
    """Await *ending*, but not for ever: the process ends anyway, and what it held goes with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            await ending


@contextlib.asynccontextmanager
async def _own(socket: Path, ttl: int | None) -> AsyncIterator[dict[str, str]]:
    from groundplane.function.fn import FunctionRunner  # noqa: PLC0415  # Who calls others needs no engines.
    from groundplane.function.server import start, stop  # noqa: PLC0415  # The same.

    address = address_of(socket)  # gRPC removes one that a killed plane left, and its own at the end
    runner: FunctionRunner = FunctionRunner(ttl=ttl)
    server, _port = await start(runner, address)
    try:
        yield {packages.installed(packages.function(name)): address for name in contracts.names()}
    finally:
        await _bounded(stop(server, _END_SECONDS))
