"""Kubernetes quantities ("20Gi", "500m") as exact numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

_FORM = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")
_SCALE = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
_GIBI = _SCALE["Gi"]


@lru_cache(maxsize=1024)  # the same few are read in every call
def parse(quantity: str) -> Decimal:
    """Return *quantity* in its base unit (bytes, cores).

    Raises:
        ValueError: *quantity* is not a Kubernetes quantity.
    """
    match = _FORM.match(quantity)
    if match is None:
        msg = f"{quantity!r} is not a quantity such as 500m, 2 or 20Gi"
        raise ValueError(msg)
    number, unit = match.groups()
    return Decimal(number) * _SCALE[unit or ""]


def gibibytes(quantity: str) -> int:
    """Return *quantity* in whole gibibytes, rounded up: a service may be larger than asked, never smaller."""
    return -int(-parse(quantity) // _GIBI)
