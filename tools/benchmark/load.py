"""The client: sends one request again and again, and writes down how long answers take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmark.process import METHOD, SECONDS, Server, ServerError, channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import grpc

CONCURRENCIES = (1, 8, 32)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    calls: int  # in each round, at each concurrency
    total: int  # to each server in all, for its memory
    starts: int


QUICK = Plan(rounds=6, calls=48, total=2_000, starts=5)
FULL = Plan(rounds=20, calls=96, total=10_000, starts=9)


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
    memory: list[float] = field(default_factory=list)  # after the first call, then now and then up to the last
    calls: int = 0
    starts: list[float] = field(default_factory=list)  # seconds


class Client:
    """Calls one server and fills its record. Every answer must have the size of the expected one."""

    def __init__(self, server: Server, opened: grpc.aio.Channel, request: bytes, size: int, record: Record) -> None:
        self.server = server
        self.send: Callable[..., Awaitable[bytes]] = opened.unary_unary(METHOD)
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
        if len(answer) != self.size:
            raise ServerError(f"an answer has {len(answer)} bytes, expected {self.size}; see {self.server.log}")
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
        before, latencies, speeds = self.server.cpu_seconds(), [], {}
        for concurrency in CONCURRENCIES:
            found, speeds[concurrency] = await self.calls(count, concurrency)
            latencies = latencies or found
        after = self.server.cpu_seconds()
        cpu = None if before is None or after is None else (after - before) / (count * len(CONCURRENCIES))
        self.record.rounds.append(Round(tuple(latencies), speeds, cpu))
        self.weigh()

    def weigh(self) -> None:
        """Note the server's memory."""
        memory = self.server.memory_mib()
        if memory is not None:
            self.record.memory.append(memory)

    async def fill_up(self, total: int) -> None:
        """Call until *total* calls were made in all, weighing on the way."""
        while self.record.calls < total:
            await self.calls(min(100, total - self.record.calls), CONCURRENCIES[1])
            self.weigh()


async def measure(servers: Sequence[Server], request: bytes, size: int, plan: Plan) -> list[Record]:
    """Return a record of each of *servers*, called in rounds that take turns: the machine's moods meet all alike.

    Raises:
        ServerError: an answer is another than the one of *size* bytes.
    """
    channels = [channel(one.address) for one in servers]
    clients = [Client(server, one, request, size, Record()) for server, one in zip(servers, channels, strict=True)]
    try:
        for client in clients:
            await client.call()
            client.weigh()
            await client.calls(plan.calls, CONCURRENCIES[1])  # warm
        for number in range(plan.rounds):
            turn = number % len(clients)
            for client in clients[turn:] + clients[:turn]:
                await client.round(plan.calls)
        for client in clients:
            await client.fill_up(plan.total)
    finally:
        for one in channels:
            await one.close()
    return [client.record for client in clients]
