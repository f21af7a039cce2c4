"""Watches: every change once and in order, also over restarts; and what clients of the real server rely on."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes.config
import kubernetes.watch
import pytest
from kubernetes.client import ApiException, CoreV1Api, V1ObjectMeta, V1Secret

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.local.apiserver.http.watch import Options, events
from groundplane.local.apiserver.storage.selectors import Selector
from groundplane.local.apiserver.storage.store import Store
from plane_process import Running, open_api, running

CONFIGS = "/api/v1/namespaces/default/configmaps"
INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data") as made:
        yield made


@pytest.fixture
def core(plane: Running) -> Iterator[CoreV1Api]:
    client: Any = kubernetes.config.new_client_from_config(str(plane.kubeconfig))
    yield CoreV1Api(client)
    client.rest_client.pool_manager.clear()


def watched(plane: Running, query: str) -> list[tuple[str, Any]]:
    body = plane.ask("GET", f"{CONFIGS}?watch=true&timeoutSeconds=1&{query}").body
    events = body if isinstance(body, list) else [body] if body else []
    return [(event["type"], event["object"]) for event in events]


def names(events: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(kind, found["metadata"].get("name", "")) for kind, found in events]


def make(plane: Running, name: str, **labels: str) -> int:
    made = plane.ask("POST", CONFIGS, {"metadata": {"name": name, "labels": labels}})
    assert made.code == 201, made.body
    return int(made.body["metadata"]["resourceVersion"])


def label(plane: Running, name: str, **labels: str | None) -> int:
    change = {"metadata": {"labels": labels}}
    made = plane.ask("PATCH", f"{CONFIGS}/{name}", change, Content_Type="application/merge-patch+json")
    return int(made.body["metadata"]["resourceVersion"])


def test_a_watch_without_a_version_begins_with_what_there_is(plane: Running) -> None:
    make(plane, "first", test="begin")
    assert names(watched(plane, "labelSelector=test%3Dbegin")) == [("ADDED", "first")]
    assert names(watched(plane, "labelSelector=test%3Dbegin&resourceVersion=0")) == [("ADDED", "first")]


def test_the_end_of_the_beginning_is_marked_when_asked_for(plane: Running) -> None:
    make(plane, "marked", test="mark")
    events = watched(plane, f"labelSelector=test%3Dmark&{INITIAL}")
    assert names(events)[:2] == [("ADDED", "marked"), ("BOOKMARK", "")]
    assert events[1][1]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_an_object_comes_and_goes_with_the_selector(plane: Running) -> None:
    version = make(plane, "fickle")
    label(plane, "fickle", test="in")
    label(plane, "fickle", test="in", more="x")
    gone = label(plane, "fickle", test="out")
    plane.ask("DELETE", f"{CONFIGS}/fickle")
    events = watched(plane, f"labelSelector=test%3Din&resourceVersion={version}")
    assert [kind for kind, _ in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[2][1]["metadata"]["resourceVersion"] == str(gone)
    assert events[2][1]["metadata"]["labels"] == {"test": "in", "more": "x"}


def test_a_deletion_has_a_version_of_its_own(plane: Running) -> None:
    version = make(plane, "brief")
    plane.ask("DELETE", f"{CONFIGS}/brief")
    ((kind, found),) = watched(plane, f"fieldSelector=metadata.name%3Dbrief&resourceVersion={version}")
    assert kind == "DELETED"
    assert int(found["metadata"]["resourceVersion"]) > version


def test_the_official_client_resumes_where_it_was(plane: Running, core: CoreV1Api) -> None:
    made = [make(plane, f"resumed{number}") for number in range(3)]
    stream: Any = kubernetes.watch.Watch()
    seen = [
        event["object"].metadata.name
        for event in stream.stream(
            core.list_namespaced_config_map, "default", resource_version=str(made[0]), timeout_seconds=1
        )
    ]
    assert seen == ["resumed1", "resumed2"]


def test_a_watch_sees_what_happens_meanwhile(plane: Running, core: CoreV1Api) -> None:
    version = make(plane, "earlier")
    late = threading.Timer(0.3, make, (plane, "later"))
    late.start()
    stream: Any = kubernetes.watch.Watch()
    seen = []
    for event in stream.stream(
        core.list_namespaced_config_map, "default", resource_version=str(version), timeout_seconds=3600
    ):
        seen.append(event["object"].metadata.name)
        stream.stop()  # the next one would come in an hour
    late.join()
    assert seen == ["later"]


def test_the_official_client_writes_and_reads(core: CoreV1Api) -> None:
    body = V1Secret(metadata=V1ObjectMeta(name="official"), string_data={"user": "me"})
    assert core.create_namespaced_secret("default", body).data == {"user": "bWU="}
    change = {"data": {"user": None, "other": "bWU="}}
    assert core.patch_namespaced_secret("official", "default", change).data == {"other": "bWU="}
    with pytest.raises(ApiException) as caught:
        core.create_namespaced_secret("default", body)
    assert caught.value.status == 409
    core.delete_collection_namespaced_secret("default")
    assert core.list_namespaced_secret("default").items == []


def test_no_change_is_lost_or_told_twice_when_the_plane_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    seen: list[int] = []
    written: list[int] = []
    position = 0
    for round_ in range(2):
        with running(folder) as plane:
            position = position or int(plane.ask("GET", CONFIGS).body["metadata"]["resourceVersion"])
            written += [make(plane, f"r{round_}-{number}") for number in range(20)]
            events = watched(plane, f"resourceVersion={position}")
            seen += [int(found["metadata"]["resourceVersion"]) for _, found in events]
            position = seen[-1]
            written += [label(plane, f"r{round_}-{number}", a="b") for number in range(5)]
            plane.end(9)
    with running(folder) as plane:
        seen += [
            int(found["metadata"]["resourceVersion"]) for _, found in watched(plane, f"resourceVersion={position}")
        ]
    assert seen == written


def test_more_changes_than_one_reading_takes_are_all_told(tmp_path: Path) -> None:
    api = open_api(tmp_path / "s")
    resource = api.catalogue.find("", "v1", "configmaps")
    assert resource
    start = api.store.version
    for number in range(250):
        api.create(api.request("v1", "ConfigMap", "default"), {"metadata": {"name": f"n{number}"}})

    async def told() -> list[str]:
        asked = Options(version=start, seconds=0.2)
        return [one.object["metadata"]["name"] async for one in events(api, resource, "", Selector(), asked)]

    assert asyncio.run(told()) == [f"n{number}" for number in range(250)]
    api.store.close()


def test_a_plane_with_open_watches_ends_in_time(tmp_path: Path) -> None:
    with running(tmp_path / "data") as own:
        waiting = threading.Thread(target=own.ask, args=("GET", f"{CONFIGS}?watch=true&timeoutSeconds=3600"))
        waiting.start()
        time.sleep(0.3)
        assert own.end() == 0  # which waits far less than the watch would
        waiting.join(PATIENCE_SECONDS)
        assert not waiting.is_alive()


def test_a_version_that_is_forgotten_is_expired(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder) as plane:
        version = make(plane, "old")
        label(plane, "old", a="b")
        plane.end()
    store = Store(folder / "plane.sqlite", time.time)
    store.prune(seconds=-1, count=0)
    store.close()
    with running(folder) as plane:
        ((kind, status),) = watched(plane, f"resourceVersion={version}")
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert names(watched(plane, ""))[0] == ("ADDED", "old")
