"""Quantities that make sense: the schema tells a number with a unit, and here it is checked what it amounts to.

The patterns of the schema cannot tell 512m of memory, half a byte, from 512Mi; and they must never become narrower.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticCustomError

from groundplane.core.quantity import parse

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_MEMORY: Final = "64Mi"
MOST_MEMORY: Final = "64Ti"
MOST_CORES: Final = 448  # of the largest machine of a cloud
MOST_STORAGE: Final = "4096Ti"
_PARTS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)")


def cores(text: str) -> str:
    """Return *text* when it is a number of cores that a server may have.

    Raises:
        PydanticCustomError: it is not; the message says what was likely meant.
    """
    number = _number(text)
    likely = [f"{number}m"] if text == number else [number, f"{number}m"]
    return _checked(text, _unlike_cores(text), likely, _unlike_cores)


def memory(text: str) -> str:
    """Return *text* when it is an amount of memory that a server may have.

    Raises:
        PydanticCustomError: it is not; the message says what was likely meant.
    """
    few = text.isdecimal() and len(text) < len("100")  # 8 is meant in Gi, 512 in Mi
    units = ("Gi", "Mi") if few or text.endswith(("T", "Ti")) else ("Mi", "Gi")
    return _checked(text, _unlike_memory(text), [_number(text) + unit for unit in units], _unlike_memory)


def storage(text: str) -> str:
    """Return *text* when it is a size that a volume may have.

    Raises:
        PydanticCustomError: it is not; the message says what was likely meant.
    """
    return _checked(text, _unlike_storage(text), [f"{_number(text)}Gi"], _unlike_storage)


def _unlike_cores(text: str) -> str:
    if text[-1:].isalpha() and not text.endswith("m"):
        return f"{text} is an amount of memory, and this is a number of cores"
    value = parse(text)
    if value > MOST_CORES:
        return f"{text} cores are more than any machine has"
    return f"{text} is finer than a thousandth of a core, the smallest step" if value * 1000 % 1 else ""


def _unlike_memory(text: str) -> str:
    if text.endswith("m"):
        return f"{text} is {_number(text)} thousandths of a byte"
    value = parse(text)
    if value < parse(LEAST_MEMORY):
        return f"{text}{' bytes' if text.isdecimal() else ''} is less than {LEAST_MEMORY}, too little for a server"
    return f"{text} is more than any machine has" if value > parse(MOST_MEMORY) else ""


def _unlike_storage(text: str) -> str:
    return f"{text} is more than any volume holds" if parse(text) > parse(MOST_STORAGE) else ""


def _number(text: str) -> str:
    match = _PARTS.fullmatch(text)
    return match[1] if match else text


def _checked(text: str, wrong: str, likely: list[str], unlike: Callable[[str], str]) -> str:
    """Return *text*, unless it is *wrong*: then the first of *likely* that makes sense is told."""
    if not wrong:
        return text
    meant = next((one for one in likely if one != text and not unlike(one)), None)
    remedy = f". Write {meant}, if that is meant" if meant else ""
    raise PydanticCustomError("quantity", wrong + remedy)
