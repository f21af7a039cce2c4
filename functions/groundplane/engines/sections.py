"""Which sections an environment may have, and what is said of one that nobody reads."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from groundplane.contracts.environment import Environment, Knobs
from groundplane.engines import contracts, names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from groundplane.engines.interface import Engine

# The sections that several engines read. What one engine alone reads has its name, so nobody need import an engine to
# know that somebody reads it.
SHARED: Final = frozenset({"aws", "backup", "kubernetes", "monitoring"})


@cache
def known() -> frozenset[str]:
    """Return the names of all sections that an environment may have; no engine is imported for it."""
    own = (name for contract in contracts() for name in names(contract))
    return frozenset({*of(Environment), *SHARED, *own})


def of(model: type[Knobs]) -> frozenset[str]:
    """Return the names of the sections that *model* reads."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def unread(environment: str, data: Any, engines: Iterable[Engine[Any, Any]]) -> tuple[str, ...]:
    """Return a notice for every section in the *data* of *environment* that nobody reads; *engines* serve there.

    A notice, no refusal: the section may be for a release to come, and must not stop the claims of today.
    """
    read = known() - {engine.name for engine in engines if not _reads_its_own(engine)}
    unknown = sorted(set(data) - read) if isinstance(data, dict) else []
    return tuple(
        f"environment {environment}: {name} is read by no engine of this release{_near(name, read)}" for name in unknown
    )


def _reads_its_own(engine: Engine[Any, Any]) -> bool:
    """Tell whether somebody may read the section of *engine*'s name: it does, or another contract's of that name."""
    named = [contract for contract in contracts() if engine.name in names(contract)]
    return engine.name in of(engine.knobs) or len(named) > 1


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
