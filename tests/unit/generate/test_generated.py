"""What is generated: current, structural, bounded, and what the contract says."""

from collections.abc import Iterator
from typing import Any

import pytest

import catalogue
import contract_table
import scenarios
from catalogue import Manifest
from groundplane import contracts
from groundplane.core.condition import Type
from groundplane.generate import doc_tables, files
from groundplane.kubernetes.schema import KindSchema, Registry, check_rules, check_schema
from groundplane.render import installed
from groundplane.render.admission import Admission

# What Crossplane copies from an XRD; it drops the rest at these three levels without a word.
COPIED = {
    "root": {"type", "description", "properties", "x-kubernetes-validations"},
    "spec": {"type", "description", "properties", "required", "oneOf", "x-kubernetes-validations"},
    "status": {"type", "description", "properties", "required", "oneOf", "x-kubernetes-validations"},
}
INJECTED = {"spec": {"crossplane"}, "status": {"conditions", "crossplane"}}  # Crossplane overwrites these
KEYWORDS = {
    *("type", "description", "properties", "required", "items", "additionalProperties", "enum", "default", "format"),
    *("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties"),
    *("x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
}

every_api = pytest.mark.parametrize("contract", contracts.names())


def definition(contract: str) -> Manifest:
    """Return the XRD of *contract* as it stands on disk."""
    return catalogue.one(catalogue.ROOT / "apis" / f"{contracts.load(contract).plural}.yaml")


def root(contract: str) -> Manifest:
    (version,) = definition(contract)["spec"]["versions"]
    found: Manifest = version["schema"]["openAPIV3Schema"]
    return found


def kind(contract: str) -> KindSchema:
    (found,) = Registry.of([definition(contract)])
    return found


def walk(node: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Yield every schema below *node* with its path: ``a.b``, ``list[]`` and ``map{}``."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}" if path else name)
    for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if word in node:
            yield from walk(node[word], f"{path}{mark}")


def test_every_generated_file_is_current() -> None:
    wanted = files.files() | doc_tables.in_pages(catalogue.ROOT)
    stale = [path for path, text in wanted.items() if (catalogue.ROOT / path).read_text(encoding="utf-8") != text]
    assert stale == [], "run `make generate`"


def test_no_generated_file_is_left_of_a_contract_that_is_gone() -> None:
    folders = ("apis", "compositions", "package")
    there = {path for folder in folders for path in (catalogue.ROOT / folder).rglob("*.yaml")}
    marked = {path for path in there if path.read_text(encoding="utf-8").startswith(files.HEADER)}
    assert {str(path.relative_to(catalogue.ROOT)) for path in marked} <= files.files().keys()


@every_api
def test_an_api_says_nothing_that_a_structural_schema_cannot(contract: str) -> None:
    used = {(path, word) for path, node in walk(root(contract)) for word in node}
    assert {(path, word) for path, word in used if word not in KEYWORDS} == set()
    assert check_schema(kind(contract)) == []


@every_api
def test_an_api_says_nothing_that_crossplane_drops(contract: str) -> None:
    schema = root(contract)
    levels = {"root": schema, "spec": schema["properties"]["spec"], "status": schema["properties"]["status"]}
    assert [(name, word) for name, level in levels.items() for word in level if word not in COPIED[name]] == []
    assert schema["properties"].keys() == {"spec", "status"}
    for section, names in INJECTED.items():
        assert not schema["properties"][section]["properties"].keys() & names


@every_api
def test_every_list_map_and_string_of_the_spec_is_bounded(contract: str) -> None:
    limits = {"array": {"maxItems"}, "string": {"maxLength", "enum"}, "object": {"properties", "maxProperties"}}
    unbounded = [
        path
        for path, node in walk(root(contract)["properties"]["spec"])
        if node["type"] in limits and not limits[node["type"]] & node.keys()
    ]
    assert unbounded == []


@every_api
def test_every_rule_compiles_and_names_fields_there_are(contract: str) -> None:
    assert check_rules(kind(contract)) == []


@every_api
def test_no_default_stands_inside_a_list_item(contract: str) -> None:
    assert [path for path, node in walk(root(contract)) if "[]" in path and "default" in node] == []


@every_api
def test_every_field_is_described(contract: str) -> None:
    bare = [path for path, node in walk(root(contract)) if not node.get("description", "").strip()]
    assert [path for path in bare if not path.endswith(("[]", "{}"))] == []


@every_api
def test_a_claim_is_found_by_its_names_and_by_service_binding(contract: str) -> None:
    found, wanted = definition(contract), contracts.load(contract)
    names = found["spec"]["names"]
    assert (found["spec"]["group"], found["spec"]["scope"]) == ("groundplane.dev", "Namespaced")
    assert (names["kind"], names["plural"], names["shortNames"]) == (wanted.kind, wanted.plural, [wanted.short_name])
    assert names["categories"] == ["groundplane"]
    assert found["spec"]["metadata"]["labels"] == {"servicebinding.io/provisioned-service": "true"}
    (version,) = found["spec"]["versions"]
    assert (version["name"], version["served"], version["referenceable"]) == ("v1alpha1", True, True)


def test_the_short_name_of_a_database_is_xdb() -> None:
    names = definition("database")["spec"]["names"]
    assert (names["kind"], names["plural"], names["shortNames"]) == ("XDatabase", "xdatabases", ["xdb"])


@pytest.mark.parametrize("path", contract_table.SPEC)
def test_a_field_is_as_the_contract_says(path: str) -> None:
    found = dict(walk(root("database")["properties"]["spec"])).get(path)
    assert found is not None, "missing"
    wanted = contract_table.SPEC[path]
    said = {word: _sorted(word, value) for word, value in found.items() if word in wanted}
    assert said == {word: _sorted(word, value) for word, value in wanted.items()}
    implied = {"description", "properties", "items", "additionalProperties", "x-kubernetes-validations"}
    assert found.keys() - wanted.keys() - implied <= contract_table.FREE


def _sorted(word: str, value: Any) -> Any:
    return sorted(value) if word == "required" else value


def test_the_spec_has_no_field_that_the_contract_lacks() -> None:
    assert set(dict(walk(root("database")["properties"]["spec"]))) == set(contract_table.SPEC)


def test_every_rule_of_the_contract_stands_in_the_api_verbatim() -> None:
    spec = dict(walk(root("database")["properties"]["spec"]))
    nodes = {"(root)": root("database"), **spec}
    found = {
        (path, rule["rule"], rule["message"])
        for path, node in nodes.items()
        for rule in node.get("x-kubernetes-validations", [])
    }
    assert found == contract_table.RULES


def test_the_status_declares_every_leaf_of_the_contract_and_no_other() -> None:
    nodes = walk(root("database")["properties"]["status"])
    leaves = {path for path, node in nodes if node["type"] not in {"object", "array"}}
    assert leaves == contract_table.STATUS


def test_the_columns_are_those_of_the_contract() -> None:
    (version,) = definition("database")["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    assert [column["name"] for column in columns if not column.get("priority")] == contract_table.COLUMNS
    assert [column["name"] for column in columns if column.get("priority") == 1] == contract_table.WIDE_COLUMNS


def test_a_column_shows_a_field_or_a_condition_there_is() -> None:
    fields = {f".{section}.{path}" for section in ("spec", "status") for path in _paths(section)}
    conditions = {f".status.conditions[?(@.type=='{kind}')].{word}" for kind in Type for word in ("status", "message")}
    (version,) = definition("database")["spec"]["versions"]
    assert {column["jsonPath"] for column in version["additionalPrinterColumns"]} <= fields | conditions


def _paths(section: str) -> list[str]:
    return [path for path, _ in walk(root("database")["properties"][section])]


def test_a_binding_has_the_keys_of_the_contract() -> None:
    types = contracts.load("database").binding_types
    assert {name: {"type", "provider", *keys} for name, keys in types.items()} == contract_table.BINDING_KEYS


def test_a_claim_without_a_database_gets_the_default_name_and_nothing_else() -> None:
    written = catalogue.one(catalogue.CLAIMS / "development.yaml")
    assert "database" not in written["spec"]
    spec = kind("database").default(written)["spec"]
    assert spec == {**written["spec"], "protocol": "postgresql", "database": {"name": "app"}}


@pytest.mark.parametrize("path", scenarios.scenarios(), ids=scenarios.title)
def test_every_status_that_is_written_is_declared(path: Any) -> None:
    admission = Admission(installed.apis())
    for turn in scenarios.play(path):
        if turn.outcome is not None:
            assert admission.undeclared(turn.outcome.xr) == ()
