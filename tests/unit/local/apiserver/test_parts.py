"""The small parts of the plane: selectors, paths, ages, protobuf, routes, tokens of lists."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes import jsonpath
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.http import negotiation, tables
from groundplane.local.apiserver.http.routes import Route, route
from groundplane.local.apiserver.kinds.builtin import BUILTIN
from groundplane.local.apiserver.kinds.catalogue import Catalogue
from groundplane.local.apiserver.protobuf import codec
from groundplane.local.apiserver.storage.selectors import Selector

OBJECT: Manifest = {
    "metadata": {"name": "a", "namespace": "n", "labels": {"app": "shop", "size": "3"}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}]},
    "spec": {"list": [1, 2], "a.b": {"c/d": "x"}, "flag": True},
}


@pytest.mark.parametrize(
    ("labels", "selected"),
    [
        ("", True),
        ("app", True),
        ("!app", False),
        ("!other", True),
        ("app=shop", True),
        ("app==shop,size=3", True),
        ("app!=shop", False),
        ("other!=x", True),
        ("app in (x, shop)", True),
        ("app notin (x,shop)", False),
        ("other notin (x)", True),
        ("size>2", True),
        ("size<3", False),
        ("app=", False),
    ],
)
def test_a_label_selector_selects(labels: str, *, selected: bool) -> None:
    assert Selector.of(labels, "").selects(OBJECT) == selected


@pytest.mark.parametrize("labels", ["a===", "a in", "a in (", "a in (b", ",", "a,", "=a", "a b"])
def test_a_label_selector_that_cannot_be_read_is_a_bad_request(labels: str) -> None:
    with pytest.raises(StatusError) as caught:
        Selector.of(labels, "")
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("fields", "selected"),
    [("metadata.name=a", True), ("metadata.namespace!=n", False), ("metadata.name==a,spec.flag=true", True)],
)
def test_a_field_selector_selects(fields: str, *, selected: bool) -> None:
    assert Selector.of("", fields, ["spec.flag"]).selects(OBJECT) == selected


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".metadata.name", ["a"]),
        (".spec.list[1]", [2]),
        (".spec.list[-1]", [2]),
        (".spec.list[9]", []),
        (".spec.list[*]", [1, 2]),
        (".spec.a\\.b.c/d", ["x"]),
        (".spec['a.b']['c/d']", ["x"]),
        (".status.conditions[?(@.type=='Ready')].status", ["True"]),
        ('.status.conditions[?(@.type=="Synced")].status', ["False"]),
        (".status.conditions[?(@.type!='Ready')].type", ["Synced"]),
        (".nothing.at.all", []),
    ],
)
def test_a_path_finds_what_stands_there(path: str, found: list[JSON]) -> None:
    assert jsonpath.values(path, OBJECT) == found


def test_a_path_that_cannot_be_read_is_told() -> None:
    with pytest.raises(jsonpath.PathError):
        jsonpath.values("[?(", OBJECT)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (599, "9m59s"),
        (605, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (49 * 3600, "2d1h"),
        (9 * 86400, "9d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
        (-5, "<invalid>"),
    ],
)
def test_an_age_is_written_as_kubectl_does(seconds: int, text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert tables.age((now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"), now) == text


def test_an_age_of_nothing_is_unknown() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert [tables.age(None, now), tables.age("soon", now)] == ["<unknown>", "<invalid>"]


def part(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def envelope(kind: str, raw: bytes) -> bytes:
    return b"k8s\0" + part(1, part(1, b"v1") + part(2, kind.encode())) + part(2, raw)


def test_a_secret_is_read_from_protobuf() -> None:
    entry = part(1, b"key") + part(2, b"\xff\x00")
    raw = part(1, part(1, b"name") + part(3, b"")) + part(2, entry) + part(3, b"") + bytes([5 << 3, 1])
    assert codec.decoded(envelope("Secret", raw)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "name"},
        "data": {"key": "/wA="},
        "immutable": True,
    }


ENVELOPE = len(envelope("Secret", b"")) - 2  # cut here, it is an empty object, and whole
WHOLE = envelope("Secret", part(1, part(1, b"name")))


@pytest.mark.parametrize(
    "data", [b"", b"{}", envelope("Pod", b""), *(WHOLE[:end] for end in range(5, len(WHOLE)) if end != ENVELOPE)]
)
def test_damaged_protobuf_and_other_kinds_are_refused(data: bytes) -> None:
    with pytest.raises(codec.FormatError):
        codec.decoded(data)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/v1/namespaces", Route("", "v1", "namespaces")),
        ("/api/v1/namespaces/a", Route("", "v1", "namespaces", "", "a")),
        ("/api/v1/namespaces/a/status", Route("", "v1", "namespaces", "", "a", "status")),
        ("/api/v1/namespaces/a/secrets", Route("", "v1", "secrets", "a")),
        ("/api/v1/namespaces/a/secrets/b", Route("", "v1", "secrets", "a", "b")),
        ("/api/v1/secrets", Route("", "v1", "secrets")),
        ("/apis/g/v1/namespaces/a/things/b/scale", Route("g", "v1", "things", "a", "b", "scale")),
        ("/apis/g/v1", Route("g", "v1")),
        ("/apis/g", Route("g")),
        ("/apis", None),
        ("/other", None),
    ],
)
def test_a_path_leads_to_a_resource(path: str, found: Route | None) -> None:
    assert route(path) == found


@pytest.mark.parametrize(
    ("accept", "shape"),
    [
        ("", ""),
        ("*/*", ""),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Table"),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", ""),
        ("application/vnd.kubernetes.protobuf,application/json", ""),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "PartialObjectMetadata"),
    ],
)
def test_the_first_form_that_is_spoken_is_taken(accept: str, shape: str) -> None:
    assert negotiation.form(accept, ("Table", "PartialObjectMetadata")).shape == shape


def test_yaml_keeps_times_as_texts_and_names_as_texts() -> None:
    assert negotiation.from_yaml("a: 2026-01-01\non: yes") == {"a": "2026-01-01", "true": True}


@pytest.mark.parametrize("read", [negotiation.from_json, negotiation.from_yaml])
def test_what_cannot_be_read_is_a_bad_request(read: Callable[[str], JSON]) -> None:
    with pytest.raises(StatusError) as caught:
        read("{")
    assert caught.value.code == 400


def test_the_preferred_version_of_a_group_comes_first() -> None:
    versions = [*Catalogue([]).groups()["apiextensions.crossplane.io"]]
    assert versions == ["v2", "v1", "v1beta1"]


def test_every_built_in_kind_has_a_schema_that_describes_it() -> None:
    for resource in BUILTIN:
        assert resource.schema.root.raw["description"]
        assert resource.namespaced == resource.schema.namespaced
