"""The programs that the engines of one machine need on it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from groundplane import engines

if TYPE_CHECKING:
    from groundplane.engines.interface import Distribution

ENGINE: Final = "local"  # what the engines of one machine are called, whatever the contract


@cache
def distributions() -> tuple[Distribution, ...]:
    """Return what the engines of this machine need, each once, in the order of their contracts."""
    found = [engines.load(contract, ENGINE) for contract in engines.contracts() if ENGINE in engines.names(contract)]
    return tuple(dict.fromkeys(one for engine in found for one in engine.distributions))
