"""kopf, the controller framework, without what it would load for nothing."""

from __future__ import annotations

import importlib
import sys
from typing import Final, cast

# The controller framework imports every client that is installed, only to know their objects again: 11 MB for nothing.
_CLIENTS: Final = ("kubernetes", "kubernetes_asyncio")


def _import_alone(name: str, hidden: tuple[str, ...]) -> None:
    """Import the module *name* as if none of *hidden* were installed."""
    modules = cast("dict[str, object]", sys.modules)
    there = {one: modules[one] for one in hidden if one in modules}
    modules.update(dict.fromkeys(hidden))
    try:
        importlib.import_module(name)
    finally:
        for one in hidden:
            del modules[one]
        modules.update(there)


_import_alone("kopf", _CLIENTS)
import kopf  # noqa: E402  # It is there already.

__all__ = ["kopf"]
