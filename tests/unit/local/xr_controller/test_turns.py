"""Reconciles compute one after the other, and others are answered between any two of them."""

import asyncio

import pytest

from groundplane.local.xr_controller.fair_lock import Turn

MANY, SECONDS = 20, 10


def test_between_any_two_that_compute_others_have_their_turn() -> None:
    seen: list[str] = []

    async def compute(lock: asyncio.Lock) -> None:
        async with Turn(lock) as turn:
            seen.append("computed")
            async with turn.aside():
                await asyncio.sleep(0)
            seen.append("computed")

    async def answer() -> None:
        while seen.count("computed") < 2 * MANY:
            seen.append("answered")
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        lock = asyncio.Lock()
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*(compute(lock) for _ in range(MANY)), answer())

    asyncio.run(all_of_them())
    together = max(map(len, "".join(word[0] for word in seen).split("a")))
    assert together == 1


def test_who_waits_for_something_holds_up_nobody() -> None:
    async def work() -> str:
        lock, never = asyncio.Lock(), asyncio.Event()

        async def waits() -> None:
            async with Turn(lock) as turn, turn.aside():
                await never.wait()

        waiting = asyncio.create_task(waits())
        await asyncio.sleep(0)
        async with asyncio.timeout(SECONDS), Turn(lock):
            waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        assert not lock.locked()
        return "computed"

    assert asyncio.run(work()) == "computed"


def test_one_that_is_cancelled_while_it_waits_for_its_turn_takes_no_turn_of_another() -> None:
    async def work() -> None:
        lock, asked = asyncio.Lock(), asyncio.Event()

        async def waits() -> None:
            async with Turn(lock) as turn, turn.aside():
                await asked.wait()

        waiting = asyncio.create_task(waits())
        await asyncio.sleep(0)
        async with asyncio.timeout(SECONDS), Turn(lock):
            asked.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert lock.locked()
        await asyncio.sleep(0)
        assert not lock.locked()

    asyncio.run(work())
