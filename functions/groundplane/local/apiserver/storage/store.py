"""The plane's memory: one SQLite file with every object, and the log of every change to one.

The log is counter and history in one: its row number is the ``resourceVersion`` of what the row tells of. Nothing is
acknowledged before it is on the disk, and nothing that matters is held in memory only.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from groundplane.core.manifest import Manifest, at
from groundplane.local.apiserver.storage.group_commit import Transactions
from groundplane.local.apiserver.storage.records import Change, Event, Key, dumped, loaded

FORMAT = 1  # of the file; a plane refuses a file of a later one
_BUSY = "database is locked"
_TABLES = """
CREATE TABLE objects (
    resource TEXT NOT NULL, path TEXT NOT NULL, version INTEGER NOT NULL, uid TEXT NOT NULL, deleting INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (resource, path));
CREATE INDEX objects_uid ON objects (uid);
CREATE INDEX objects_deleting ON objects (resource) WHERE deleting;
CREATE TABLE owners (
    uid TEXT NOT NULL, resource TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (uid, resource, path)) WITHOUT ROWID;
CREATE INDEX owners_dependent ON owners (resource, path);
CREATE TABLE log (
    version INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, type TEXT NOT NULL, resource TEXT NOT NULL,
    path TEXT NOT NULL, body BLOB NOT NULL, previous BLOB);
CREATE INDEX log_resource ON log (resource, version);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('floor', 0);
"""


class StoreError(Exception):
    """The store cannot be used; the message says why and what to do."""


class Store:
    """The objects of one plane. One process at a time holds it; it belongs to one thread."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Open the store at *path*, or make one; *clock* tells seconds since 1970.

        Raises:
            StoreError: another process holds it, it is damaged, or a later version wrote it.
        """
        # SQLite gives its side files the mode of the main one, so that one must be private before anything is in it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._clock = clock
        self._database = sqlite3.connect(path, isolation_level=None, timeout=0)
        self._transactions = Transactions(self._database)
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            self._database.close()
            if _BUSY in str(error):
                raise StoreError(f"{path}: another process holds it; end that plane first") from None
            raise StoreError(f"{path}: damaged ({error}); restore it from a copy, or move it away") from None
        except StoreError:
            self._database.close()
            raise

    def _open(self, path: Path) -> None:
        ask = self._database.execute
        ask("PRAGMA locking_mode = EXCLUSIVE")
        ask("PRAGMA journal_mode = WAL")
        ask("PRAGMA synchronous = FULL")  # NORMAL could lose what was acknowledged when the power goes
        ask("BEGIN EXCLUSIVE")
        (wrong,) = ask("PRAGMA quick_check(1)").fetchone()
        (found,) = ask("PRAGMA user_version").fetchone()
        if wrong != "ok":
            raise StoreError(f"{path}: damaged ({wrong}); restore it from a copy, or move it away")
        if found > FORMAT:
            raise StoreError(f"{path}: written by a later version of Groundplane; use that one")
        if found == 0:
            for statement in _TABLES.split(";"):
                ask(statement)
            ask(f"PRAGMA user_version = {FORMAT}")
        ask("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def listen(self, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Call *listener* after each change is on the disk; return what ends that."""
        return self._transactions.listen(listener)

    def together(self) -> AbstractContextManager[None]:
        """Make the changes inside one, as `Transactions.together` does."""
        return self._transactions.together()

    def grouped(self) -> AbstractContextManager[None]:
        """Wait for the disk once for all changes inside, as `Transactions.grouped` does."""
        return self._transactions.grouped()

    def put(self, key: Key, manifest: Manifest) -> Manifest:
        """Store *manifest*, new or instead of what *key* holds, and return it with its version."""
        with self.together():
            previous = self._body(key)
            change = self._log("MODIFIED" if previous else "ADDED", key, dumped(manifest), previous)
            metadata = manifest["metadata"]
            self._database.execute(
                "INSERT OR REPLACE INTO objects (resource, path, version, uid, deleting, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    key.resource,
                    key.path,
                    change.version,
                    metadata["uid"],
                    "deletionTimestamp" in metadata,
                    change.body,
                ),
            )
            self._set_owners(key, manifest)
        return change.manifest()

    def remove(self, key: Key, last: Manifest) -> Manifest:
        """Remove the object, log *last* as its last state, and return that with the deletion's version."""
        with self.together():
            change = self._log("DELETED", key, dumped(last), self._body(key))
            self._database.execute("DELETE FROM objects WHERE resource = ? AND path = ?", (key.resource, key.path))
            self._set_owners(key, {})
        return change.manifest()

    def _log(self, kind: Event, key: Key, body: bytes, previous: bytes | None) -> Change:
        row = self._database.execute(
            "INSERT INTO log (time, type, resource, path, body, previous) VALUES (?, ?, ?, ?, ?, ?)",
            (self._clock(), kind, key.resource, key.path, body, previous),
        )
        change = Change(row.lastrowid or 0, kind, key, body, previous)
        self._transactions.add(change)
        return change

    def _set_owners(self, key: Key, manifest: Manifest) -> None:
        self._database.execute("DELETE FROM owners WHERE resource = ? AND path = ?", (key.resource, key.path))
        references = at(manifest, "metadata", "ownerReferences") or ()
        self._database.executemany(
            "INSERT OR IGNORE INTO owners (uid, resource, path) VALUES (?, ?, ?)",
            [(owner["uid"], key.resource, key.path) for owner in references],
        )

    def _body(self, key: Key) -> bytes | None:
        found = self._database.execute(
            "SELECT body FROM objects WHERE resource = ? AND path = ?", (key.resource, key.path)
        ).fetchone()
        return found[0] if found else None

    def get(self, key: Key) -> Manifest | None:
        """Return the object, or None."""
        found = self._database.execute(
            "SELECT body, version FROM objects WHERE resource = ? AND path = ?", (key.resource, key.path)
        ).fetchone()
        return loaded(*found) if found else None

    def objects(
        self, resource: str, namespace: str = "", *, after: str = "", limit: int = -1, holding: str = ""
    ) -> list[Manifest]:
        """Return the objects of *resource*, of one namespace or of all, in order.

        Args:
            resource: As in `Key`.
            namespace: Empty for all, and for resources without namespaces.
            after: A `Key.path`: only what comes after it.
            limit: At most so many; negative for all.
            holding: Only those in whose text this is found, as `dumped` writes it; empty for all.
        """
        low, high = _range(namespace)
        rows = self._database.execute(
            "SELECT body, version FROM objects"
            " WHERE resource = ? AND path > ? AND path >= ? AND path < ? AND instr(body, ?) ORDER BY path LIMIT ?",
            (resource, after, low, high, holding.encode(), limit),
        )
        return [loaded(body, version) for body, version in rows]

    def count(self, resource: str, namespace: str = "", *, after: str = "") -> int:
        """Return how many objects `objects` would return without a limit."""
        low, high = _range(namespace)
        found = self._database.execute(
            "SELECT count(*) FROM objects WHERE resource = ? AND path > ? AND path >= ? AND path < ?",
            (resource, after, low, high),
        ).fetchone()
        return int(found[0])

    def resources(self, namespace: str = "") -> list[str]:
        """Return the resources of which there are objects, in one namespace or anywhere."""
        low, high = _range(namespace)
        rows = self._database.execute(
            "SELECT DISTINCT resource FROM objects WHERE path >= ? AND path < ? ORDER BY resource", (low, high)
        )
        return [resource for (resource,) in rows]

    def deleting(self) -> list[tuple[Key, Manifest]]:
        """Return the objects whose deletion has begun."""
        return self._keyed("SELECT resource, path, body, version FROM objects WHERE deleting ORDER BY resource, path")

    def dependents(self, uid: str) -> list[tuple[Key, Manifest]]:
        """Return the objects that name *uid* as an owner."""
        return self._keyed(
            "SELECT resource, path, body, version FROM owners JOIN objects USING (resource, path) WHERE owners.uid = ?"
            " ORDER BY resource, path",
            uid,
        )

    def owned(self) -> list[tuple[Key, Manifest]]:
        """Return all objects that name an owner."""
        return self._keyed(
            "SELECT resource, path, body, version FROM objects WHERE (resource, path) IN"
            " (SELECT resource, path FROM owners) ORDER BY resource, path"
        )

    def _keyed(self, query: str, *values: str) -> list[tuple[Key, Manifest]]:
        rows = self._database.execute(query, values)
        return [(_key(resource, path), loaded(body, version)) for resource, path, body, version in rows]

    @property
    def version(self) -> int:
        """The version of the newest change; never goes back, not even when the log is pruned."""
        found = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").fetchone()
        return int(found[0]) if found else 0

    @property
    def floor(self) -> int:
        """The newest version that was pruned from the log: changes after it are all there."""
        found = self._database.execute("SELECT value FROM facts WHERE name = 'floor'").fetchone()
        return int(found[0])

    def since(self, version: int, resource: str, namespace: str = "", *, limit: int = 100) -> list[Change]:
        """Return the first changes after *version*, of one resource, in order."""
        low, high = _range(namespace)
        rows = self._database.execute(
            "SELECT version, type, resource, path, body, previous FROM log"
            " WHERE resource = ? AND version > ? AND path >= ? AND path < ? ORDER BY version LIMIT ?",
            (resource, version, low, high, limit),
        )
        return [Change(at_, kind, _key(name, path), body, before) for at_, kind, name, path, body, before in rows]

    def prune(self, seconds: float, count: int) -> None:
        """Forget changes older than *seconds*, and all but the newest *count*."""
        oldest = self._clock() - seconds
        with self.together():
            (aged,) = self._database.execute("SELECT max(version) FROM log WHERE time < ?", (oldest,)).fetchone()
            floor = max(aged or 0, self.version - count)
            if floor > self.floor:
                self._database.execute("DELETE FROM log WHERE version <= ?", (floor,))
                self._database.execute("UPDATE facts SET value = ? WHERE name = 'floor'", (floor,))


def _range(namespace: str) -> tuple[str, str]:
    # "0" is the character after "/", and no path has a character as high as the last one.
    return (f"{namespace}/", f"{namespace}0") if namespace else ("", "\U0010ffff")


def _key(resource: str, path: str) -> Key:
    namespace, _, name = path.rpartition("/")
    return Key(resource, namespace, name)
