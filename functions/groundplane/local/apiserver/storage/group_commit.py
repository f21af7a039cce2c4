"""When changes are on the disk, and who is told of them then."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.storage.records import Change

_UNWRITTEN = "nothing was changed, because the plane's store cannot be written ({}); make room on its disk"


class Transactions:
    """The transactions of one database. Listeners hear of a change once it is on the disk, and of no other."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Write to *database*, which begins no transactions by itself."""
        self._database = database
        self._listeners: list[Callable[[Change], object]] = []
        self._pending: list[Change] | None = None
        self._group: list[Change] | None = None

    def listen(self, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Call *listener* after each change is on the disk; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def add(self, change: Change) -> None:
        """Tell of *change* when the transaction that it is part of has ended well."""
        if self._pending is not None:
            self._pending.append(change)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Make the changes inside one: all of them are kept, or none.

        Raises:
            StatusError: They cannot be written, because the disk is full for example.
        """
        if self._pending is not None:
            yield
            return
        self._pending, kept = [], False
        try:
            self._begin("SAVEPOINT part" if self._group is not None else "BEGIN IMMEDIATE")
            yield
            self._ask("RELEASE part" if self._group is not None else "COMMIT")
            kept = True
        except sqlite3.OperationalError as error:
            raise _unwritten(error) from None
        finally:
            changes, self._pending = self._pending, None
            if not kept and self._database.in_transaction:
                self._database.execute("ROLLBACK" if self._group is None else "ROLLBACK TO part")
        if self._group is None:
            self._tell(changes)
        else:
            self._group += changes

    @contextlib.contextmanager
    def grouped(self) -> Iterator[None]:
        """Wait for the disk once for all changes inside, each of which is kept or not by itself.

        An error that ends the group undoes nothing. Nothing inside may give way to others, or they would see what is
        not on the disk yet.

        Raises:
            StatusError: They cannot be written; then none is kept.
        """
        if self._group is not None or self._pending is not None:
            yield
            return
        self._ask("BEGIN IMMEDIATE")
        self._group = []
        try:
            yield
        finally:
            changes, self._group = self._group, None
            try:
                self._ask("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
            self._tell(changes)

    def _begin(self, statement: str) -> None:
        if self._group is not None and not self._database.in_transaction:
            # SQLite itself has ended the group, because the disk was full; what follows must not be kept without it.
            raise sqlite3.OperationalError("what was written before could not be kept")
        self._ask(statement)

    def _ask(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except sqlite3.OperationalError as error:
            raise _unwritten(error) from None

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            for listener in [*self._listeners]:
                listener(change)


def _unwritten(error: sqlite3.OperationalError) -> StatusError:
    return StatusError(500, "InternalError", _UNWRITTEN.format(error))
