"""The tiers, as numbers (contract, section 6.2).

Constants of v1alpha1. Changing one is a new API version or a new tier name, never a package upgrade: it would change
living claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.contracts.common import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Preset:
    """What a tier demands where the claim is silent. None: nothing."""

    deletion_policy: str
    failure_tolerance: str
    rpo_seconds: int | None
    rto_seconds: int | None
    retention_days: int | None
    drill_interval_days: int | None
    rotation_days: int | None
    size: str | None


PRESETS: Final[Mapping[str, Mapping[Tier, Preset]]] = {
    "database": {
        Tier.DEVELOPMENT: Preset("Delete", "None", 86400, None, 1, None, None, "XSmall"),
        Tier.STANDARD: Preset("Protect", "Node", 900, 14400, 7, 7, 90, "Small"),
        Tier.CRITICAL: Preset("Protect", "Zone", 600, 3600, 35, 1, 30, "Medium"),
    },
}
