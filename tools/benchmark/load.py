"""The client: sends one request again and again, and writes down how long answers take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmark import process
from benchmark.process import SECONDS, Server

if TYPE_CHECKING:
    import grpc

CONCURRENCIES = (1, 8, 32)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    calls: int  # in each round, at each concurrency
    total: int  # one after the other, for the memory
    starts: int


QUICK = Plan(rounds=6, calls=48, total=2_000, starts=5)
FULL = Plan(rounds=20, calls=96, total=10_000, starts=9)
WEIGHED_EVERY = 50  # calls
MOST_BATCHES = 3  # of rounds or cold starts that break a limit: a busy machine can only make them worse


@dataclass(frozen=True, slots=True)
class Round:
    """One server's part of one round. Times in seconds."""

    latencies: tuple[float, ...]  # of calls one after the other
    per_second: dict[int, float]  # answers, by concurrency
    cpu_per_call: float | None


@dataclass(slots=True)
class Record:
    """What was seen of one server. Memory in MiB."""

    rounds: list[Round] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # after the first call, then after every few
    calls: int = 0
    weighed: int = 0  # calls before the last reading
    starts: list[float] = field(default_factory=list)  # seconds, each from nothing to the first answer


class Client:
    """Calls one server and fills its record. Every answer must have the size of the expected one."""

    def __init__(self, server: Server, opened: grpc.aio.Channel, request: bytes, size: int, record: Record) -> None:
        self.server = server
        self.send = process.call(opened)
        self.request = request
        self.size = size
        self.record = record

    async def call(self) -> float:
        """Return how many seconds one answer takes.

        Raises:
            ServerError: the answer is another one.
        """
        began = time.perf_counter()
        answer = await self.send(self.request, timeout=SECONDS, wait_for_ready=True)
        took = time.perf_counter() - began
        self.server.check(answer, self.size)
        self.record.calls += 1
        return took

    async def calls(self, count: int, concurrency: int) -> tuple[list[float], float]:
        """Return the seconds each of *count* calls took, and how many were answered in a second."""
        left = iter(range(count))
        found: list[float] = []

        async def work() -> None:
            for _ in left:
                found.append(await self.call())  # noqa: PERF401  # A comprehension would show it only at the end.

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(concurrency)))
        return found, count / (time.perf_counter() - began)

    async def round(self, count: int) -> None:
        """Measure *count* calls at each concurrency."""
        before = self.server.cpu_seconds()
        latencies: list[float] = []
        speeds: dict[int, float] = {}
        for concurrency in CONCURRENCIES:
            found, speeds[concurrency] = await self.calls(count, concurrency)
            latencies = latencies or found
        after = self.server.cpu_seconds()
        cpu = None if before is None or after is None else (after - before) / (count * len(CONCURRENCIES))
        self.record.rounds.append(Round(tuple(latencies), speeds, cpu))

    def weigh(self) -> None:
        """Note the server's memory."""
        memory = self.server.memory_mib()
        if memory is not None:
            self.record.memory.append(memory)
            self.record.weighed = self.record.calls

    async def weighed_calls(self, total: int) -> None:
        """Make *total* calls one after the other, so that no burst blurs what is kept, and weigh on the way."""
        for _ in range(total // WEIGHED_EVERY):
            await self.calls(WEIGHED_EVERY, 1)
            self.weigh()


Enough = Callable[[Sequence[Record]], bool]


async def measure(servers: Sequence[Server], request: bytes, size: int, plan: Plan, enough: Enough) -> list[Record]:
    """Return a record of each of *servers*, called in rounds that take turns: the machine's moods meet all alike.

    Rounds that are not *enough* are measured again, `MOST_BATCHES` times at most.

    Raises:
        ServerError: an answer is another than the one of *size* bytes.
    """
    channels = [process.channel(one.address) for one in servers]
    clients = [Client(server, one, request, size, Record()) for server, one in zip(servers, channels, strict=True)]
    records = [client.record for client in clients]
    try:
        for client in clients:
            await client.call()
            client.weigh()
            await client.weighed_calls(plan.total)
        for batch in range(MOST_BATCHES):
            if batch:
                print("bench: the rounds broke a limit, as a busy machine can make them; measured again")
            await _rounds(clients, plan)
            if enough(records):
                break
    finally:
        for one in channels:
            await one.close(None)
    return records


async def _rounds(clients: Sequence[Client], plan: Plan) -> None:
    for client in clients:
        client.record.rounds.clear()
    for number in range(plan.rounds):
        turn = number % len(clients)
        for client in (*clients[turn:], *clients[:turn]):
            await client.round(plan.calls)
