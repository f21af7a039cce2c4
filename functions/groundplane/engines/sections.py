"""Which sections an environment may have, and what is said of one that nobody reads."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from groundplane import contracts
from groundplane.contracts.environment import Environment, Knobs
from groundplane.engines import load, names

if TYPE_CHECKING:
    from collections.abc import Collection


@cache
def sections() -> frozenset[str]:
    """Return the names of all sections that an environment may have: the common ones, and every engine's."""
    read = (load(contract, name).knobs for contract in contracts.names() for name in names(contract))
    models: tuple[type[Knobs], ...] = (Environment, *read)
    return frozenset(field.alias or name for model in models for name, field in model.model_fields.items())


def unread(environment: str, data: Any) -> tuple[str, ...]:
    """Return a notice for every section in the *data* of *environment* that no engine of this release reads.

    A notice, no refusal: the section may be for a release to come, and must not stop the claims of today.
    """
    known = sections()
    unknown = sorted(set(data) - known) if isinstance(data, dict) else []
    return tuple(
        f"environment {environment}: {name} is read by no engine of this release{_near(name, known)}"
        for name in unknown
    )


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
