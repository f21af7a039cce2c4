"""A watch of the official client that is cut again and again, in the middle of a line too, misses and repeats nothing.

GROUNDPLANE_WATCH_CHANGES=10000 is the long form, GROUNDPLANE_WATCH_SEED chooses other cuts.
"""

import asyncio
import contextlib
import http.client
import json
import os
import random
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import kubernetes.config
import kubernetes.watch
import pytest
import urllib3
from kubernetes.client import ApiException, CoreV1Api

from groundplane.local.plane import watch
from groundplane.local.plane.selectors import Selector
from groundplane.local.plane.store import Store
from plane_process import Running, open_api, running

CHANGES = int(os.environ.get("GROUNDPLANE_WATCH_CHANGES", "300"))
SEED = int(os.environ.get("GROUNDPLANE_WATCH_SEED", "1"))
WRITERS = 3
MOST_BYTES = 24_000  # through one connection; the first of them are TLS's own
PATIENCE_SECONDS = 60 + CHANGES // 20
CONFIGS = "/api/v1/namespaces/default/configmaps"


@dataclass
class Cut:
    """A way to the plane that ends after a random number of bytes, wherever in an event that is."""

    port: int
    chance: random.Random
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    cuts: int = 0
    open: list[socket.socket] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            left = self.chance.randrange(MOST_BYTES)
            self.open += [client, server]
            self._start(_pass_on, client, server, None)
            self._start(self._until_cut, server, client, left)

    def _start(self, work: Callable[..., object], *words: object) -> None:
        self.threads.append(threading.Thread(target=work, args=words, daemon=True))
        self.threads[-1].start()

    def _until_cut(self, server: socket.socket, client: socket.socket, left: int) -> None:
        self.cuts += _pass_on(server, client, left)

    def end(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        for one in self.open:
            one.close()


def _pass_on(source: socket.socket, target: socket.socket, left: int | None) -> bool:
    """Pass bytes on until *source* ends, or *left* are passed; return whether it was the latter."""
    try:
        while left is None or left > 0:
            found = source.recv(4096 if left is None else min(4096, left))
            if not found:
                return False
            target.sendall(found)
            left = None if left is None else left - len(found)
    except OSError:
        return False
    finally:
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
    return True


@dataclass
class Writer:
    """Somebody who creates, changes and deletes objects of their own, and remembers in which order."""

    plane: Running
    number: int
    written: list[tuple[str, str, str]] = field(default_factory=list)  # type, name, value
    versions: set[int] = field(default_factory=set)

    def work(self, count: int) -> None:
        chance = random.Random(f"{SEED}-{self.number}")  # noqa: S311  # not for secrets
        where = urlsplit(self.plane.server).netloc
        connection = http.client.HTTPSConnection(where, context=self.plane.context, timeout=30)
        there: list[str] = []
        for step in range(count):
            name = chance.choice(there) if there and chance.random() < 0.7 else f"w{self.number}-{chance.randrange(20)}"
            value = f"{self.number}.{step}"
            kind, method, code = "ADDED", "POST", 201
            if name in there:
                gone = chance.random() < 0.3
                kind, method, code = ("DELETED", "DELETE", 200) if gone else ("MODIFIED", "PUT", 200)
            path = CONFIGS if method == "POST" else f"{CONFIGS}/{name}"
            body = None if method == "DELETE" else {"metadata": {"name": name}, "data": {"value": value}}
            found = self._ask(connection, method, path, body, code)
            if kind == "DELETED":
                there.remove(name)
                value = next(last for _, one, last in reversed(self.written) if one == name)
            else:
                self.versions.add(int(found["metadata"]["resourceVersion"]))
                there += [name] if kind == "ADDED" else []
            self.written.append((kind, name, value))
        connection.close()

    def _ask(self, connection: http.client.HTTPSConnection, method: str, path: str, body: Any, code: int) -> Any:
        headers = {"Authorization": f"Bearer {self.plane.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        with connection.getresponse() as response:
            content = response.read()
        assert response.status == code, content
        return json.loads(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a plane that has forgotten its first change."""
    made = tmp_path_factory.mktemp("plane") / "data"
    made.mkdir()
    api = open_api(made / "plane.sqlite")
    for name in ("old", "older"):
        api.create(api.request("v1", "ConfigMap", "default"), {"metadata": {"name": name}})
    api.store.close()
    store = Store(made / "plane.sqlite", time.time)
    store.prune(seconds=-1, count=0)
    store.close()
    return made


@pytest.fixture(scope="module")
def plane(folder: Path) -> Iterator[Running]:
    with running(folder) as made:
        yield made


@contextlib.contextmanager
def core_at(plane: Running, address: str) -> Iterator[CoreV1Api]:
    config = json.loads(plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = address  # in the file: the client reads it again for the token
    configured: Any = kubernetes.config
    client = configured.new_client_from_config_dict(config)
    client.configuration.retries = False
    yield CoreV1Api(client)
    client.rest_client.pool_manager.clear()


def followed(core: CoreV1Api, position: str, enough: Callable[[int], bool]) -> list[dict[str, Any]]:
    """Return the events after *position*, resumed after every cut, until there are enough."""
    seen: list[dict[str, Any]] = []
    end = time.monotonic() + PATIENCE_SECONDS
    while not enough(len(seen)):
        assert time.monotonic() < end, f"only {len(seen)} events came"
        stream: Any = kubernetes.watch.Watch()
        begin = {"resource_version": position, "timeout_seconds": 1}
        try:
            for event in stream.stream(core.list_namespaced_config_map, "default", **begin):
                seen.append({"type": event["type"], **event["raw_object"]})
                position = seen[-1]["metadata"]["resourceVersion"]
                if enough(len(seen)):
                    break
        except (urllib3.exceptions.HTTPError, OSError):
            continue  # a cut
    return seen


def test_a_watch_that_is_cut_and_resumed_tells_every_change_once_and_in_order(plane: Running) -> None:
    position = plane.ask("GET", CONFIGS).body["metadata"]["resourceVersion"]
    cut = Cut(urlsplit(plane.server).port or 0, random.Random(SEED))  # noqa: S311  # not for secrets
    threading.Thread(target=cut.serve, daemon=True).start()
    writers = [Writer(plane, number) for number in range(WRITERS)]
    with core_at(plane, cut.address) as core, ThreadPoolExecutor() as pool:
        work = [pool.submit(one.work, CHANGES // WRITERS) for one in writers]
        seen = followed(core, position, lambda count: count >= CHANGES // WRITERS * WRITERS)
        for one in work:
            one.result()
    # What would be told twice, or too late, may come after the last one that was awaited.
    with core_at(plane, plane.server) as core:
        seen += followed(core, seen[-1]["metadata"]["resourceVersion"], _once())
    cut.end()
    versions = [int(one["metadata"]["resourceVersion"]) for one in seen]
    assert versions == sorted(set(versions))
    assert {version for one in writers for version in one.versions} <= set(versions)
    of_writer: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for event in seen:
        name = event["metadata"]["name"]
        of_writer[name.partition("-")[0]].append((event["type"], name, event["data"]["value"]))
    assert of_writer == {f"w{one.number}": one.written for one in writers}
    assert cut.cuts >= CHANGES // 150, "the way was hardly ever cut"


def _once() -> Callable[[int], bool]:
    """Return what lets one watch run its time."""
    asked = iter([False])
    return lambda _: next(asked, True)


def test_the_official_client_is_told_that_a_version_is_too_old(plane: Running) -> None:
    stream: Any = kubernetes.watch.Watch()
    with core_at(plane, plane.server) as core, pytest.raises(ApiException) as caught:
        list(stream.stream(core.list_namespaced_config_map, "default", resource_version="1", timeout_seconds=2))
    assert (caught.value.status, str(caught.value.reason).split(":")[0]) == (410, "Expired")


def test_a_watch_from_too_old_a_version_is_one_error_event_with_a_whole_status(plane: Running) -> None:
    answer = plane.ask("GET", f"{CONFIGS}?watch=true&resourceVersion=1&timeoutSeconds=2")
    assert (answer.code, answer.body["type"]) == (200, "ERROR")
    status = answer.body["object"]
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")


def test_a_list_of_too_old_a_version_is_gone(plane: Running) -> None:
    answer = plane.ask("GET", f"{CONFIGS}?resourceVersion=1&resourceVersionMatch=Exact")
    assert (answer.code, answer.body["kind"], answer.body["reason"]) == (410, "Status", "Expired")


def test_bookmarks_carry_a_quiet_watch_past_changes_of_other_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BOOKMARK_SECONDS", 0.05)
    api = open_api(tmp_path / "s")
    secrets = api.catalogue.find("", "v1", "secrets")
    assert secrets
    start = api.store.version
    made = api.create(api.request("v1", "ConfigMap", "default"), {"metadata": {"name": "other"}}).manifest

    async def told(*, bookmarks: bool) -> list[watch.Event]:
        asked = watch.Options(version=start, bookmarks=bookmarks, seconds=0.2)
        return [one async for one in watch.events(api, secrets, "", Selector(), asked)]

    first = asyncio.run(told(bookmarks=True))[0]
    assert (first.type, first.object["kind"]) == ("BOOKMARK", "Secret")
    assert cast("str", first.object["metadata"]["resourceVersion"]) == made["metadata"]["resourceVersion"]
    assert asyncio.run(told(bookmarks=False)) == []
    api.store.close()
