"""One more engine is one more module: a made-up one is added to a copy of the repository, and nothing else changes."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import catalogue

MODULE = '''\
"""XDatabase on paper: made up, to show what an engine needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.contracts.database import DatabaseSpec
from groundplane.contracts.environment import Knobs
from groundplane.core.capability import Never, OneOf
from groundplane.core.manifest import SECRET, Kind
from groundplane.core.rendered import Desired, Facts, Footprint, Rendered
from groundplane.engines.interface import Anchor, Ask
from groundplane.engines.database import _postgresql as postgresql

if TYPE_CHECKING:
    from groundplane.core.observation import Observation
    from groundplane.core.slot import Slot

SHEET: Final = Kind("paper.example.org/v1", "Sheet", "sheets")


class Paper:
    """One Sheet per slot."""

    name = "paper"
    product = "Acme Paper"
    provider = "local"
    anchor = Anchor("sheet", SHEET)
    archive = None
    kinds = (SHEET, SECRET)
    optional_kinds = ()
    operators = ()
    distributions = ()
    knobs = Knobs
    capabilities = {
        "deletionPolicy": OneOf.of("Delete"),
        "objectives.failureTolerance": OneOf.of("None"),
        "maintenanceWindow": Never("paper needs no maintenance"),
    }

    def render(self, ask: Ask[DatabaseSpec, Knobs], slot: Slot, seen: Observation) -> Rendered:
        """Return everything *ask* needs in *slot*."""
        secret = postgresql.login_secret(ask, slot, slot.resource("sheet"), seen)
        sheet = SHEET.manifest(ask.claim.object(slot), spec={"size": ask.spec.storage.size})
        return Rendered(
            resources={
                slot.resource("sheet"): Desired(sheet, guarded=True),
                slot.resource("secret-a"): Desired(secret, guarded=True),
            },
            facts=Facts(),
            given=postgresql.given(ask, "None"),
            footprint=Footprint(1, "a sheet", ask.spec.storage.size),
        )


ENGINE: Final = Paper()
'''
EXAMPLE = """\
apiVersion: groundplane.dev/v1alpha1
kind: XDatabase
metadata:
  name: notes
  namespace: team-c
spec:
  version: "17"
  tier: Development
  storage:
    size: 1Gi
"""
WRITTEN = {
    "functions/groundplane/engines/database/paper.py": MODULE,
    "examples/database/paper.yaml": EXAMPLE,
}
# What commands write for it.
MADE = {"compositions/database/paper.yaml", "tests/golden/database/paper.yaml"}
# Generated from the module alone: tables of the documents, a sample environment, and what the companion set lists.
SHARED = {
    *(
        "docs/engines.md",
        "docs/environment.md",
        "docs/environments/database-paper.yaml",
        "docs/reference/database.md",
    ),
    *(f"package/companion/{name}.yaml" for name in ("crossplane", "environment", "objects", "definitions")),
}

COPIED = ("apis", "compositions", "docs", "examples", "functions", "package", "tests", "tools")
SINGLE = ("README.md", "ARCHITECTURE.md", "pyproject.toml")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    root = tmp_path / "copy"
    for name in COPIED:
        shutil.copytree(catalogue.ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in SINGLE:
        if (catalogue.ROOT / name).exists():
            shutil.copy(catalogue.ROOT / name, root / name)
    return root


def run(root: Path, *words: str) -> str:
    """Run Python with *words* in the copy, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "functions"), *_inherited()])}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.pop("GROUNDPLANE_CRDS", None)  # nobody upstream has the made-up kind
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _inherited() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_one_more_engine_is_four_files_and_everything_else_goes_on(copy: Path) -> None:
    before = digests(copy)
    for path, text in WRITTEN.items():
        (copy / path).write_text(text, encoding="utf-8")
    run(copy, "-m", "groundplane", "generate")
    run(copy, "tools/golden.py")
    after = digests(copy)
    assert before.keys() <= after.keys()
    changed = {path for path in after if before.get(path) != after[path]}
    assert changed - SHARED == WRITTEN.keys() | MADE
    _is_rendered(copy)
    _has_the_right_layout(copy)
    _is_told_of_by_others(copy)


def _is_rendered(copy: Path) -> None:
    (claim, *composed) = catalogue.load(copy / "tests/golden/database/paper.yaml")
    assert claim["spec"]["crossplane"]["compositionRef"] == {"name": "xdatabase-paper"}
    assert [one["kind"] for one in composed] == ["Secret", "Sheet"]


def _has_the_right_layout(copy: Path) -> None:
    tests = ["tests/house/test_layout.py", "tests/properties/test_golden.py"]
    said = run(copy, "-m", "pytest", "-v", "-p", "no:cacheprovider", *tests, "-k", "not test_rendering_twice")
    assert "test_an_engine_has_module_composition_example_and_golden[database/paper] PASSED" in said
    assert "test_every_example_renders_to_its_golden_byte_for_byte[database/paper] PASSED" in said


def _is_told_of_by_others(copy: Path) -> None:
    """Ask it for what it refuses: the answer names the engines that do offer it."""
    (copy / "claim.yaml").write_text(EXAMPLE + "  deletionPolicy: Protect\n", encoding="utf-8")
    words = "render claim.yaml --composition compositions/database/paper.yaml"
    words += " --required examples/environments/default.yaml"
    script = (
        "from click.testing import CliRunner; from groundplane.__main__ import main;"
        f" print(CliRunner().invoke(main, {words.split()!r}).stderr)"
    )
    said = run(copy, "-c", script)
    assert "deletionPolicy: Protect is not offered by paper (Delete). Change it" in said
    assert "or use an engine that offers it: " in said
