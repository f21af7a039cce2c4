"""All checks, in the order in which one thing rests on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.doctor.checks import apis, claims, companion, engines, environments, packages, platform, rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from groundplane.doctor.finding import Finding
    from groundplane.doctor.snapshot import Snapshot

    Check = Callable[[Snapshot], Iterator[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    platform.check,
    packages.check,
    apis.check,
    companion.check,
    rights.check,
    engines.check,
    environments.check,
    claims.check,
)


def examine(snapshot: Snapshot) -> list[Finding]:
    """Return everything that the checks find in *snapshot*."""
    return [finding for check in CHECKS for finding in check(snapshot)]
