"""Packages: their metadata, what is put into each, and what they are called where they are installed."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

import catalogue
import upstream
from bareplane import binaries
from groundplane import contracts, engines
from groundplane.core.manifest import Kind
from groundplane.engines.interface import all_kinds
from groundplane.generate import packages
from xpkg import stage, target
from xpkg.target import PackageError, Target

PLACE = Target("localhost:5000", "acme/platform", "v1.2.3-rc.1")
METADATA = sorted(
    path for kind in ("function", "configuration") for path in (catalogue.ROOT / "package").glob(f"{kind}-*/*.yaml")
)
every_contract = pytest.mark.parametrize("contract", contracts.names())


def metadata() -> Iterator[dict[str, Any]]:
    found = (catalogue.one(path) for path in METADATA)
    return (one for one in found if one["apiVersion"] == "meta.pkg.crossplane.io/v1")


def kinds(contract: str) -> dict[str, Kind]:
    found = (engines.load(contract, name) for name in engines.names(contract))
    return {kind.crd: kind for engine in found for kind in all_kinds(engine)}


def test_there_is_a_function_and_a_configuration_for_each_contract_and_one_for_all() -> None:
    wanted = {("Configuration", "configuration-groundplane")}
    wanted |= {("Function", f"function-{name}") for name in contracts.names()}
    wanted |= {("Configuration", f"configuration-{name}") for name in contracts.names()}
    assert {(one["kind"], one["metadata"]["name"]) for one in metadata()} == wanted


def test_no_package_depends_on_a_provider() -> None:
    """A dependency is installed wherever the package is, and a cluster without a cloud must not get its providers."""
    kinds = {need["kind"] for one in metadata() for need in one["spec"].get("dependsOn", [])}
    assert kinds == {"Function", "Configuration"}


def test_every_package_says_which_crossplane_it_needs() -> None:
    assert {one["spec"]["crossplane"]["version"] for one in metadata()} == {">=v2.4.0-0"}


@every_contract
def test_what_is_activated_is_what_an_engine_composes_and_its_provider_calls_managed(contract: str) -> None:
    directory = upstream.crds_dir()
    if directory is None:
        pytest.skip("no upstream CRDs: run `make crds`, or name their directory in GROUNDPLANE_CRDS")
    files = {f"{kind.group}_{kind.plural}.yaml" for kind in kinds(contract).values()}
    found = [catalogue.one(path) for path in directory.rglob("*.yaml") if path.name in files]
    managed = [one["metadata"]["name"] for one in found if "managed" in one["spec"]["names"].get("categories", ())]
    policy = catalogue.one(catalogue.ROOT / "package" / f"configuration-{contract}" / "activation.yaml")
    assert policy["spec"]["activate"] == sorted(managed)


@pytest.mark.parametrize(
    ("org", "name"),
    [
        ("groundplane", "groundplane-function-database"),
        ("acme/platform", "acme-platform-function-database"),
        ("acme.io", "acme-io-function-database"),
        ("a_b", "ab-function-database"),
        ("a" * 50, f"{'a' * 50}-function-dat"),
    ],
)
def test_a_dependency_is_called_as_crossplane_calls_it(org: str, name: str) -> None:
    assert packages.installed("function-database", org) == name


@pytest.fixture
def staged(tmp_path: Path) -> dict[str, stage.Staged]:
    return {one.name: one for one in stage.stage(catalogue.ROOT, PLACE, tmp_path / "stage")}


def manifests(package: stage.Staged) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in package.folder.rglob("*"):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            found.setdefault(one["kind"], []).append(one)
    return found


@every_contract
def test_a_configuration_holds_its_api_and_every_composition_of_it(
    staged: dict[str, stage.Staged], contract: str
) -> None:
    found = manifests(staged[f"configuration-{contract}"])
    kind = contracts.load(contract).kind
    assert [one["spec"]["names"]["kind"] for one in found["CompositeResourceDefinition"]] == [kind]
    assert {one["spec"]["compositeTypeRef"]["kind"] for one in found["Composition"]} == {kind}
    names = {one["metadata"]["name"] for one in found["Composition"]}
    assert names == {contracts.load(contract).composition(name) for name in engines.names(contract)}
    assert found.keys() - {"ManagedResourceActivationPolicy"} == {
        *("CompositeResourceDefinition", "Composition", "Configuration")
    }


@every_contract
def test_a_composition_calls_the_function_as_it_will_be_called(staged: dict[str, stage.Staged], contract: str) -> None:
    found = manifests(staged[f"configuration-{contract}"])
    called = {step["functionRef"]["name"] for one in found["Composition"] for step in one["spec"]["pipeline"]}
    assert called == {f"acme-platform-function-{contract}"}


@every_contract
def test_only_the_function_is_called_otherwise(staged: dict[str, stage.Staged], contract: str) -> None:
    for one in manifests(staged[f"configuration-{contract}"])["Composition"]:
        for step in one["spec"]["pipeline"]:
            step["functionRef"]["name"] = f"groundplane-function-{contract}"
        engine = one["metadata"]["labels"]["groundplane.dev/engine"]
        assert one == catalogue.one(catalogue.COMPOSITIONS / contract / f"{engine}.yaml")


@every_contract
def test_a_configuration_needs_exactly_the_function_it_was_built_with(
    staged: dict[str, stage.Staged], contract: str
) -> None:
    (configuration,) = manifests(staged[f"configuration-{contract}"])["Configuration"]
    needs = configuration["spec"]["dependsOn"]
    source = f"localhost:5000/acme/platform/function-{contract}"
    exactly = {"apiVersion": "pkg.crossplane.io/v1", "kind": "Function", "package": source, "version": "v1.2.3-rc.1"}
    assert needs == [exactly]


def test_the_whole_needs_the_configuration_of_every_contract(staged: dict[str, stage.Staged]) -> None:
    (whole,) = manifests(staged["configuration-groundplane"])["Configuration"]
    needs = [(need["kind"], need["package"], need["version"]) for need in whole["spec"]["dependsOn"]]
    place = "localhost:5000/acme/platform/configuration-"
    assert needs == [("Configuration", f"{place}{name}", PLACE.version) for name in contracts.names()]


def test_a_function_brings_the_schema_of_its_input(staged: dict[str, stage.Staged]) -> None:
    for name in contracts.names():
        found = manifests(staged[f"function-{name}"])
        (definition,) = found["CustomResourceDefinition"]
        assert definition["spec"]["names"]["kind"] == "Input"
        assert [one["spec"]["capabilities"] for one in found["Function"]] == [["composition"]]


def test_no_placeholder_is_left(staged: dict[str, stage.Staged]) -> None:
    for one in staged.values():
        assert Template((one.folder / "crossplane.yaml").read_text()).get_identifiers() == []
    assert [Template(path.read_text()).get_identifiers() for path in METADATA[:2]] != [[], []]


def test_a_composition_that_calls_another_function_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "copy"
    for folder in ("apis", "compositions", "package"):
        shutil.copytree(catalogue.ROOT / folder, root / folder)
    path = root / "compositions" / "database" / "cnpg.yaml"
    path.write_text(path.read_text().replace("groundplane-function-database", "function-auto-ready"))
    with pytest.raises(PackageError, match="xdatabase-cnpg calls function-auto-ready, which its package does not"):
        stage.stage(root, PLACE, tmp_path / "stage")


def test_where_nobody_says_another_the_target_is_one_that_nobody_can_push_to() -> None:
    assert target.chosen({"ORG": "", "REGISTRY": ""}) == Target("registry.example.org", "groundplane", "v0.1.0")
    with pytest.raises(PackageError, match="name a registry: make push REGISTRY="):
        target.named({})


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"REGISTRY": "https://ghcr.io"}, "REGISTRY=https://ghcr.io is no registry; write its host alone"),
        ({"REGISTRY": "registry"}, "REGISTRY=registry is no registry"),
        ({"ORG": "Acme"}, "ORG=Acme is no path in a registry; write small letters"),
        ({"ORG": "a/"}, "ORG=a/ is no path in a registry"),
        ({"ORG": "a" * 40}, f"ORG={'a' * 40} is too long: Crossplane cuts the name"),
        ({"VERSION": "1.0.0"}, "VERSION=1.0.0 is no version; write all three numbers, such as v0.1.0"),
        ({"VERSION": "v1.0"}, "VERSION=v1.0 is no version"),
        ({"VERSION": "v1.0.0+a"}, "VERSION=v1.0.0"),
    ],
)
def test_a_target_that_crossplane_would_not_understand_is_refused(setting: dict[str, str], told: str) -> None:
    with pytest.raises(PackageError) as refused:
        target.chosen(setting)
    assert str(refused.value).startswith(told)


def test_the_versions_wanted_are_those_that_the_tests_check_against() -> None:
    pins = tomllib.loads((catalogue.ROOT / "tools" / "crds.toml").read_text())
    table = (catalogue.ROOT / "docs" / "install.md").read_text().split("## 2.")[0]
    assert {pin["tag"] for pin in pins.values()} <= set(re.findall(r"\| (v[0-9.]+) \|", table))
    assert f"| {binaries.CROSSPLANE.removeprefix('v')} |" in table
    assert f">={binaries.CROSSPLANE}-0" == packages.CROSSPLANE


def test_what_is_activated_is_not_kept_of_a_contract_without_managed_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server refuses a policy that activates nothing."""
    monkeypatch.setattr(packages, "managed_kinds", lambda _contract: [])
    assert [path for path in packages.files() if path.endswith("activation.yaml")] == []
