"""A watch over a WebSocket: as over HTTP, and as the real server does it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from groundplane.local.apiserver.http import application, streaming
from groundplane.local.apiserver.registry.api import Api
from plane_process import Running, open_api, running

CONFIGS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
ORIGIN = "https://localhost"
LETTING_GO_SECONDS = 0.05  # the loop closes a connection a little after we do
INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data") as made:
        yield made


def make(plane: Running, name: str, **labels: str) -> int:
    made = plane.ask("POST", CONFIGS, {"metadata": {"name": name, "labels": labels}})
    assert made.code == 201, made.body
    return int(made.body["metadata"]["resourceVersion"])


@contextlib.asynccontextmanager
async def opened(plane: Running, query: str, **more: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {plane.token}", **more.pop("headers", {})}
    path = more.pop("path", CONFIGS)
    async with aiohttp.ClientSession() as session:
        address = f"{plane.server}{path}?watch=true&{query or 'timeoutSeconds=20'}"
        asked = {"origin": ORIGIN, "ssl": plane.context, "headers": headers, **more}
        async with session.ws_connect(address, **asked) as made:
            yield made
    await asyncio.sleep(LETTING_GO_SECONDS)


def watched(plane: Running, query: str, count: int = -1) -> tuple[list[tuple[str, Any]], int | None]:
    """Return the first *count* events, or all, and with which code the server closed."""

    async def seen() -> tuple[list[tuple[str, Any]], int | None]:
        found: list[tuple[str, Any]] = []
        async with opened(plane, query) as made:
            while len(found) != count:
                message = await made.receive(timeout=10)
                if message.type != WSMsgType.TEXT:
                    return found, made.close_code
                event = message.json()
                found.append((event["type"], event["object"]))
        return found, None

    return asyncio.run(seen())


def names(events: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(kind, found["metadata"].get("name", "")) for kind, found in events]


def test_every_change_is_one_message_and_selectors_narrow_it(plane: Running) -> None:
    version = make(plane, "seen", test="socket")
    make(plane, "unseen")
    plane.ask("PATCH", f"{CONFIGS}/seen", {"data": {"a": "b"}}, Content_Type=MERGE)
    plane.ask("DELETE", f"{CONFIGS}/seen")
    selected = "fieldSelector=metadata.name%3Dseen&labelSelector=test%3Dsocket"
    events, _ = watched(plane, f"resourceVersion={version}&{selected}", 2)
    assert names(events) == [("MODIFIED", "seen"), ("DELETED", "seen")]
    assert events[0][1]["data"] == {"a": "b"}


def test_what_there_is_comes_first_and_a_bookmark_ends_it(plane: Running) -> None:
    make(plane, "there", test="initial")
    events, _ = watched(plane, f"labelSelector=test%3Dinitial&{INITIAL}", 2)
    assert names(events) == [("ADDED", "there"), ("BOOKMARK", "")]
    assert events[1][1]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_table_comes_over_a_socket_too(plane: Running) -> None:
    make(plane, "row", test="table")

    async def first() -> Any:
        headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        async with opened(plane, "labelSelector=test%3Dtable", headers=headers) as made:
            return (await made.receive(timeout=10)).json()

    assert asyncio.run(first())["object"]["rows"][0]["cells"][0] == "row"


def test_the_server_closes_in_order_when_the_time_is_over(plane: Running) -> None:
    assert watched(plane, f"resourceVersion={make(plane, 'timed')}&timeoutSeconds=1") == ([], 1000)


def test_whoever_comes_back_too_late_is_told_so_and_the_socket_closes(tmp_path: Path) -> None:
    async def scenario(api: Api, port: int) -> None:
        for number in range(3):
            api.create(api.request("v1", "ConfigMap", "default"), {"metadata": {"name": f"old-{number}"}})
        api.store.prune(0, 0)
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as session:
            address = f"http://127.0.0.1:{port}{CONFIGS}?watch=1&resourceVersion=1"
            async with session.ws_connect(address, origin=ORIGIN) as made:
                event = (await made.receive(timeout=10)).json()
                assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
                assert ((await made.receive(timeout=10)).type, made.close_code) == (WSMsgType.CLOSE, 1000)

    on_a_plane(tmp_path, scenario)


def refused(plane: Running, query: str = "", **more: Any) -> int:
    async def asked() -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with opened(plane, query, **more):
                pass
        return caught.value.status

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("code", "query", "more"),
    [
        (401, "", {"headers": {"Authorization": "Bearer wrong"}}),
        (404, "", {"path": "/api/v1/namespaces/default/bogus"}),
        (400, "fieldSelector=spec.x%3Dy", {}),
        (400, "timeoutSeconds=soon", {"path": f"{CONFIGS}/x"}),
        (422, "sendInitialEvents=true", {}),
        (403, "", {"origin": None}),  # the real server wants one, which every browser sends
        (400, "", {"protocols": ("one", "two")}),
        (403, "", {"headers": {"Impersonate-User": "system:anonymous"}}),
    ],
)
def test_what_is_refused_is_no_socket(plane: Running, code: int, query: str, more: dict[str, Any]) -> None:
    assert refused(plane, query, **more) == code


def test_the_one_protocol_that_is_asked_for_is_spoken(plane: Running) -> None:
    async def spoken() -> str | None:
        async with opened(plane, "", protocols=("any",)) as made:
            return made.protocol

    assert asyncio.run(spoken()) == "any"


def test_a_ping_is_answered_and_what_else_a_client_says_is_not_heard(plane: Running) -> None:
    version = make(plane, "pinged")

    async def ponged() -> tuple[WSMsgType, str]:
        async with opened(plane, f"resourceVersion={version}", autoping=False) as made:
            await made.send_str("hello")
            await made.ping(b"there")
            answer = await made.receive(timeout=10)
            assert answer.data == b"there"
            make(plane, "after-ping")
            event = await made.receive(timeout=10)
            return answer.type, event.json()["object"]["metadata"]["name"]

    assert asyncio.run(ponged()) == (WSMsgType.PONG, "after-ping")


def test_open_sockets_are_closed_when_the_plane_ends(tmp_path: Path) -> None:
    with running(tmp_path / "data") as plane:

        async def closed() -> tuple[WSMsgType, int | None, int]:
            async with opened(plane, f"resourceVersion={make(plane, 'last')}") as made:
                ended = asyncio.get_running_loop().run_in_executor(None, plane.end)
                message = await made.receive(timeout=10)
                return message.type, made.close_code, await ended

        assert asyncio.run(closed()) == (WSMsgType.CLOSE, 1000, 0)


@contextlib.asynccontextmanager
async def in_process(api: Api) -> AsyncIterator[int]:
    runner = web.AppRunner(application.application(api, "t", lambda: datetime.now(UTC)), handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    api.end()
    await runner.cleanup()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110  # nothing tells it
            await asyncio.sleep(0.02)


def on_a_plane(path: Path, scenario: Callable[[Api, int], Awaitable[None]]) -> None:
    async def play() -> None:
        api = open_api(path / "plane.sqlite")
        async with in_process(api) as port:
            await scenario(api, port)
        await asyncio.sleep(LETTING_GO_SECONDS)
        api.store.close()

    asyncio.run(play())


SOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Origin: http://localhost")


@pytest.mark.parametrize("more", [(), (*SOCKET, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")], ids=["body", "socket"])
def test_a_client_that_takes_nothing_is_cut_off(
    tmp_path: Path, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SLOW_SECONDS", 0.3)

    async def scenario(api: Api, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as slow:
            lines = (f"GET {CONFIGS}?watch=1 HTTP/1.1", "Host: localhost", "Authorization: Bearer t", *more, "", "")
            slow.sendall("\r\n".join(lines).encode())
            await until(lambda: api._at_end)  # it is watched
            for number in range(40):
                request = api.request("v1", "ConfigMap", "default")
                api.create(request, {"metadata": {"name": f"large-{number}"}, "data": {"a": "a" * 500_000}})
            await until(lambda: not api._at_end)

    on_a_plane(tmp_path, scenario)


def test_a_watch_ends_with_the_socket_of_its_client(tmp_path: Path) -> None:
    async def scenario(api: Api, port: int) -> None:
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as session:
            address = f"http://127.0.0.1:{port}{CONFIGS}?watch=1"
            async with session.ws_connect(address, origin=ORIGIN):
                await until(lambda: api._at_end)
            await until(lambda: not api._at_end)

    on_a_plane(tmp_path, scenario)
