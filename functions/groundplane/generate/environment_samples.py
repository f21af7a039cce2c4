"""A sample environment for each engine: every knob it reads, what it means, and what must be filled in."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

from groundplane.contracts.environment import Environment
from groundplane.core.manifest import ENVIRONMENT_CONFIG
from groundplane.generate import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.contracts._base import Contract
    from groundplane.engines.interface import Engine

WIDTH: Final = 100
NAME: Final = "my-environment"


def sample(contract: Contract, engine: Engine[Any, Any]) -> str:
    """Return an EnvironmentConfig that serves *contract* by *engine*, as text.

    What must be there stands there, with a placeholder such as ``<string>``; what may be there is commented out.
    """
    lines = [
        f"# Every knob of an environment that {contract.name}/{engine.name} reads.",
        "# Fill in what stands in <>, and uncomment what you need.",
        f"apiVersion: {ENVIRONMENT_CONFIG.api_version}",
        f"kind: {ENVIRONMENT_CONFIG.kind}",
        "metadata:",
        f"  name: {NAME}",
        "data:",
        "  engines:",
        f"    {contract.name}: {engine.name}",
    ]
    common = (knob for knob in settings.of(Environment) if knob.path[0] != "engines")
    for found in (common, settings.of(engine.knobs)):
        lines += _lines(found)
    return "\n".join(lines) + "\n"


def _lines(found: Iterator[settings.Knob]) -> Iterator[str]:
    active: dict[tuple[str, ...], bool] = {(): True}
    for knob in found:
        active[knob.path] = knob.required and active[knob.path[:-1]]
        depth = len(knob.path)
        needed = "required" if knob.required else "optional"
        yield from _words(f"{knob.meaning} ({knob.kind}, {needed})", depth)
        mark = "" if active[knob.path] else "# "
        yield f"{'  ' * depth}{mark}{knob.path[-1]}:{_value(knob)}"


def _words(text: str, depth: int) -> list[str]:
    indent = f"{'  ' * depth}## "
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _value(knob: settings.Knob) -> str:
    if knob.kind == settings.SECTION:
        return ""
    if isinstance(knob.default, (str, int)):
        return f" {json.dumps(knob.default)}"
    placeholder = f"<{knob.kind.removeprefix('list of ').removeprefix('map of ')}>"
    if knob.kind.startswith("list of"):
        return f' ["{placeholder}"]'
    return f' {{"<key>": "{placeholder}"}}' if knob.kind.startswith("map of") else f' "{placeholder}"'
