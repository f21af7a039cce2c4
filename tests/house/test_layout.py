"""Layout: a file stands where its name says, and an engine is known by its folder alone."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import catalogue
from groundplane import contracts, engines
from groundplane.generate import files

ENGINE_LABEL = "groundplane.dev/engine"
every_engine = pytest.mark.parametrize("engine", catalogue.engines(), ids=str)

# The contract itself names the engine that serves where nobody chose; the tables of documents show it as an example.
MAY_NAME_AN_ENGINE = {
    "contracts/database.py": "default_engine is the contract's own choice",
    "contracts/environment.py": "the description of `engines` gives one as an example",
    "render/environment_policy.py": "the message about a missing engine gives one as an example",
}


# The engine is called as the place where it runs, which others may name: a provider, a folder.
ALSO_A_PLACE = {"local"}


def test_the_engines_on_disk_are_the_engines_the_program_knows() -> None:
    known = [(contract, name) for contract in contracts.names() for name in engines.names(contract)]
    assert [(engine.contract, engine.name) for engine in catalogue.engines()] == sorted(known)
    assert list(catalogue.contracts()) == list(contracts.names())
    assert catalogue.engines()


@every_engine
def test_an_engine_has_module_composition_example_and_golden(engine: catalogue.Engine) -> None:
    files = [engine.module, engine.composition, engine.example, engine.golden, engine.environment]
    assert [path for path in files if not path.exists()] == []


@every_engine
def test_an_engine_is_called_as_its_module(engine: catalogue.Engine) -> None:
    found = engines.load(engine.contract, engine.name)
    assert found.name == engine.name
    assert re.fullmatch("[a-z][a-z0-9]*", engine.name), "a slot's name must tell engine and number apart"


@every_engine
def test_a_composition_selects_its_own_engine(engine: catalogue.Engine) -> None:
    composition = catalogue.one(engine.composition)
    contract = contracts.load(engine.contract)
    assert composition["metadata"]["name"] == f"{contract.kind.lower()}-{engine.name}"
    assert composition["metadata"]["labels"][ENGINE_LABEL] == engine.name
    assert composition["spec"]["compositeTypeRef"]["kind"] == contract.kind
    (step,) = composition["spec"]["pipeline"]
    assert step["input"]["engine"] == engine.name
    assert step["functionRef"]["name"] == f"groundplane-function-{engine.contract}"


@every_engine
def test_a_composition_is_what_generate_writes(engine: catalogue.Engine) -> None:
    path = str(engine.composition.relative_to(catalogue.ROOT))
    assert engine.composition.read_text(encoding="utf-8") == files.files()[path]


@every_engine
def test_an_example_is_a_claim_that_names_no_engine(engine: catalogue.Engine) -> None:
    claim = catalogue.one(engine.example)
    assert catalogue.contract_of_kind()[claim["kind"]] == engine.contract
    assert "crossplane" not in claim["spec"]
    assert engine.name not in str(claim)


def test_nothing_outlives_its_engine() -> None:
    found = catalogue.engines()
    folders = set(catalogue.contracts())
    examples = {path for name in folders for path in (catalogue.EXAMPLES / name).rglob("*") if path.is_file()}
    assert examples == {engine.example for engine in found}
    compositions = {path for path in catalogue.COMPOSITIONS.rglob("*") if path.is_file()}
    assert compositions == {engine.composition for engine in found}
    goldens = {path for name in folders for path in (catalogue.GOLDEN / name).rglob("*") if path.is_file()}
    assert goldens == {engine.golden for engine in found}
    cases = {path.parent for path in catalogue.CASES.rglob("*.yaml")}
    assert cases <= {catalogue.CASES / str(engine) for engine in found}


def test_an_environment_is_named_as_its_file_and_names_only_engines_there_are() -> None:
    there = {(engine.contract, engine.name) for engine in catalogue.engines()}
    for path, manifest in catalogue.environments().items():
        assert manifest["metadata"]["name"] == path.stem
        assert set(manifest["data"]["engines"].items()) <= there, path


def test_the_default_engine_of_a_contract_is_one_of_its_engines() -> None:
    for name in contracts.names():
        assert contracts.load(name).default_engine in engines.names(name)


def _words(path: Path) -> set[str]:
    """Return the words of the code in *path*: names and strings. A docstring may give an example."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    spoken = {id(_docstring(node)) for node in nodes if isinstance(node, owners)}
    text = [str(getattr(node, field)) for node in nodes if id(node) not in spoken for field in node._fields]
    return {word.lower() for word in re.findall("[A-Za-z][A-Za-z0-9]*", " ".join(text))}


def _docstring(owner: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    first = owner.body[0] if owner.body else None
    return first.value if isinstance(first, ast.Expr) else None


def test_no_module_above_the_engines_names_one() -> None:
    names = {engine.name for engine in catalogue.engines()} - ALSO_A_PLACE
    products = {engines.load(engine.contract, engine.name).product.lower() for engine in catalogue.engines()}
    above = [path for path in catalogue.PACKAGE.rglob("*.py") if "engines" not in path.parts[-4:]]
    naming = {
        str(path.relative_to(catalogue.PACKAGE)): sorted(_words(path) & (names | products))
        for path in above
        if _words(path) & (names | products)
    }
    assert {path: words for path, words in naming.items() if path not in MAY_NAME_AN_ENGINE} == {}
    assert naming.keys() >= MAY_NAME_AN_ENGINE.keys(), "an exception nobody needs any more"


def test_every_wing_of_the_package_has_an_order_of_its_own() -> None:
    document = tomllib.loads((catalogue.ROOT / "pyproject.toml").read_text())
    layers = [one for one in document["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    ordered = {container for one in layers if one["exhaustive"] for container in one["containers"]}
    wings = {file.parent for file in catalogue.PACKAGE.glob("*/__init__.py") if len([*file.parent.glob("*")]) > 3}
    assert len(wings) > 10
    assert {f"groundplane.{wing.name}" for wing in wings} - ordered == set()


def test_every_helper_of_the_tests_is_in_their_index() -> None:
    folder = catalogue.ROOT / "tests" / "support"
    listed = set(re.findall(r"`(\w+)`", (folder / "README.md").read_text()))
    assert {path.stem for path in folder.glob("*.py")} - listed == set()
