"""Claims and their surroundings, written to files and shown to `groundplane render` as a person would."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

import catalogue
from catalogue import Manifest
from groundplane.__main__ import main
from scenarios import merged

RENDERED, REJECTED, REFUSED = 0, 1, 3

Patch = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """What the command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Desk:
    """A folder, and the example of one engine that stands in it, changed as a test likes."""

    folder: Path
    engine: catalogue.Engine

    def write(self, name: str, *manifests: Any) -> str:
        """Write *manifests* to the file *name*, and return its path."""
        path = self.folder / name
        path.write_text("---\n".join(yaml.safe_dump(one) for one in manifests), encoding="utf-8")
        return str(path)

    def render(  # noqa: PLR0913  # Everything around a claim, by name.
        self,
        claim: Patch | None = None,
        *,
        before: Patch | None = None,
        environment: Patch | None = None,
        required: Sequence[Manifest] = (),
        observed: Sequence[Any] = (),
        absent: Sequence[str] = (),
    ) -> Shown:
        """Render the engine's example with *claim* merged in. Whatever happens, it must be no traceback."""
        example = catalogue.one(self.engine.example)
        words = ["render", self.write("claim.yaml", merged(example, claim))]
        if before is not None:
            words += ["--claim-before", self.write("before.yaml", merged(example, before))]
        changed = merged(catalogue.one(self.engine.environment), environment)
        changed["data"]["engines"] = {self.engine.contract: self.engine.name}
        words += ["--environment", self.write("environment.yaml", changed)]
        for option, manifests in (("required", required), ("observed", observed)):
            if manifests:
                words += [f"--{option}", self.write(f"{option}.yaml", *manifests)]
        words += [word for gone in absent for word in ("--absent", gone)]
        result = CliRunner().invoke(main, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return Shown(result.exit_code, result.stdout, result.stderr.replace(f"{self.folder}/", ""))


def at_path(path: Sequence[str], value: Any) -> Patch:
    """Return the patch that puts *value* at *path*."""
    for step in reversed(path):
        value = {step: value}
    found: Patch = value
    return found


def spec(**fields: Any) -> Patch:
    """Return a patch of the spec."""
    return {"spec": fields}
