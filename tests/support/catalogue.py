"""What there is, found on disk: contracts, engines, examples, environments, claims, goldens.

Nothing here names one of them, so that a new engine is tested by being there.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "functions" / "groundplane"
EXAMPLES = ROOT / "examples"
ENVIRONMENTS = EXAMPLES / "environments"
CLAIMS = EXAMPLES / "claims"
REQUIRED = EXAMPLES / "required"
COMPOSITIONS = ROOT / "compositions"
GOLDEN = ROOT / "tests" / "golden"
CASES = ROOT / "tests" / "cases"

DEFAULT = "default"  # the environment of namespaces without a label: it serves a first try, no engine's example
REFUSAL = ".txt"  # a golden of words, where an engine refuses the claim


@dataclass(frozen=True, order=True)
class Engine:
    """One engine, and the files that belong to it."""

    contract: str
    name: str

    def __str__(self) -> str:
        return f"{self.contract}/{self.name}"

    @property
    def module(self) -> Path:
        """Its module, or the package of a large one."""
        folder = PACKAGE / "engines" / self.contract
        return folder / self.name if (folder / self.name).is_dir() else folder / f"{self.name}.py"

    @property
    def composition(self) -> Path:
        return COMPOSITIONS / self.contract / f"{self.name}.yaml"

    @property
    def example(self) -> Path:
        return EXAMPLES / self.contract / f"{self.name}.yaml"

    @property
    def golden(self) -> Path:
        return GOLDEN / self.contract / f"{self.name}.yaml"

    @property
    def cases(self) -> list[Path]:
        """Its scenarios, in order."""
        return sorted((CASES / self.contract / self.name).glob("[0-9]*.yaml"))

    @property
    def environment(self) -> Path:
        """The environment that serves this contract by this engine; the default one while none does.

        Raises:
            LookupError: there is more than one.
        """
        found = [
            path
            for path, manifest in environments().items()
            if manifest["data"]["engines"].get(self.contract) == self.name and manifest["metadata"]["name"] != DEFAULT
        ]
        if len(found) > 1:
            msg = f"{self}: expected one environment that names it in engines.{self.contract}, found {len(found)}"
            raise LookupError(msg)
        return found[0] if found else ENVIRONMENTS / f"{DEFAULT}.yaml"

    @property
    def chosen(self) -> bool:
        """Whether an environment chooses it. Until one does, only its own example is shown."""
        return self.environment.stem != DEFAULT


@dataclass(frozen=True)
class Golden:
    """One claim on one engine, and the file that says what becomes of it."""

    claim: Path
    engine: Engine
    stem: Path  # of the golden file; its suffix says whether the engine renders or refuses the claim

    def __str__(self) -> str:
        return str(self.stem.relative_to(GOLDEN))

    @property
    def rendered(self) -> Path:
        """Where the manifests stand, if the engine renders the claim."""
        return self.stem.with_suffix(".yaml")

    @property
    def refused(self) -> Path:
        """Where the words of the refusal stand, if it does not."""
        return self.stem.with_suffix(REFUSAL)

    @property
    def words(self) -> list[str]:
        """The arguments of `groundplane render`, for the repository's root as working directory."""
        claim, environment, composition, required = (
            str(path.relative_to(ROOT))
            for path in (self.claim, self.engine.environment, self.engine.composition, REQUIRED)
        )
        if not self.engine.chosen:
            return ["render", claim, "--composition", composition, "--required", environment]
        more = ["--required", required] if self.claim.parent == CLAIMS else []
        return ["render", claim, "--environment", environment, *more]


def load(path: Path) -> list[Manifest]:
    """Return the documents in *path*, for the caller to change."""
    return deepcopy(_parsed(path))


@cache
def _parsed(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def one(path: Path) -> Manifest:
    """Return the only document in *path*."""
    (found,) = load(path)
    return found


@cache
def contracts() -> tuple[str, ...]:
    """Return the contracts that have a folder of engines."""
    folders = (path for path in (PACKAGE / "engines").iterdir() if (path / "__init__.py").is_file())
    return tuple(sorted(path.name for path in folders))


@cache
def engines() -> tuple[Engine, ...]:
    """Return every engine on disk: a module, or a package, whose name has no leading underscore."""
    return tuple(sorted(Engine(contract, name) for contract in contracts() for name in _modules(contract)))


def _modules(contract: str) -> Iterator[str]:
    for path in (PACKAGE / "engines" / contract).iterdir():
        module = path.suffix == ".py" or (path / "__init__.py").is_file()
        if module and not path.name.startswith("_"):
            yield path.stem


@cache
def environments() -> dict[Path, Manifest]:
    """Return the environments of the examples."""
    return {path: one(path) for path in sorted(ENVIRONMENTS.glob("*.yaml"))}


@cache
def contract_of_kind() -> dict[str, str]:
    """Return the contract of each kind, as the APIs on disk say."""
    definitions = (one(path) for path in sorted((ROOT / "apis").glob("*.yaml")))
    return {
        definition["spec"]["names"]["kind"]: definition["metadata"]["labels"]["groundplane.dev/contract"]
        for definition in definitions
    }


def claims() -> list[Path]:
    """Return the claims that every engine of their kind is shown."""
    return sorted(CLAIMS.glob("*.yaml"))


def goldens() -> list[Golden]:
    """Return every golden there must be: each engine's example, and each claim on each chosen engine of its kind."""
    examples = [Golden(engine.example, engine, engine.golden.with_suffix("")) for engine in engines()]
    shown = [
        Golden(claim, engine, GOLDEN / CLAIMS.name / f"{claim.stem}-{engine.name}")
        for claim in claims()
        for engine in engines()
        if engine.chosen and engine.contract == contract_of_kind()[one(claim)["kind"]]
    ]
    return [*examples, *shown]
