"""Findings, for a person and for a program."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Final

from groundplane.doctor.finding import State, counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundplane.doctor.finding import Finding

HEAD: Final = ("CHECK", "SUBJECT", "STATE", "WHAT IS SEEN, AND WHAT TO DO")
NARROWEST: Final = 40  # columns of the last column, however small the terminal


def as_table(findings: Sequence[Finding], columns: int | None = None) -> str:
    """Return *findings* as a table and a line that sums up; wrapped for *columns*, else each on one line."""
    rows = [HEAD, *((one.check, one.subject, one.state.value, _last(one)) for one in findings)]
    rows = [(_clean(check), _clean(subject), state, _clean(text)) for check, subject, state, text in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [line for row in rows for line in _lines(row, widths, columns)]
    return "\n".join([*lines, "", _sum(findings)]) + "\n"


def as_json(findings: Sequence[Finding], version: str) -> str:
    """Return *findings* as JSON; fields are only ever added."""
    document = {
        "kubernetes": version,
        "summary": {state.value: count for state, count in counts(findings).items()},
        "findings": [
            {
                "check": one.check,
                "subject": one.subject,
                "state": one.state.value,
                "message": one.message,
                "remedy": one.remedy,
            }
            for one in findings
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _last(finding: Finding) -> str:
    message = finding.message.rstrip(".")
    return f"{message}. {finding.remedy}" if finding.remedy else finding.message


def _clean(text: str) -> str:
    """Return *text* on one line, without what would move a terminal's cursor: the cluster's words are not ours."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _lines(row: tuple[str, str, str, str], widths: Sequence[int], columns: int | None) -> list[str]:
    head = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False))
    if columns is None:
        return [f"{head}  {row[3]}".rstrip()]
    room = max(NARROWEST, columns - len(head) - 2)
    first, *rest = textwrap.wrap(row[3], room, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{head}  {first}".rstrip(), *(f"{' ' * len(head)}  {line}" for line in rest)]


def _sum(findings: Sequence[Finding]) -> str:
    found = [f"{count} {_plural(state, count)}" for state, count in counts(findings).items() if count]
    return ", ".join(found) or "nothing was looked at"


def _plural(state: State, count: int) -> str:
    counted = state in {State.PROBLEM, State.WARNING} and count > 1
    return f"{state.value}s" if counted else state.value
