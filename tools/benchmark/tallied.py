"""A server for a real Crossplane, in a process of its own: the function, or an echo of what it said of the same claim.

Run as ``python -m benchmark.tallied ADDRESS CERTIFICATES FILE``. Each request says by itself who shall answer it, and
in which round: the environment that it brings along carries both in an annotation. FILE gets the tallies, as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from crossplane.function import logging
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

from groundplane.function.server import DEFAULT_MESSAGE_MIB, serve

if TYPE_CHECKING:
    from groundplane.function.fn import FunctionRunner

ROUND = "bench.groundplane.dev/round"
FUNCTION, ECHO = "function", "echo"
NO_ROUND = "none"
WRITTEN_EVERY = 0.1  # seconds


class Runner(Protocol):
    """What answers calls."""

    def RunFunction(  # noqa: N802  # The name of the gRPC method.
        self, request: fnv1.RunFunctionRequest, context: None
    ) -> Awaitable[fnv1.RunFunctionResponse]:
        """Return the answer to *request*."""


@dataclass(slots=True)
class Tally:
    """What one round cost the server.

    Attributes:
        calls: how many were answered.
        echoed: how many of them from memory.
        seconds: spent on answers, between parsing a request and writing its answer.
        cpu: processor time of the same stretches.
        server_cpu: processor time of the whole server, from the end of the first call to the end of the last.
        claims: the uids of the claims that were answered in full.
    """

    calls: int = 0
    echoed: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0
    claims: set[str] = field(default_factory=set)


class Tallied(grpcv1.FunctionRunnerServiceServicer):
    """Lets *function* answer, or its own memory of what *function* last said of the claim, and keeps the tallies."""

    def __init__(self, function: Runner) -> None:
        self.function = function
        self.remembered: dict[str, fnv1.RunFunctionResponse] = {}
        self.tallies: dict[str, Tally] = {}
        self._first: dict[str, float] = {}

    async def RunFunction(  # noqa: N802  # The name of the gRPC method.
        self, request: fnv1.RunFunctionRequest, context: object
    ) -> fnv1.RunFunctionResponse:
        """Return the answer of whom the request's round names; what is not remembered, the function must answer."""
        del context
        name, uid = round_of(request), uid_of(request)
        began, cpu = time.perf_counter(), time.thread_time()
        answer = self.remembered.get(uid) if name.startswith(ECHO) else None
        echoed = answer is not None
        if answer is None:
            answer = await self.function.RunFunction(request, None)
        took, worked = time.perf_counter() - began, time.thread_time() - cpu
        if answer.desired.resources:  # the first answers to a new claim only ask
            self.remembered[uid] = answer
            claims = {uid}
        else:
            claims = set()
        self._add(name, Tally(1, int(echoed), took, worked, claims=claims))
        return answer

    def _add(self, name: str, one: Tally) -> None:
        now = time.process_time()
        tally = self.tallies.setdefault(name, Tally())
        tally.calls += one.calls
        tally.echoed += one.echoed
        tally.seconds += one.seconds
        tally.cpu += one.cpu
        tally.server_cpu = now - self._first.setdefault(name, now)
        tally.claims |= one.claims


def round_of(request: fnv1.RunFunctionRequest) -> str:
    """Return what an environment in *request* is annotated with; `NO_ROUND` without one."""
    for found in request.required_resources.values():
        for item in found.items:
            metadata = item.resource.fields["metadata"].struct_value
            if "annotations" in metadata.fields:
                annotations = metadata.fields["annotations"].struct_value.fields
                if ROUND in annotations:
                    return str(annotations[ROUND].string_value)
    return NO_ROUND


def uid_of(request: fnv1.RunFunctionRequest) -> str:
    """Return the uid of the claim that *request* is about."""
    metadata = request.observed.composite.resource.fields["metadata"].struct_value
    return str(metadata.fields["uid"].string_value)


def as_json(tallies: Mapping[str, Tally]) -> dict[str, dict[str, Any]]:
    """Return *tallies* as plain data, in which claims are a number."""
    return {name: {**asdict(tally), "claims": len(tally.claims)} for name, tally in [*tallies.items()]}


def _write(runner: Tallied, file: Path) -> None:
    partial = file.with_suffix(".partial")
    while True:
        partial.write_text(json.dumps(as_json(runner.tallies)), encoding="ascii")
        partial.replace(file)
        time.sleep(WRITTEN_EVERY)


def main(address: str, certificates: str, file: str) -> None:
    """Serve until told to end."""
    from groundplane.function.fn import FunctionRunner  # noqa: PLC0415  # Who only reads tallies needs no engines.

    logging.configure(logging.Level.INFO)
    # An hour between calls of their own: what is measured then is what was asked for.
    runner = Tallied(FunctionRunner(ttl=3600))
    threading.Thread(target=_write, args=(runner, Path(file)), daemon=True).start()
    # Our server asks no more of a runner than the protocol does.
    serve(cast("FunctionRunner", runner), address, certificates=certificates, message_mib=DEFAULT_MESSAGE_MIB)


if __name__ == "__main__":
    main(*sys.argv[1:])
