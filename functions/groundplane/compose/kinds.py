"""Which kinds a claim's objects are of, which are installed, and which Crossplane may manage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundplane.core.refusal import Reason, Refusal
from groundplane.core.slot import Slot
from groundplane.engines import load, names
from groundplane.engines.interface import all_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundplane.compose.request import Request
    from groundplane.core.manifest import Kind
    from groundplane.core.observation import Observation, Observed
    from groundplane.engines.interface import Engine


def composing(request: Request) -> list[Engine[Any, Any]]:
    """Return the engines that composed what is observed, as the names of the objects tell."""
    slots = {slot.engine for name in request.seen.composed if (slot := Slot.of_resource(name))}
    return [load(request.contract.name, name) for name in names(request.contract.name) if name in slots]


def observed_kinds(engines: Iterable[Engine[Any, Any]], seen: Observation) -> dict[str, Kind]:
    """Return the kinds that objects are observed of, by name of the CRD."""
    observed = {(str(found.at("apiVersion")), str(found.at("kind"))) for found in seen.composed.values()}
    kinds = (kind for engine in engines for kind in all_kinds(engine))
    return {kind.crd: kind for kind in kinds if (kind.api_version, kind.kind) in observed}


def not_installed(engine: Engine[Any, Any], missing: Iterable[Kind]) -> Refusal:
    """Return the refusal of a claim whose *engine* lacks kinds."""
    return Refusal(
        Reason.ENGINE_NOT_INSTALLED,
        f"{engine.product} is not installed, or not whole: the API server has no"
        f" {', '.join(kind.crd for kind in missing)}. Ask the platform team to install it, or choose another"
        " environment.",
    )


def granted(grants: Observed) -> set[str]:
    """Return the kinds that *grants* list; ``*`` stands for all."""
    kinds = grants.at("data", "kinds")
    return {str(kind) for kind in kinds} if isinstance(kinds, list) else set()
