"""The server of the page: what it shows to whom, and what it never shows."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from click.testing import CliRunner

from groundplane.cli.ui import _listening, ui
from groundplane.local.apiserver import authentication
from groundplane.local.apiserver.http import application
from groundplane.local.plane.home import Home
from groundplane.local.ui import server
from groundplane.local.ui.proxy import MOST_WATCHES
from page_server import Page, free_port, page_of

STATIC = Path(server.__file__).parent / "static"
CONFIGS = "/api/v1/namespaces/default/configmaps"
WORD = "hidden-from-everybody"


def config(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    with page_of(home, free_port()) as made:
        made.create(config("settings"))
        data = {"password": base64.b64encode(WORD.encode()).decode()}
        made.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept", "namespace": "default"}, "data": data}
        )
        yield made


def watching(*paths: str) -> str:
    return "/watch?" + "&".join(f"of={quote(path, safe='')}" for path in paths)


def test_the_page_itself_needs_no_token_and_allows_nothing_from_elsewhere(page: Page) -> None:
    for path in ["/", "/page.css", "/main.js", "/icon.svg"]:
        answer = page.ask(path, token="")
        assert answer.code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_answers_of_the_api_and_refusals_carry_the_same_headers(page: Page) -> None:
    for path in [CONFIGS, "/api/v1/secrets", "/nowhere", "/logs"]:
        assert server.HEADERS.items() <= page.ask(path).headers.items()


def test_every_file_names_only_files_that_are_served(page: Page) -> None:
    for file in STATIC.iterdir():
        text = file.read_text()
        for path in re.findall(r'(?:from |src=|href=)"(/[^"#]+)"', text):
            assert page.ask(path, token="").code == 200, f"{file.name}: {path}"
        assert not re.findall(r"(?:src=|href=|url\(|fetch\()[\"'`]?https?:", text), file.name


def test_no_file_of_the_page_is_longer_than_a_person_reads_or_makes_markup_of_text() -> None:
    for file in STATIC.iterdir():
        text = file.read_text()
        assert len(text.splitlines()) <= 300, file.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), file.name


def test_another_name_of_this_machine_is_refused(page: Page) -> None:
    for host in ["evil.example", f"evil.example:{page.port}", "127.0.0.1", f"127.0.0.1:{page.port + 1}", ""]:
        for path in ["/", CONFIGS, "/logs"]:
            answer = page.ask(path, host=host or "[")
            assert answer.code in (400, 403), host
            assert "settings" not in answer.text
    assert page.ask("/", host=f"localhost:{page.port}").code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_nothing_but_reading_is_forwarded(page: Page, method: str) -> None:
    assert page.ask(f"{CONFIGS}/settings", method).code in (405, 501)
    assert page.ask(f"{CONFIGS}/settings").code == 200


def test_the_token_of_the_browser_is_the_only_one(page: Page) -> None:
    assert page.ask(CONFIGS).json["kind"] == "ConfigMapList"
    for token in ["", "wrong", page.token + "x", "\xff"]:
        for path in [CONFIGS, "/logs?kind=task&namespace=a&name=b"]:
            answer = page.ask(path, token=token)
            assert answer.code == 401, (token, path)
            assert answer.json["kind"] == "Status"


def test_nothing_of_a_request_reaches_the_plane_but_token_and_wanted_type(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def user(request: web.Request) -> authentication.User:
        seen.extend(name.lower() for name in request.headers)
        return authentication.OWNER

    monkeypatch.setattr(application, "_user", user)
    assert page.ask(CONFIGS, Impersonate_User="somebody", Accept="application/json", Cookie="a=b").code == 200
    assert set(seen) == {"authorization", "accept", "host", "accept-encoding", "user-agent"}


SECRETS = [
    "/api/v1/secrets",
    "/api/v1/secrets?watch=1",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/secrets/kept",
    "/api/v1/namespaces/default/secrets/kept/",
    "/api/v1/namespaces/default//secrets/kept",
    "//api/v1/namespaces/default/secrets/kept",
    "/api/v1/namespaces/default/%73ecrets/kept",
    "/api/v1/namespaces/default/%2573ecrets/kept",
    "/api/v1/namespaces/default/%252573ecrets/kept",
    "/api/v1/namespaces/default%2Fsecrets/kept",
    "/api/v1/namespaces/default/configmaps/../secrets/kept",
    "/api/v1/namespaces/default/configmaps/%2e%2e/secrets/kept",
    "/api/v1/watch/namespaces/default/secrets",
    "/version/../api/v1/namespaces/default/secrets/kept",
    "/%61pi/v1/namespaces/default/secrets/kept",
    "/page.css/../api/v1/namespaces/default/secrets/kept",
    "/api/v1/namespaces/default/secrets;x/kept",
]


@pytest.mark.parametrize("path", SECRETS)
def test_no_secret_is_shown_however_it_is_asked_for(page: Page, path: str) -> None:
    seen = page.ask(path)
    joined = "&" if "?" in path else "?"
    watched = page.ask(watching(f"{path}{joined}watch=1"))
    for answer in (seen, watched):
        assert answer.code in (403, 404) or "404" in answer.text, path
        for word in (WORD, base64.b64encode(WORD.encode()).decode()):
            assert word not in answer.text


def test_a_refused_secret_says_what_to_do_instead(page: Page) -> None:
    answer = page.ask("/api/v1/namespaces/default/secrets/kept")
    assert (answer.code, answer.json["reason"]) == (403, "Forbidden")
    assert "groundplane binding" in answer.json["message"]


def test_only_the_api_is_forwarded(page: Page) -> None:
    for path in ["/metrics", "/../etc/passwd", "/static/index.html", "/command.py", "/__init__.py", "/api/../metrics"]:
        assert page.ask(path).code == 404, path
    for path in ["/healthz", f"{CONFIGS}/settings%2525"]:  # the plane has an answer to both
        assert page.ask(path).json["message"] == "there is no such page"
    assert page.ask("/version").json["major"] == "1"
    assert page.ask("/readyz").text == "ok"
    assert page.ask("/api/v1/nothing").code == 404


def test_a_watch_is_passed_on_while_it_lasts(page: Page) -> None:
    version = page.ask(CONFIGS).json["metadata"]["resourceVersion"]
    with page.open(f"{CONFIGS}?watch=1&resourceVersion={version}") as answer:
        page.create(config("later"))
        event = json.loads(answer.readline())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "later")


def test_many_watches_come_as_one_stream(page: Page) -> None:
    version = page.ask(CONFIGS).json["metadata"]["resourceVersion"]
    tail = f"?watch=1&resourceVersion={version}"
    with page.open(watching(f"/api/v1/namespaces{tail}", f"{CONFIGS}{tail}")) as answer:
        page.create(config("one-of-two"))
        first = json.loads(answer.readline())
        page.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
        second = json.loads(answer.readline())
    assert [(one["of"], one["event"]["object"]["metadata"]["name"]) for one in (first, second)] == [
        (1, "one-of-two"),
        (0, "other"),
    ]


def test_a_watch_that_is_refused_is_told_and_ends_the_stream(page: Page) -> None:
    good, bad = "/api/v1/namespaces?watch=1", "/api/v1/nothing?watch=1"
    lines = [json.loads(line) for line in page.ask(watching(good, f"{CONFIGS}?watch=1"), token="wrong").text.split()]
    assert {line["status"]["code"] for line in lines} == {401}
    told = [json.loads(line) for line in page.ask(watching(good, bad)).text.splitlines()]
    assert [one["of"] for one in told if one.get("status", {}).get("code") == 404] == [1]


def test_a_stream_takes_watches_only_and_not_too_many(page: Page) -> None:
    for path in ["/watch", watching(CONFIGS), watching("http://[/?watch=1"), watching("//evil.example/api?watch=1")]:
        assert page.ask(path).code in (400, 404), path
    assert page.ask(watching(*[f"{CONFIGS}?watch=1"] * (MOST_WATCHES + 1))).code == 400


def test_a_plane_that_went_away_is_told_and_found_again(tmp_path: Path) -> None:
    with page_of(tmp_path, free_port()) as page:
        with page.open(f"{CONFIGS}?watch=1") as answer:
            page.end_plane()
            assert answer.read() == b""
        gone = page.ask(CONFIGS)
        assert (gone.code, gone.json["reason"]) == (502, "PlaneUnreachable")
        assert json.loads(page.ask(watching(f"{CONFIGS}?watch=1")).text)["status"]["code"] == 502
        page.start_plane()
        assert page.ask(CONFIGS).code == 200


def test_the_command_says_when_no_plane_runs(tmp_path: Path) -> None:
    told = CliRunner().invoke(ui, ["--home", str(tmp_path)])
    assert told.exit_code == 3
    assert "groundplane up" in told.output


def test_the_port_of_last_time_is_taken_again_and_one_that_is_asked_for_is_never_another(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with _listening(home, 0) as first:
        port = first.getsockname()[1]
    with _listening(home, 0) as again:
        assert again.getsockname()[1] == port
        again.listen()
        with _listening(home, 0) as other:
            assert other.getsockname()[1] != port
        with pytest.raises(OSError, match="in use"):
            _listening(home, port)
