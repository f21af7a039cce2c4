"""Documents: every command they show prints what they say, every link leads somewhere, nothing is missing."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import catalogue
import readme
from groundplane import __version__, contracts, engines
from groundplane.__main__ import main
from groundplane.contracts import tiers
from groundplane.contracts.common import Tier
from groundplane.contracts.database import SIZES
from groundplane.contracts.environment import Environment, read
from groundplane.generate import doc_tables

ROOT = catalogue.ROOT
README = ROOT / "README.md"
TEAM = ROOT / "docs" / "guides" / "application-team.md"
PLATFORM = ROOT / "docs" / "guides" / "platform-team.md"
REFERENCE = ROOT / "docs" / "reference" / "database.md"
SHOWN = [(page, one) for page in readme.PAGES for one in readme.shown(page.read_text())]
RUNBOOKS = ROOT / "docs" / "runbooks"
ADRS = ROOT / "docs" / "adr"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LONG_LIVED = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"}

BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NOT_PROSE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
ADR_PARTS = ["Status", "Context", "Decision", "Consequences", "Alternatives"]


@dataclass(frozen=True)
class Block:
    """A fenced block: what kind, and what it says."""

    kind: str
    text: str


def blocks(page: Path, kind: str = "") -> list[Block]:
    found = [Block(one["kind"], one["text"]) for one in BLOCK.finditer(page.read_text())]
    return [one for one in found if not kind or one.kind == kind]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("one", [one for _, one in SHOWN], ids=str)
def test_a_command_of_a_page_prints_what_the_page_shows(one: readme.Shown) -> None:
    text, code = readme.printed(one.command)
    assert code == one.exits, text
    assert readme.timeless(text) == readme.timeless(one.prints), "run tools/readme.py and review what it wrote"


def test_every_render_command_of_a_page_is_run() -> None:
    run = [one.command for _, one in SHOWN]
    written = [
        line for page in (README, *readme.PAGES) for block in blocks(page, "sh") for line in block.text.splitlines()
    ]
    assert [line for line in written if line.startswith(readme.COMMAND)] == [
        line for line in run if line.startswith(readme.COMMAND)
    ]
    assert set(readme.SCRIPTS) <= set(run)


def test_the_pages_show_a_claim_that_is_rendered_and_one_that_is_refused() -> None:
    codes = {one.exits for _, one in SHOWN if one.command.startswith(readme.COMMAND)}
    assert codes == {0, 3}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_shows_exists(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    words = re.findall(r"\bmake ((?:[a-z]+ ?)+)(?=`)", page.read_text())
    words += [line[5:] for block in blocks(page, "sh") for line in block.text.splitlines() if line.startswith("make ")]
    assert {word for line in words for word in line.split()} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_command_names_exists(page: Path) -> None:
    lines = [line for block in blocks(page, "sh") for line in block.text.splitlines()]
    files = [word for line in lines for word in re.findall(r"(?:examples|package|tools)/\S+", line)]
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(NOT_PROSE.sub("", page.read_text())) if "://" not in link]
    broken = []
    for target in targets:
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return what a link into *page* may end with: its headings, as GitHub writes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def manifests(page: Path) -> list[dict[str, Any]]:
    return [found for block in blocks(page, "yaml") for found in yaml.safe_load_all(block.text)]


def of_kind(kind: str) -> list[dict[str, Any]]:
    pages = (README, TEAM, PLATFORM)
    shown = [manifest for page in pages for manifest in manifests(page) if manifest["kind"] == kind]
    found = [one for number, one in enumerate(shown) if one not in shown[:number]]
    assert found, f"the guides show no {kind}"
    return found


@pytest.mark.parametrize("claim", of_kind("XDatabase"), ids=lambda claim: str(claim["metadata"]))
def test_a_claim_of_the_readme_is_honoured(claim: dict[str, Any]) -> None:
    words = ["render", "-", "--environment", str(catalogue.ENVIRONMENTS / "kubernetes.yaml")]
    result = CliRunner().invoke(main, words, input=yaml.safe_dump(claim))
    assert result.exit_code == 0, result.output


def test_the_claim_of_the_readme_is_the_example_it_applies() -> None:
    assert of_kind("XDatabase")[0] == catalogue.one(catalogue.EXAMPLES / "database" / "cnpg.yaml")


def test_an_environment_of_the_readme_is_understood_by_the_engines_it_names() -> None:
    for manifest in of_kind("EnvironmentConfig"):
        name, data = manifest["metadata"]["name"], manifest["data"]
        for contract, engine in read(Environment, name, data).engines.items():
            read(engines.load(contract, engine).knobs, name, data)


def test_a_deployment_of_the_readme_takes_only_entries_that_a_binding_has() -> None:
    contract = contracts.load("database")
    known = {"type", "provider", *contract.binding_types["postgresql"]}
    (deployment,) = of_kind("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,), (volume,) = pod["containers"], pod["volumes"]
    references = [entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry]
    name = f"{of_kind('XDatabase')[0]['metadata']['name']}-{contract.stem}-binding"
    assert {reference["name"] for reference in references} | {volume["secret"]["secretName"]} == {name}
    assert {reference["key"] for reference in references} <= known
    (mount,) = container["volumeMounts"]
    files = [entry["value"] for entry in container["env"] if str(entry.get("value")).startswith(mount["mountPath"])]
    assert files
    assert {file.removeprefix(f"{mount['mountPath']}/") for file in files} <= known


def test_the_tables_of_the_pages_are_up_to_date() -> None:
    stale = [page for page, text in doc_tables.in_pages(ROOT).items() if text != (ROOT / page).read_text()]
    assert stale == [], "run make generate"


def tier_rows() -> dict[str, list[str]]:
    """Return the reference's table of tiers: its rows by their first cell."""
    lines = [line.strip("| ").split(" | ") for line in REFERENCE.read_text().splitlines() if line.startswith("| ")]
    first = next(number for number, line in enumerate(lines) if line[0] == "tier" and len(line) > 2)
    return {line[0]: line[1:] for line in lines[first : first + 8]}


def test_the_tiers_of_the_reference_have_the_numbers_of_the_contract() -> None:
    rows, presets = tier_rows(), tiers.PRESETS["database"]
    found = [presets[Tier(name)] for name in rows["tier"]]
    assert len(found) == len(presets)
    assert rows["rpo / rto in seconds"] == [f"{one.rpo_seconds} / {one.rto_seconds or 'none'}" for one in found]
    assert [cell.split()[0] for cell in rows["backups kept"]] == [str(one.retention_days) for one in found]
    assert rows["size"] == [one.size for one in found]
    assert rows["deletion policy"] == [one.deletion_policy for one in found]
    survived = {"None": "nothing", "Node": "a node", "Zone": "a zone"}
    assert rows["survives"] == [survived[one.failure_tolerance] for one in found]
    often = [[str(days) if days else "never" for days in (one.drill_interval_days, one.rotation_days)] for one in found]
    cells = next(cells for name, cells in rows.items() if name.startswith("drill"))
    assert [[part.split()[0] for part in cell.split("; ")] for cell in cells] == often


def test_the_sizes_of_the_reference_are_the_contracts() -> None:
    text = REFERENCE.read_text()
    missing = [size for size, (cpu, memory) in SIZES.items() if f"`{size}` {cpu}/{memory}" not in text]
    assert missing == []


def alerts() -> set[str]:
    """Return every alert that an engine names in its code, or that a golden shows."""
    code = "\n".join(path.read_text() for path in (catalogue.PACKAGE / "engines").rglob("*.py"))
    goldens = "\n".join(path.read_text() for path in catalogue.GOLDEN.rglob("*.yaml"))
    return set(re.findall(r'"(Groundplane[A-Z]\w+)"', code)) | set(re.findall(r"(?m)^\s*- alert: (\S+)$", goldens))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert alerts()
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == alerts()


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_tells_meaning_impact_diagnosis_and_mitigation(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"(?m)^## (.+)$", text) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert blocks(page, "sh")


def test_every_decision_has_a_number_of_its_own_and_none_is_left_out() -> None:
    numbers = [int(page.name.split("-")[0]) for page in sorted(ADRS.glob("0*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", sorted(ADRS.glob("0*.md")), ids=lambda page: page.stem)
def test_a_decision_tells_its_parts_in_order(page: Path) -> None:
    text = page.read_text()
    assert re.fullmatch(r"\d{4}(-[a-z0-9]+)+", page.stem)
    assert text.startswith(f"# {page.stem[:4]}. ")
    assert re.findall(r"(?m)^## (.+)$", text) == ADR_PARTS
    assert re.search(r"(?m)^## Status\n\n(Accepted|Superseded by \[\d{4}\]\(.+\)), \d{4}-\d\d-\d\d\.$", text)


def test_the_changelog_has_the_current_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert __version__ == version
    headings = re.findall(r"(?m)^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text())
    assert headings[:2] == ["Unreleased", version]


def secrets_of(golden: Path) -> set[str]:
    """Return the names of all Secrets that the manifests of *golden* are, or refer to, as of a claim called orders."""
    claim, *objects = catalogue.load(golden)
    found = {manifest["metadata"]["name"] for manifest in objects if manifest["kind"] == "Secret"}
    found |= {name for manifest in objects for name in _references(manifest)}
    return {re.sub(f"^{claim['metadata']['name']}-", "orders-", name) for name in found}


def _references(value: Any, key: str = "") -> list[str]:
    if isinstance(value, list):
        return [name for entry in value for name in _references(entry, key)]
    if not isinstance(value, dict):
        return []
    refers = key.lower().endswith(("secretref", "secrettoref", "passwordsecret"))
    inner = [name for field, entry in value.items() for name in _references(entry, field)]
    return [*inner, *([value["name"]] if refers and "name" in value else [])]


def test_every_secret_that_an_engine_makes_or_reads_is_explained() -> None:
    page = (ROOT / "docs" / "secrets.md").read_text()
    names = {name for engine in catalogue.engines() for name in secrets_of(engine.golden)}
    assert len(names) > 1
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_the_long_lived_pages_are_there() -> None:
    assert {page.name for page in PAGES} >= LONG_LIVED
