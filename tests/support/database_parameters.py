"""One claim of a database on each engine, and what becomes of its parameters there."""

from typing import Any

import catalogue
from groundplane.contracts.database import DatabaseSpec
from groundplane.contracts.environment import Environment, read
from groundplane.contracts.resolve import resolve
from groundplane.core.claim import Claim
from groundplane.core.manifest import Manifest
from groundplane.core.observation import Observation, Observed
from groundplane.core.refusal import Refusal
from groundplane.core.slot import Slot
from groundplane.engines import load
from groundplane.engines.interface import Ask, Source
from made_up import CRDS, NOW

ENVIRONMENTS = {"cnpg": "kubernetes", "rds": "aws", "local": "local"}
CLAIM = Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, "made-up")


def source(name: str = "orders-old", **told: Any) -> Source:
    """Return the claim that is copied."""
    claim = Claim("XDatabase", "db", "team-a", name, "uid-0", 1, "made-up")
    return Source(claim, Slot("cnpg", 1), "app", "17", **told)


def render(engine: str, spec: Manifest, origin: Source | None = None, **seen: Manifest) -> dict[str, Manifest]:
    """Return what *engine* composes, by role.

    *seen* are the objects of the slot that there are, by role.

    Raises:
        Refusal: what the engine refuses.
    """
    slot, found = Slot(engine, 1), load("database", engine)
    data = catalogue.one(catalogue.ENVIRONMENTS / f"{ENVIRONMENTS[engine]}.yaml")["data"]
    whole = DatabaseSpec.model_validate({"version": "17", "storage": {"size": "50Gi"}, **spec})
    effective = resolve("database", CLAIM, whole, read(Environment, "made-up", data))
    ask = Ask(CLAIM, whole, effective, read(found.knobs, "made-up", data), NOW, lambda: "made-up", origin)
    composed = {slot.resource(role): Observed.of(manifest) for role, manifest in seen.items()}
    observation = Observation(composed=composed, schemas=dict.fromkeys(CRDS, True))
    rendered = found.render(ask, slot, observation)
    return {role.removeprefix(slot.resource("")): desired.manifest for role, desired in rendered.resources.items()}


def refused(engine: str, parameters: dict[str, str], **spec: Any) -> str:
    """Return the reason and the words of the refusal of *parameters*, or that there is none."""
    try:
        render(engine, {"parameters": parameters, **spec})
    except Refusal as refusal:
        return f"{refusal.reason}: {refusal.message}"
    return "not refused"


def passed_on(engine: str, parameters: dict[str, str], **spec: Any) -> dict[str, str]:
    """Return the parameters that reach the layer below, as it is told them."""
    found = render(engine, {"parameters": parameters, **spec})
    return told(engine, found)


def told(engine: str, resources: dict[str, Manifest]) -> dict[str, str]:
    """Return the parameters in *resources*, by name."""
    if engine == "cnpg":
        return dict(resources["cluster"]["spec"]["postgresql"]["parameters"])
    if engine == "rds":
        group = next(manifest for role, manifest in resources.items() if role.startswith("parameters-"))
        return {entry["name"]: entry["value"] for entry in group["spec"]["forProvider"]["parameter"]}
    lines = resources["server"]["spec"]["files"][0]["content"].splitlines()
    return {name: value[1:-1] for name, _, value in (line.partition(" = ") for line in lines)}
