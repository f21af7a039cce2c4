"""The command ``groundplane generate``."""

from __future__ import annotations

from pathlib import Path

import click

from groundplane.generate import files


@click.command("generate")
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False, exists=True), default=".", help="The repository."
)
def generate(*, root: Path) -> None:
    """Write everything that follows from contracts and engines."""
    changed = files.write(root)
    click.echo("\n".join(f"wrote {path}" for path in changed) or "everything generated is current")
