"""Goldens: what every example becomes, byte for byte, so that a change of it is seen in review."""

import base64
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import yaml

import catalogue
import golden
from groundplane.crossplane.conditions import TRANSITION_TIME
from groundplane.crossplane.function_client import MADE_PASSWORD
from groundplane.kubernetes.schema import Registry
from groundplane.render import installed
from groundplane.render.redact import HIDDEN, PUBLIC_KEYS
from upstream import builtin_registry, upstream_registry

UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
MADE_BY_NAME = "5"  # the version of a uid that follows from a name; an API server makes version 4

files = pytest.mark.parametrize(
    "path", [path for path in sorted(catalogue.GOLDEN.rglob("*")) if path.is_file()], ids=lambda path: path.name
)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(catalogue.ROOT)


@pytest.mark.parametrize("one", catalogue.goldens(), ids=str)
def test_every_example_renders_to_its_golden_byte_for_byte(one: catalogue.Golden) -> None:
    path, text = golden.printed(one)
    assert path.is_file(), f"{path} is missing: run `make golden` and review what it wrote"
    assert path.read_bytes() == text.encode(), f"{path} is not current: run `make golden` and review the difference"


@pytest.mark.parametrize("one", catalogue.goldens(), ids=str)
def test_rendering_twice_gives_the_same_bytes(one: catalogue.Golden) -> None:
    assert golden.printed(one) == golden.printed(one)


def test_no_golden_is_left_without_its_example() -> None:
    wanted = {path for one in catalogue.goldens() for path in (one.rendered, one.refused)}
    there = {path for path in catalogue.GOLDEN.rglob("*") if path.is_file()}
    assert there - wanted == set()
    both = [one for one in catalogue.goldens() if one.rendered.exists() and one.refused.exists()]
    assert both == []


@files
def test_a_golden_holds_no_secret(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert MADE_PASSWORD not in text
    for document in yaml.safe_load_all(text) if path.suffix == ".yaml" else ():
        if document["kind"] == "Secret":
            assert "stringData" not in document
            shown = {key: base64.b64decode(value).decode() for key, value in document["data"].items()}
            assert {key for key, value in shown.items() if value != HIDDEN} <= PUBLIC_KEYS


@files
def test_a_golden_holds_no_uid_but_those_of_its_example(path: Path) -> None:
    found = {match[0] for match in UID.finditer(path.read_text(encoding="utf-8")) if match[1] != MADE_BY_NAME}
    assert found - {match[0] for match in UID.finditer(_examples())} == set()


@files
def test_a_golden_holds_no_time_but_those_of_its_example(path: Path) -> None:
    found = set(TIME.findall(path.read_text(encoding="utf-8")))
    assert found - set(TIME.findall(_examples())) <= {TRANSITION_TIME}
    assert datetime.fromisoformat(TRANSITION_TIME) < datetime(2026, 1, 1, tzinfo=UTC)


@cache
def _examples() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in catalogue.EXAMPLES.rglob("*.yaml"))


@pytest.mark.parametrize("path", sorted(catalogue.GOLDEN.rglob("*.yaml")), ids=lambda path: path.name)
def test_an_api_server_takes_every_object_of_a_golden(path: Path) -> None:
    registries = (Registry.of(installed.apis()), upstream_registry(), builtin_registry())
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        found = [known for one in registries if (known := one.find(document["apiVersion"], document["kind"]))]
        assert found, f"no schema for {document['kind']} of {document['apiVersion']}"
        assert found[0].validate(document) == ()
