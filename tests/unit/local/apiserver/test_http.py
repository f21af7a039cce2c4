"""The API over HTTP: who may ask, what is answered in which form, and what is refused with which status."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from plane_process import Running, running, widget, widget_definition

WIDGETS = "/apis/example.dev/v1/namespaces/default/widgets"
CONFIGS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data") as made:
        answer = made.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widget_definition())
        assert answer.code == 201
        assert made.ask("POST", WIDGETS, widget("kept", note="hello")).code == 201
        yield made


def test_files_with_secrets_are_for_their_owner_alone(plane: Running) -> None:
    assert plane.folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in plane.folder.iterdir()}
    assert {"kubeconfig", "tls.key", "token", "plane.sqlite"} <= modes.keys()
    assert modes.pop("authority") == "700"
    assert set(modes.values()) == {"600"}


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_is_told_to_everybody(plane: Running, path: str) -> None:
    answer = plane.ask("GET", path, Authorization="")
    assert (answer.code, answer.body) == (200, "ok")


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic abc", "Bearer é"])
def test_nothing_else_is_told_without_the_token(plane: Running, token: str) -> None:
    answer = plane.ask("GET", "/api/v1/namespaces", Authorization=token.encode().decode("latin-1"))
    assert (answer.code, answer.body["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "headers", "code", "text"),
    [
        ("GET", f"{WIDGETS}/nobody", {}, 404, 'widgets.example.dev "nobody" not found'),
        ("GET", f"{WIDGETS}/kept/bogus", {}, 404, "not found"),
        ("GET", "/api/v1/namespaces/default/bogus", {}, 404, "could not find the requested resource"),
        ("DELETE", "/api/v1/namespaces", {}, 405, "does not allow this method"),
        ("GET", WIDGETS, {"Accept": "text/html"}, 406, "only the following media types are accepted"),
        ("POST", WIDGETS, {"Content_Type": "text/plain"}, 415, "application/json, application/yaml"),
        ("PATCH", f"{WIDGETS}/kept", {"Content_Type": "application/strategic-merge-patch+json"}, 415, "json-patch"),
        ("PATCH", f"{WIDGETS}/kept", {"Content_Type": "application/apply-patch+yaml"}, 422, "fieldManager: Required"),
        ("PATCH", f"{WIDGETS}/kept?force=true", {"Content_Type": MERGE}, 422, "force: Forbidden"),
        ("GET", f"{WIDGETS}?resourceVersion=abc", {}, 400, "invalid resource version"),
        ("GET", f"{WIDGETS}?resourceVersion=99999999", {}, 504, "Too large resource version"),
        ("GET", f"{WIDGETS}?continue=xx", {}, 400, "invalid continue token"),
        ("GET", f"{WIDGETS}?limit=x", {}, 400, "invalid syntax"),
        ("GET", f"{WIDGETS}?fieldSelector=spec.note%3Dx", {}, 400, "field label not supported: spec.note"),
        ("GET", f"{WIDGETS}?watch=1&sendInitialEvents=true", {}, 422, "requires setting resourceVersionMatch"),
        ("POST", f"{WIDGETS}?dryRun=Some", {}, 422, 'supported values: "All"'),
        ("POST", f"{WIDGETS}?fieldValidation=Zap", {}, 422, "fieldValidation: Unsupported value"),
    ],
)
def test_every_refusal_is_a_status_with_its_own_code(  # noqa: PLR0913, PLR0917  # the columns of the table above
    plane: Running, method: str, path: str, headers: dict[str, str], code: int, text: str
) -> None:
    answer = plane.ask(method, path, {} if method in ("POST", "PATCH") else None, **headers)
    assert (answer.code, answer.body["kind"], answer.body["code"]) == (code, "Status", code)
    assert text in answer.body["message"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"{", "unexpected end of JSON input"),
        (b"[]", "cannot unmarshal array"),
        (b"", "unexpected end of JSON input"),
        (b'{"metadata":{}}', "Object 'Kind' is missing"),
        (b'{"kind":"Widget","apiVersion":"example.dev/v2"}', "does not match the expected API version"),
        (b'{"kind":"Widget","apiVersion":"example.dev/v1","metadata":3}', "cannot unmarshal number"),
        (
            b'{"kind":"Widget","apiVersion":"example.dev/v1","metadata":{"namespace":"x"}}',
            "does not match the namespace",
        ),
    ],
)
def test_a_body_that_is_no_object_of_the_kind_is_a_bad_request(plane: Running, sent: bytes, text: str) -> None:
    answer = plane.ask("POST", WIDGETS, sent)
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert text in answer.body["message"]


def test_a_patch_that_is_no_patch_is_a_bad_request_and_a_failed_test_is_not(plane: Running) -> None:
    json_patch = "application/json-patch+json"
    assert plane.ask("PATCH", f"{WIDGETS}/kept", [], Content_Type=MERGE).code == 400
    assert plane.ask("PATCH", f"{WIDGETS}/kept", {}, Content_Type=json_patch).code == 400
    failed = [{"op": "test", "path": "/metadata/resourceVersion", "value": "0"}]
    assert plane.ask("PATCH", f"{WIDGETS}/kept", failed, Content_Type=json_patch).code == 422


def test_unknown_fields_are_refused_warned_of_or_dropped(plane: Running) -> None:
    sent = widget("other", bogus=1)
    strict = plane.ask("POST", f"{WIDGETS}?dryRun=All&fieldValidation=Strict", sent)
    assert strict.code == 400
    assert strict.body["message"].endswith('strict decoding error: unknown field "spec.bogus"')
    assert plane.ask("POST", f"{WIDGETS}?dryRun=All", sent).warnings == ['299 - "unknown field \\"spec.bogus\\""']
    ignored = plane.ask("POST", f"{WIDGETS}?dryRun=All&fieldValidation=Ignore", sent)
    assert (ignored.code, ignored.warnings, "bogus" in ignored.body["spec"]) == (201, [], False)


def test_a_core_kind_may_be_sent_without_saying_what_it_is(plane: Running) -> None:
    made = plane.ask("POST", CONFIGS, {"metadata": {"name": "plain"}, "data": {"a": "b"}})
    assert (made.code, made.body["kind"]) == (201, "ConfigMap")
    changed = plane.ask("PUT", f"{CONFIGS}/plain", {"metadata": {"name": "plain"}, "data": {"a": "c"}})
    assert (changed.code, changed.body["data"]) == (200, {"a": "c"})
    assert plane.ask("POST", CONFIGS, {"metadata": {"name": "bad"}, "data": {"a": 1}}).code == 400


def test_a_secret_is_quoted_nowhere(plane: Running) -> None:
    secrets = "/api/v1/namespaces/default/secrets"
    answer = plane.ask("POST", secrets, {"metadata": {"name": "s"}, "data": {"a": "hunter2!"}})
    assert answer.code == 400
    assert "hunter2" not in str(answer.body)


def test_yaml_is_read_and_written(plane: Running) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {when: '2026-01-01'}\n"
    assert plane.ask("POST", CONFIGS, text, Content_Type="application/yaml").code == 201
    shown = plane.ask("GET", f"{CONFIGS}/yaml", Accept="application/yaml")
    assert "when: '2026-01-01'" in shown.body


def test_a_table_shows_what_the_definition_says(plane: Running) -> None:
    table = plane.ask("GET", f"{WIDGETS}/kept", Accept=TABLE).body
    assert [column["name"] for column in table["columnDefinitions"]] == [
        *("Name", "Color", "Replicas", "Ready", "Note", "Age")
    ]
    assert table["rows"][0]["cells"][:5] == ["kept", "red", 1, None, "hello"]


def test_the_legacy_discovery_names_status_and_scale(plane: Running) -> None:
    found = plane.ask("GET", "/apis/example.dev/v1").body["resources"]
    assert [one["name"] for one in found] == ["widgets", "widgets/status", "widgets/scale"]
    assert plane.ask("GET", "/version/").code == 200


def test_the_same_address_and_token_serve_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "data") as first:
        assert first.ask("POST", CONFIGS, {"metadata": {"name": "kept"}}).code == 201
        assert first.end() == 0
    with running(tmp_path / "data") as second:
        assert (second.server, second.token) == (first.server, first.token)
        assert second.ask("GET", f"{CONFIGS}/kept").code == 200
        told = Path(second.folder / "plane.sqlite")
        assert told.exists()


def test_a_version_that_is_deprecated_says_so_and_the_next_one_does_not(plane: Running) -> None:
    path = "/apis/apiextensions.crossplane.io/{}/compositeresourcedefinitions"
    (told,) = plane.ask("GET", path.format("v1")).warnings
    assert told.startswith('299 - "CompositeResourceDefinition v1 is deprecated')
    assert plane.ask("GET", path.format("v2")).warnings == []


def test_reviews_are_discovered_and_never_listed(plane: Running) -> None:
    group = "/apis/authorization.k8s.io/v1"
    assert "selfsubjectaccessreviews" in [one["name"] for one in plane.ask("GET", group).body["resources"]]
    assert plane.ask("GET", f"{group}/selfsubjectaccessreviews").code == 405
    assert {"/apis/authorization.k8s.io", group} <= {*plane.ask("GET", "/").body["paths"]}


@pytest.mark.parametrize(("over", "code"), [(0, 201), (1, 422)])
def test_the_data_of_an_object_is_a_megabyte_at_most(plane: Running, over: int, code: int) -> None:
    sent = {"metadata": {"name": f"large-{over}"}, "data": {"a": "é" * 5, "b": "a" * (1024 * 1024 - 10 + over)}}
    assert plane.ask("POST", CONFIGS, sent).code == code
    encoded = base64.b64encode(b"a" * (1024 * 1024 + over)).decode()
    sent = {"metadata": {"name": f"large-{over}"}, "data": {"a": encoded}}
    assert plane.ask("POST", "/api/v1/namespaces/default/secrets", sent).code == code
