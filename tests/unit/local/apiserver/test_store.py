"""The store: private, exclusive, durable, and a history that can be resumed."""

import random
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.storage.records import Key
from groundplane.local.apiserver.storage.store import Store, StoreError

WRITER = """
import itertools, sys
from pathlib import Path
from groundplane.local.apiserver.storage.store import Key, Store
store = Store(Path(sys.argv[1]), lambda: 0.0)
first = store.version
for number in itertools.count(first + 1):
    name = f"n{number % 7}"
    stored = store.put(Key("things", "", name), {"metadata": {"name": name, "uid": name}, "number": number})
    print(stored["metadata"]["resourceVersion"], name, number, flush=True)
"""


def thing(name: str, **fields: object) -> Manifest:
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, **fields}


def key(name: str, namespace: str = "default") -> Key:
    return Key("things", namespace, name)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "plane.sqlite", lambda: 100.0)
    yield made
    made.close()


def test_what_is_put_is_got_with_its_version(store: Store) -> None:
    stored = store.put(key("a"), thing("a", spec=1))
    assert stored == store.get(key("a"))
    assert stored["metadata"]["resourceVersion"] == str(store.version)


def test_an_object_belongs_to_whoever_got_it(store: Store) -> None:
    store.put(key("a"), thing("a", spec={"x": 1}))["spec"]["x"] = 2
    assert (store.get(key("a")) or {})["spec"] == {"x": 1}


def test_objects_are_listed_in_order_and_by_namespace(store: Store) -> None:
    for namespace, name in (("b", "1"), ("a", "2"), ("a-b", "3"), ("a", "1")):
        store.put(key(name, namespace), {"metadata": {"name": name, "namespace": namespace, "uid": name + namespace}})
    assert [one["metadata"]["name"] for one in store.objects("things", "a")] == ["1", "2"]
    assert [one["metadata"]["namespace"] for one in store.objects("things")] == ["a-b", "a", "a", "b"]
    assert store.count("things", after="a/1") == 2


def test_the_log_tells_each_change_with_what_was_before(store: Store) -> None:
    store.put(key("a"), thing("a", spec=1))
    store.put(key("a"), thing("a", spec=2))
    last = store.remove(key("a"), thing("a", spec=2))
    changes = store.since(0, "things")
    assert [change.type for change in changes] == ["ADDED", "MODIFIED", "DELETED"]
    assert (changes[1].before() or {})["spec"] == 1
    assert last["metadata"]["resourceVersion"] == str(changes[2].version)
    assert store.since(changes[0].version, "things") == changes[1:]
    assert store.since(0, "others") == []


def test_changes_made_together_are_kept_or_lost_together(store: Store) -> None:
    heard: list[str] = []
    store.listen(lambda change: heard.append(change.key.name))

    def break_off() -> None:
        with store.together():
            store.put(key("a"), thing("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert store.get(key("a")) is None
    assert heard == []
    with store.together():
        store.put(key("a"), thing("a"))
        assert heard == []
        store.put(key("b"), thing("b"))
    assert heard == ["a", "b"]


def test_what_does_not_fit_on_the_disk_is_refused_and_what_fits_later_is_kept(store: Store) -> None:
    told: list[str] = []
    store.put(key("a"), thing("a"))
    store.listen(lambda change: told.append(change.key.name))
    (pages,) = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StatusError, match="the plane's store cannot be written"):
        store.put(key("b"), thing("b", much="x" * 100_000))
    assert (store.get(key("b")), told, store.version) == (None, [], 1)
    store._database.execute(f"PRAGMA max_page_count = {pages + 100}")
    store.put(key("d"), thing("d", much="x" * 100_000))
    assert ([one["metadata"]["name"] for one in store.objects("things")], told) == (["a", "d"], ["d"])


def test_versions_never_come_again_after_pruning(store: Store) -> None:
    for number in range(5):
        store.put(key("a"), thing("a", spec=number))
    store.prune(seconds=1000, count=2)
    assert store.floor == 3
    assert [change.version for change in store.since(0, "things")] == [4, 5]
    store.prune(seconds=-1, count=10)
    assert store.since(0, "things") == []
    assert store.put(key("a"), thing("a"))["metadata"]["resourceVersion"] == "6"


def test_dependents_are_found_by_their_owners_uid(store: Store) -> None:
    owner = {"apiVersion": "v1", "kind": "X", "name": "a", "uid": "owner"}
    store.put(key("a"), {"metadata": {"name": "a", "uid": "1", "ownerReferences": [owner]}})
    assert [found.name for found, _ in store.dependents("owner")] == ["a"]
    store.put(key("a"), {"metadata": {"name": "a", "uid": "1"}})
    assert store.dependents("owner") == []


def test_nobody_else_can_read_the_files_though_the_umask_would_allow_it(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; os.umask(0)\n"
        "from groundplane.local.apiserver.storage.store import Key, Store\n"
        "store = Store(Path(sys.argv[1]), lambda: 0.0)\n"
        "store.put(Key('x', '', 'a'), {'metadata': {'name': 'a', 'uid': 'u'}})\n"
        "print(*(f'{p.name}={p.stat().st_mode & 0o777:o}' for p in sorted(Path(sys.argv[1]).parent.iterdir())))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "s"], check=True, capture_output=True, text=True)
    modes = dict(word.split("=") for word in done.stdout.split())
    assert {"s", "s-wal"} <= modes.keys()
    assert set(modes.values()) == {"600"}


def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "s").touch(mode=0o644)
    Store(tmp_path / "s", lambda: 0.0).close()
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


def test_what_is_acknowledged_is_on_the_disk_and_not_only_with_the_system(store: Store) -> None:
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_only_one_process_holds_a_store(store: Store, tmp_path: Path) -> None:
    del store
    with pytest.raises(StoreError, match="another process holds it"):
        Store(tmp_path / "plane.sqlite", lambda: 0.0)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    made = Store(path, lambda: 0.0)
    for number in range(200):
        made.put(key(f"n{number}"), thing(f"n{number}", text="x" * 500))
    made.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 16384)
    with pytest.raises(StoreError, match="damaged"):
        Store(path, lambda: 0.0)


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "s", lambda: 0.0).close()
    with sqlite3.connect(tmp_path / "s") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="later version"):
        Store(tmp_path / "s", lambda: 0.0)


def test_every_acknowledged_write_survives_a_kill(tmp_path: Path) -> None:
    moments = random.Random(7)  # noqa: S311  # the same moments in every run
    path = tmp_path / "s"
    acknowledged: dict[str, tuple[int, int]] = {}
    told: list[int] = []
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            lines = [writer.stdout.readline() for _ in range(moments.randrange(20, 200))]
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.readlines()
        for version, name, number in (line.split() for line in lines if line.endswith("\n")):
            acknowledged[name] = int(version), int(number)
            told.append(int(version))
    assert told == sorted(set(told))
    store = Store(path, lambda: 0.0)
    versions = [change.version for change in store.since(0, "things", limit=100_000)]
    assert versions == [*range(1, store.version + 1)]
    assert set(told) <= set(versions)
    for name, last in acknowledged.items():
        found = store.get(Key("things", "", name)) or {}
        assert (int(found["metadata"]["resourceVersion"]), found["number"]) >= last
    store.close()
