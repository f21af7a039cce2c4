"""The engines: who honours a contract, and how far.

The path is the registry: the module ``engines/<contract>/<engine>`` defines ``ENGINE``; a large engine may be a package
of that name.
Modules with a leading underscore are shared parts.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groundplane.engines.interface import Engine


@cache
def contracts() -> tuple[str, ...]:
    """Return the stems of all contracts that have engines on disk, sorted."""
    found = iter_modules([str(Path(__file__).parent)])
    return tuple(sorted(info.name for info in found if info.ispkg and not info.name.startswith("_")))


@cache
def names(contract: str) -> tuple[str, ...]:
    """Return the stems of all engines of *contract* on disk, sorted."""
    found = iter_modules([str(Path(__file__).parent / contract)])
    return tuple(sorted(info.name for info in found if not info.name.startswith("_")))


@cache
def load(contract: str, engine: str) -> Engine[Any, Any]:
    """Return the engine called *engine* of *contract*.

    Raises:
        LookupError: there is no such engine; the message lists those there are.
    """
    if engine not in names(contract):
        msg = f"{engine!r} is not an engine for {contract}; there are: {', '.join(names(contract))}"
        raise LookupError(msg)
    found: Engine[Any, Any] = import_module(f"{__name__}.{contract}.{engine}").ENGINE
    return found
