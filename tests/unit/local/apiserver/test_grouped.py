"""Writes that wait for the disk together: each is kept or not by itself, and nobody hears of one that is not kept."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.storage.records import Key
from groundplane.local.apiserver.storage.store import Store

LARGE = "x" * 200_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "plane.sqlite", lambda: 100.0)
    yield made
    made.close()


def key(name: str) -> Key:
    return Key("things", "", name)


def put(store: Store, name: str, **fields: object) -> Manifest:
    return store.put(key(name), {"metadata": {"name": name, "uid": name}, **fields})


def refused(store: Store, name: str) -> None:
    """Write something that is refused in the middle of it."""
    with store.together():
        put(store, name)
        raise StatusError(409, "Conflict", "made up", {})


def full(store: Store) -> Callable[[], object]:
    """Let the disk be full, and return what makes room."""
    (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count = {pages + 5}")
    return lambda: store._database.execute(f"PRAGMA max_page_count = {pages + 10_000}")


def names(store: Store) -> list[str]:
    return [one["metadata"]["name"] for one in store.objects("things")]


def test_a_group_is_on_the_disk_before_anybody_hears_of_it(store: Store) -> None:
    heard: list[tuple[str, bool]] = []
    store.listen(lambda change: heard.append((change.key.name, store._database.in_transaction)))
    with store.grouped():
        put(store, "a")
        put(store, "b")
        assert names(store) == ["a", "b"]
        assert not heard
    assert heard == [("a", False), ("b", False)]


def test_a_write_that_is_refused_takes_no_other_of_its_group_along(store: Store) -> None:
    heard: list[str] = []
    store.listen(lambda change: heard.append(change.key.name))
    with store.grouped():
        put(store, "a")
        with pytest.raises(StatusError):
            refused(store, "b")
        put(store, "c")
    assert names(store) == heard == ["a", "c"]


def test_an_error_ends_a_group_and_undoes_nothing(store: Store) -> None:
    heard: list[str] = []
    store.listen(lambda change: heard.append(change.key.name))

    def broken() -> None:
        with store.grouped():
            put(store, "a")
            refused(store, "b")

    with pytest.raises(StatusError):
        broken()
    assert names(store) == heard == ["a"]
    put(store, "c")
    assert names(store) == heard == ["a", "c"]


def test_a_group_that_finds_the_disk_full_tells_of_nothing_that_is_not_kept(store: Store) -> None:
    heard: list[str] = []
    store.listen(lambda change: heard.append(change.key.name))
    make_room = full(store)

    def grouped() -> None:
        with store.grouped():
            put(store, "a")
            with pytest.raises(StatusError, match="make room"):
                put(store, "large", text=LARGE)

    with contextlib.suppress(StatusError):  # whether all of it goes is SQLite's choice
        grouped()
    assert names(store) == heard
    make_room()
    put(store, "later")
    assert names(store) == heard
    assert heard[-1] == "later"


def test_nothing_follows_in_a_group_that_the_database_has_undone(store: Store) -> None:
    heard: list[str] = []
    store.listen(lambda change: heard.append(change.key.name))

    def grouped() -> None:
        with store.grouped():
            put(store, "a")
            store._database.execute("ROLLBACK")  # as SQLite does by itself
            with pytest.raises(StatusError, match="could not be kept"):
                put(store, "b")

    with pytest.raises(StatusError, match="make room"):
        grouped()
    assert not names(store)
    assert not heard
