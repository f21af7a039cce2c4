"""Which engines a cluster has a use for: what is missing of another is no problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplane.core.manifest import ENVIRONMENT_LABEL
from groundplane.doctor import expected, wants

if TYPE_CHECKING:
    from groundplane.core.observation import Observed
    from groundplane.doctor.snapshot import Snapshot

Used = frozenset[tuple[str, str]]  # contract and engine


def environments(snapshot: Snapshot) -> list[Observed]:
    """Return every EnvironmentConfig that is an environment: it names engines, or a namespace names it."""
    named = named_by_namespaces(snapshot)
    return [
        found
        for found in snapshot.read(wants.ENVIRONMENTS).objects
        if found.label(expected.LABEL) is None and (found.at("data", "engines") is not None or found.name in named)
    ]


def named_by_namespaces(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the namespaces that name each environment."""
    named: dict[str, list[str]] = {}
    for namespace in snapshot.read(wants.NAMESPACES).objects:
        name = namespace.label(ENVIRONMENT_LABEL)
        if name:
            named.setdefault(name, []).append(namespace.name)
    return named


def used(snapshot: Snapshot) -> Used | None:
    """Return the engines that an environment chooses or that serve a claim; None when that cannot be told."""
    if snapshot.read(wants.ENVIRONMENTS).lack:
        return None
    found: set[tuple[str, str]] = set()
    for environment in environments(snapshot):
        for contract in wants.every_contract():
            found.add((contract.name, str(environment.at("data", "engines", contract.name) or contract.default_engine)))
    for contract in wants.every_contract():
        serving = (claim.at("status", "engine") for claim in snapshot.read(wants.claims(contract)).objects)
        found |= {(contract.name, str(engine)) for engine in serving if engine}
    return frozenset(found)
