"""One call, decoded: everything an answer depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundplane.contracts.environment import DEFAULT
from groundplane.core.claim import Claim
from groundplane.core.manifest import ENVIRONMENT_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from groundplane.contracts._base import Contract
    from groundplane.core.observation import Observation, Observed


@dataclass(frozen=True, slots=True)
class Request:
    """Everything one call depends on; time and randomness are inputs."""

    contract: Contract
    engine: str
    manifest: Observed
    seen: Observation
    now: datetime
    make_password: Callable[[], str]

    @property
    def claim(self) -> Claim:
        """Who asks."""
        return claim_of(self.contract, self.manifest)


def claim_of(contract: Contract, manifest: Observed) -> Claim:
    """Return the identity of the claim *manifest*, which is of *contract*'s kind."""
    generation = manifest.at("metadata", "generation")
    return Claim(
        kind=contract.kind,
        stem=contract.stem,
        namespace=str(manifest.at("metadata", "namespace") or ""),
        name=manifest.name,
        uid=str(manifest.at("metadata", "uid") or ""),
        generation=generation if isinstance(generation, int) else 0,
        environment=manifest.label(ENVIRONMENT_LABEL) or DEFAULT,
    )
