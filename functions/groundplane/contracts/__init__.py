"""The contracts: what a consumer may ask, and what it is told. They name no engine.

The models are the only source of everything generated from them: XRDs, descriptions, tables.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from groundplane.contracts._base import Contract


@cache
def names() -> tuple[str, ...]:
    """Return the stems of all contracts on disk, sorted: a module that defines ``CONTRACT`` is one."""
    found = (info.name for info in iter_modules(__path__) if not info.name.startswith("_"))
    return tuple(sorted(name for name in found if hasattr(_module(name), "CONTRACT")))


def load(name: str) -> Contract:
    """Return the contract called *name*, such as ``database``.

    Raises:
        LookupError: there is no such contract.
    """
    try:
        contract: Contract = _module(name).CONTRACT
    except (ModuleNotFoundError, AttributeError):
        msg = f"there is no contract {name!r}"
        raise LookupError(msg) from None
    return contract


def of_kind(kind: str) -> Contract:
    """Return the contract whose claims are of *kind*, such as ``XDatabase``; no other contract is imported for it.

    Raises:
        LookupError: no contract has this kind.
    """
    name = kind.removeprefix("X").lower()  # a test holds every contract to it
    if name.isidentifier():
        with suppress(LookupError):
            found = load(name)
            if found.kind == kind:
                return found
    msg = f"{kind} is not a kind of groundplane.dev"
    raise LookupError(msg)


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
