"""A server to measure, in a process of its own: the function, or an echo of its answer.

Run as ``python server.py function SOCKET`` or ``python server.py echo SOCKET RESPONSE``. It ends with SIGTERM, and when
its standard input is closed: whatever becomes of the process that started it, no server is left behind.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from crossplane.function import logging
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

from groundplane.function.server import DEFAULT_MESSAGE_MIB, serve

if TYPE_CHECKING:
    from groundplane.function.fn import FunctionRunner


class Echo(grpcv1.FunctionRunnerServiceServicer):
    """Parses every request as the function does, and returns one message that was made before."""

    def __init__(self, response: bytes) -> None:
        self.response = fnv1.RunFunctionResponse.FromString(response)

    async def RunFunction(  # noqa: N802  # The name of the gRPC method.
        self, request: fnv1.RunFunctionRequest, context: object
    ) -> fnv1.RunFunctionResponse:
        """Return the message."""
        del request, context
        return self.response


def _runner(what: str, arguments: list[str]) -> FunctionRunner:
    if what == "echo":
        # Our server asks no more of a runner than the protocol does.
        return cast("FunctionRunner", Echo(Path(arguments[0]).read_bytes()))
    from groundplane.function.fn import FunctionRunner  # noqa: PLC0415  # The echo must not carry the function's weight.

    return FunctionRunner()


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def main(what: str, socket: str, *arguments: str) -> None:
    """Serve until told to end."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.configure(logging.Level.INFO)
    serve(_runner(what, list(arguments)), f"unix:{socket}", certificates=None, message_mib=DEFAULT_MESSAGE_MIB)


if __name__ == "__main__":
    main(*sys.argv[1:])
