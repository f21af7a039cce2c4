"""Crossplane's command line: ``crossplane composition render``, files in, manifests out."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from catalogue import Manifest
from conformance import comparing
from conformance.reconciler import SECONDS, Reconciler, definition, functions, observed, schemas, surroundings
from scenarios import Asked

RUNTIME = "render.crossplane.io/runtime"


@dataclass
class CommandLine:
    """The program, the reconciler that it runs, and a folder for its files. Counts what it compares."""

    program: Path
    reconciler: Reconciler
    folder: Path
    compared: int = 0

    def agreed(self, asked: Asked, claim: Manifest | None = None) -> None:
        """Render *asked* offline and by command, which is given *claim* in place of the claim.

        Raises:
            AssertionError: they differ in more than is inherent.
        """
        outcome, _ = self.reconciler.offline(asked)
        done = self.run(asked, claim or asked.claim)
        self.compared += 1
        if outcome.fatal:
            # It prints nothing then but why.
            assert (done.returncode, done.stdout) == (1, "")
            assert outcome.conditions["Synced"]["message"] in done.stderr
            return
        assert done.returncode == 0, done.stderr
        ours = {name: said for name, said in comparing.ours(outcome, []).items() if name not in comparing.UNTOLD}
        comparing.agree(ours, comparing.printed(done.stdout), comparing.BY_COMMAND)

    def run(self, asked: Asked, claim: Manifest) -> subprocess.CompletedProcess[str]:
        """Run the program."""
        self.reconciler.moment.set(asked)
        (schemas_folder := self.folder / "schemas").mkdir(exist_ok=True)
        (schemas_folder / "all.json").write_text(json.dumps(schemas(asked.absent)), encoding="utf-8")
        words: list[str | Path] = [
            *(self.program, "composition", "render"),
            *(self._file("claim", claim), self._file("composition", asked.composition)),
            self._file("functions", *(self._function(name) for name in functions(asked.composition))),
            *("--crossplane-binary", self.reconciler.program),
            *("--xrd", self._file("definition", definition(asked.claim))),
            *("--required-resources", self._file("required", *surroundings(asked))),
            *("--required-schemas", schemas_folder),
            *("--include-full-xr", "--include-function-results"),
        ]
        if asked.observed:
            words += ["--observed-resources", self._file("observed", *observed(asked))]
        return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)

    def _file(self, name: str, *manifests: Manifest) -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
        return path

    def _function(self, name: str) -> dict[str, Any]:
        target = {RUNTIME: "Development", f"{RUNTIME}-development-target": self.reconciler.address}
        return {
            "apiVersion": "pkg.crossplane.io/v1",
            "kind": "Function",
            "metadata": {"name": name, "annotations": target},
            "spec": {"package": f"xpkg.example.com/{name}:v0"},
        }
