"""Render every example through the real function server: a table of what became of each, its manifests in _output/."""

from __future__ import annotations

import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import yaml
from crossplane.function import logging

from groundplane.crossplane import function_client
from groundplane.render import admission, files, inputs, installed, output, run

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
OUTPUT = ROOT / "_output"
COLUMNS = ("CLAIM", "ENVIRONMENT", "ENGINE", "ANSWER", "OBJECTS", "RUNS ON")


def lines() -> list[str]:
    """Return the table of all examples, with what each refused claim is told."""
    logging.configure(logging.Level.DISABLED)
    began = time.monotonic()
    checker = admission.Admission(installed.apis())
    rows, refusals = [], []
    with function_client.serving(function_client.make_runner(datetime.now(UTC))) as call:
        for environment in sorted((EXAMPLES / "environments").glob("*.yaml")):
            for claim in claims(environment):
                shown = inputs.load(environment=str(environment), required=[str(EXAMPLES / "required")])
                for document in files.unchecked(str(claim), sys.stdin.buffer.read):
                    rendered, _ = run.render(document, shown, checker, call)
                    rows.append(row(rendered, environment.stem))
                    refusals += refusal(rendered, environment.stem)
                    keep(rendered, environment.stem, claim.stem)
    seconds, refused = time.monotonic() - began, sum(line[4] == "-" for line in rows)
    return [
        *table(rows).splitlines(),
        "",
        *refusals,
        f"{len(rows)} claims answered by the real gRPC function in {seconds:.1f} s, {refused} of them refused.",
        f"{len(rows) - refused} files of manifests are in {OUTPUT.name}/, such as {OUTPUT.name}/kubernetes/cnpg.yaml.",
    ]


def claims(environment: Path) -> list[Path]:
    """Return the claims to show in *environment*: its engines' own examples, and one for each tier.

    The environment of namespaces without a label serves a first try only; one claim that it honours and one that it
    does not are enough.
    """
    chosen = yaml.safe_load(environment.read_text())["data"]["engines"]
    if environment.stem == "default":
        return [EXAMPLES / "claims" / f"{tier}.yaml" for tier in ("development", "standard")]
    own = [EXAMPLES / contract / f"{engine}.yaml" for contract, engine in sorted(chosen.items())]
    return [*own, *sorted((EXAMPLES / "claims").glob("*.yaml"))]


def row(rendered: output.Rendered, environment: str) -> tuple[str, ...]:
    """Return one line of the table."""
    outcome, metadata = rendered.outcome, rendered.outcome.xr["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}"
    _, reason, _ = outcome.condition("Accepted")
    costs = outcome.footprint
    size = f"{costs['instances']} x {costs['size']}, {costs['storage']}" if costs else ""
    return name, environment, outcome.engine, reason, str(len(outcome.resources) or "-"), size


def refusal(rendered: output.Rendered, environment: str) -> list[str]:
    """Return what a refused claim is told, for people."""
    if not rendered.outcome.refused:
        return []
    _, reason, message = rendered.outcome.condition("Accepted")
    head = f"{rendered.outcome.xr['metadata']['name']} in {environment}, {reason}:"
    return [head, *textwrap.wrap(message, 100, initial_indent="    ", subsequent_indent="    "), ""]


def keep(rendered: output.Rendered, environment: str, stem: str) -> None:
    """Leave the manifests of a claim that was honoured where a person can read them."""
    if not rendered.outcome.refused:
        path = OUTPUT / environment / f"{stem}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output.as_yaml([rendered]))


def table(rows: list[tuple[str, ...]]) -> str:
    """Return *rows* as columns."""
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = []
    for line in (COLUMNS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
