"""An application that writes all the time, and knows of each row when it was sent, and whether it was acknowledged."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import psycopg

PAUSE_SECONDS = 0.004
_AGAIN_SECONDS = 0.05


@dataclass(frozen=True)
class Written:
    """One acknowledged row, with the times of its sending and of its acknowledgement, in seconds of the epoch."""

    number: int
    sent: float
    acknowledged: float


class Journal:
    """Rows numbered from 1. Whoever wants to know what must be in the database asks here, not there."""

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        """Write through connections that *connect* makes, each row in a transaction of its own."""
        self._connect = connect
        self._number = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="application", daemon=True)
        self.acknowledged: list[Written] = []
        self.unsure: dict[int, None] = {}  # sent, and the connection broke before the answer

    def __enter__(self) -> Self:
        """Begin to write."""
        with self._connect() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS written (number bigint PRIMARY KEY)")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End writing."""
        self._ended.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the application does not end"

    def _write(self) -> None:
        while not self._ended.is_set():
            try:
                with self._connect() as connection:
                    self._write_on(connection)
            except psycopg.Error:
                time.sleep(_AGAIN_SECONDS)

    def _write_on(self, connection: psycopg.Connection) -> None:
        while not self._ended.is_set():
            self._number += 1
            sent = time.time()
            self.unsure[self._number] = None
            connection.execute("INSERT INTO written VALUES (%s)", (self._number,))
            self.acknowledged.append(Written(self._number, sent, time.time()))
            self.unsure.pop(self._number)
            time.sleep(PAUSE_SECONDS)

    def agrees(self, connection: psycopg.Connection) -> None:
        """Check what is in the database that *connection* leads to.

        Raises:
            AssertionError: an acknowledged row is missing, or one is there that was never sent.
        """
        must = {one.number for one in [*self.acknowledged]}  # before the look: it goes on writing meanwhile
        found = rows(connection)
        known = {one.number for one in [*self.acknowledged]} | {*self.unsure.copy()}
        lost, strange = must - found, found - known - {self._number}
        assert not lost, f"{len(lost)} acknowledged rows are lost: {sorted(lost)[:10]}"
        assert not strange, f"rows that nobody wrote: {sorted(strange)[:10]}"


def rows(connection: psycopg.Connection) -> set[int]:
    """Return the numbers of all rows that are in the database."""
    return {number for (number,) in connection.execute("SELECT number FROM written")}
