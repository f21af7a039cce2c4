"""An outcome for a person at a terminal: at most 80 columns, the important things first."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

import click

from groundplane.core.manifest import ENVIRONMENT_LABEL, Manifest, at
from groundplane.crossplane.outcome import Gone, Outcome
from groundplane.render.output import Rendered

COLUMNS = 80
LABEL = 14  # columns: the width of the words on the left
VERDICTS = ("Accepted", "Serving", "Settled")

_SLOT = re.compile(r"[a-z]+-[0-9]+(?=-|\Z)")
_SHARED = "for the whole claim"
_COLOURS = {"True": "green", "False": "red"}


def as_tree(rendered: Iterable[Rendered], *, colour: bool) -> str:
    """Return what became of each claim, with terminal colours if *colour*.

    A refused claim shows its verdict and no resources.
    """
    text = "\n".join("\n".join(_lines(one)) + "\n" for one in rendered)
    return text if colour else click.unstyle(text)


def _lines(one: Rendered) -> list[str]:
    outcome = one.outcome
    engine = f" (engine {outcome.engine})" if outcome.engine else ""
    environment = at(outcome.xr, "metadata", "labels", ENVIRONMENT_LABEL)
    lines = [click.style(one.title, bold=True)]
    lines += _field("Environment", environment or "none: the claim has no environment label")
    lines += _field("Composition", f"{outcome.composition}{engine}")
    for verdict in VERDICTS:
        lines += _verdict(verdict, outcome)
    lines += _status(outcome)
    if not outcome.refused:
        lines += _field("Costs", _costs(outcome.footprint))
        lines += _resources(outcome)
    lines += _going("Deleted", outcome.deleted)
    lines += _going("Leaked", outcome.leaked)
    lines += _going("Forgotten", outcome.forgotten)
    return lines


def _field(label: str, text: str, colour: str | None = None) -> list[str]:
    """Return the wrapped lines of one labelled text; none when there is no text."""
    if not text:
        return []
    indent = " " * (LABEL + 2)
    wrapped = textwrap.wrap(text, COLUMNS - len(indent), break_long_words=False, break_on_hyphens=False)
    first = click.style(wrapped[0], fg=colour) if colour else wrapped[0]
    return [f"  {label:<{LABEL}}{first}", *(f"{indent}{line}" for line in wrapped[1:])]


def _verdict(kind: str, outcome: Outcome) -> list[str]:
    status, reason, message = outcome.condition(kind)
    head = " ".join(filter(None, (status, reason)))
    lines = _field(kind, head, _COLOURS.get(status, "yellow"))
    if reason == "HonouredWithWaivers":
        return lines  # each waiver has a line of its own
    return [*lines, *(line for text in message.splitlines() for line in _field("", text))]


def _status(outcome: Outcome) -> list[str]:
    lines = []
    for entry in at(outcome.xr, "status", "waived") or []:
        asked = f"asked {entry['asked']}, " if entry.get("asked") else ""
        lines += _field("Waived", f"{entry.get('guarantee')}: {asked}given {entry.get('given')}")
    return lines + _field("Binding", at(outcome.xr, "status", "binding", "name") or "")


def _costs(footprint: Manifest) -> str:
    """Return what the function says it costs, in words; empty when it does not say."""
    if not footprint:
        return ""
    count = footprint["instances"]
    words = [
        f"{count} instance{'' if count == 1 else 's'} of {footprint['size']}",
        f"{footprint['storage']} storage{'' if count == 1 else ' each'}",
    ]
    return "; ".join([*words, *([f"backups: {footprint['backup']}"] if footprint.get("backup") else [])])


def _resources(outcome: Outcome) -> list[str]:
    count = f"{len(outcome.resources)}, {len(outcome.ready)} ready"
    lines = _field("Resources", count)
    names = sorted(outcome.resources, key=lambda name: _kind_and_name(outcome.resources[name]))
    for group in sorted({_group(name) for name in names}):
        lines.append(f"    {group}")
        for name in names:
            if _group(name) == group:
                lines += _resource(outcome.resources[name], ready=name in outcome.ready)
    return lines


def _kind_and_name(found: Manifest) -> tuple[str, str]:
    return found["kind"], found["metadata"]["name"]


def _resource(found: Manifest, *, ready: bool) -> list[str]:
    mark = click.style("ready", fg="green") if ready else click.style("  -  ", fg="yellow")
    kind, name = _kind_and_name(found)
    line = f"      {mark}  {kind:<20} {name}"
    if len(click.unstyle(line)) <= COLUMNS:
        return [line]
    return [f"      {mark}  {kind}", f"{name:>{COLUMNS}}"]


def _group(resource_name: str) -> str:
    """Return the slot a composed resource belongs to: engine and generation start its name."""
    match = _SLOT.match(resource_name)
    return match[0] if match else _SHARED


def _going(label: str, gone: tuple[Gone, ...]) -> list[str]:
    first, *rest = [str(one) for one in gone] or [""]
    lines = _field(label, first, "red")
    return [*lines, *(line for text in rest for line in _field("", text))]
