"""The gRPC server around the function: transport, certificates, health, an orderly end."""

from __future__ import annotations

import asyncio
import gc
import inspect
import signal
from typing import TYPE_CHECKING, Final

import click
import grpc
from crossplane.function import logging, runtime
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1
from crossplane.function.proto.v1beta1 import run_function_pb2_grpc as grpcv1beta1
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from groundplane.function.fn import FunctionRunner

SERVICE: Final = fnv1.DESCRIPTOR.services_by_name["FunctionRunnerService"].full_name
GRACE_SECONDS: Final = 10
# A request repeats observed, desired and required objects, and schemas; gRPC's own limit is 4.
DEFAULT_MESSAGE_MIB: Final = 32


async def start(
    runner: FunctionRunner,
    address: str,
    *,
    credentials: grpc.ServerCredentials | None = None,
    message_mib: int = DEFAULT_MESSAGE_MIB,
) -> tuple[grpc.aio.Server, int]:
    """Return a server that answers at *address*, started, and its port; without *credentials* it speaks plain text.

    Raises:
        OSError: the address cannot be bound.
    """
    limit = message_mib * 1024 * 1024
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", limit),
            # Two servers on one port would share its calls without a word.
            ("grpc.so_reuseport", 0),
        ]
    )
    grpcv1.add_FunctionRunnerServiceServicer_to_server(runner, server)
    grpcv1beta1.add_FunctionRunnerServiceServicer_to_server(runtime.BetaFunctionRunner(wrapped=runner), server)
    status = health.aio.HealthServicer()  # type: ignore[attr-defined]  # Missing in the stubs.
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    try:
        port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError:
        msg = f"cannot listen on {address}: it is taken, or not an address of this machine"
        raise OSError(msg) from None
    await server.start()
    for service in ("", SERVICE):
        await status.set(service, health_pb2.HealthCheckResponse.SERVING)
    return server, port


async def stop(server: grpc.aio.Server, seconds: float = GRACE_SECONDS) -> None:
    """Let callers and calls of *server* go within *seconds*, end it, and return once this loop has nothing of it left.

    Who calls must have let go of its own connections. A connection that is cut instead of let go has gRPC write a line
    of its own on the caller's standard error. And gRPC has one queue for the events of all loops of a process: what is
    left there for a loop that is closed breaks into the next loop.
    """
    await server.stop(seconds)
    if left := _calls():
        await asyncio.wait(left, timeout=seconds)


def _calls() -> set[asyncio.Task[object]]:
    """Return what gRPC does in this loop: its coroutines are compiled, ours are not."""
    return {task for task in asyncio.all_tasks() if not inspect.iscoroutine(task.get_coro())}


def serve(runner: FunctionRunner, address: str, *, certificates: str | None, message_mib: int) -> None:
    """Serve *runner* at *address* until SIGTERM or SIGINT, then let the calls under way finish.

    *certificates* is the folder with tls.crt, tls.key and ca.crt that Crossplane mounts; without it there is no TLS.

    Raises:
        OSError: the address cannot be bound, or a certificate cannot be read.
    """
    credentials = runtime.load_credentials(certificates) if certificates else None
    asyncio.run(_until_told(runner, address, credentials, message_mib))


async def _until_told(
    runner: FunctionRunner, address: str, credentials: grpc.ServerCredentials | None, message_mib: int
) -> None:
    log = logging.get_logger()
    _spare_the_collector()
    server, port = await start(runner, address, credentials=credentials, message_mib=message_mib)
    log.info("serving", address=address, port=port, tls=credentials is not None)
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
    log.info("stopping", grace_seconds=GRACE_SECONDS)
    await stop(server)


def _spare_the_collector() -> None:
    """Keep the garbage collector off what lives as long as the process, and let it run less often.

    A call makes thousands of small objects and no cycles; collecting among them cost a sixth of an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@click.command("serve")
@click.option("--address", default="0.0.0.0:9443", show_default=True, help="Where to listen.")
@click.option(
    "--tls-certs-dir",
    "certificates",
    envvar="TLS_SERVER_CERTS_DIR",
    help="Folder with tls.crt, tls.key and ca.crt, as Crossplane mounts it.",
)
@click.option("--insecure", is_flag=True, help="Speak plain text; for local use only. Certificates are ignored.")
@click.option("--ttl", type=click.IntRange(1, 3600), help="Seconds until the next call, instead of our own choice.")
@click.option(
    "--max-message-mib", "message_mib", default=DEFAULT_MESSAGE_MIB, show_default=True, help="Largest message, MiB."
)
@click.option("--debug", is_flag=True, help="Log more, and for people.")
def command(  # noqa: PLR0913  # One for each option.
    *, address: str, certificates: str | None, insecure: bool, ttl: int | None, message_mib: int, debug: bool
) -> None:
    """Serve the composition function, until told to stop."""
    from groundplane.function.fn import FunctionRunner  # noqa: PLC0415  # The server itself knows no engines.

    logging.configure(logging.Level.DEBUG if debug else logging.Level.INFO)
    if not insecure and not certificates:
        msg = "give --tls-certs-dir (or TLS_SERVER_CERTS_DIR), or --insecure for local use"
        raise click.UsageError(msg)
    try:
        serve(
            FunctionRunner(ttl=ttl),
            address,
            certificates=None if insecure else certificates,
            message_mib=message_mib,
        )
    except OSError as error:
        raise click.ClickException(str(error)) from None
