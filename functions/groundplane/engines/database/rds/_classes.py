"""Which instance class serves a claim: one that the region has, and the same for as long as the claim asks the same.

Which of the default classes a region does not have is written by `tools/classes.py` into the file beside this one.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundplane.core.manifest import GROUP
from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database import _postgresql as postgresql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.observation import Observed
    from groundplane.engines.database.rds._names import Place
    from groundplane.engines.database.rds._settings import InstanceClass

FILE: Final = Path(__file__).with_name("_classes.json")
COMPUTE: Final = f"{GROUP}/compute"  # of the Instance: the compute that its class was chosen for


def compute(place: Place) -> str:
    """Return what the claim asks for, as the Instance tells it."""
    return "/".join(postgresql.compute(place.ask))


def chosen(place: Place, observed: Observed | None) -> InstanceClass:
    """Return the class for the claim's size, or the first that has the resources asked.

    What the environment lists is taken as it is. Of the default classes those are left out that the region is known
    not to have; an instance keeps its class while the claim asks the same, whatever became known since.

    Raises:
        Refusal: NotOffered, when no class is large enough, or the region has none.
    """
    rds, spec, size = place.ask.knobs.rds, place.ask.spec, place.ask.effective.size
    named = None if spec.resources or size is None else rds.instance_classes.get(size)
    cpu, memory = postgresql.compute(place.ask)
    fitting = [entry for entry in rds.classes if entry.name == named or (named is None and entry.holds(cpu, memory))]
    if not fitting:
        raise _too_small(place)
    if named or "classes" in rds.model_fields_set:
        return fitting[0]
    if kept := _kept(place, observed, fitting):
        return kept
    missing = absent(place.ask.knobs.aws.region)
    for entry in fitting:
        if entry.name not in missing:
            return entry
    raise _not_there(place, fitting)


@functools.cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def absent(region: str) -> frozenset[str]:
    """Return the default classes that *region* does not have; none of a region that is not known."""
    return frozenset(_data()["absent"].get(region, ()))


def _kept(place: Place, observed: Observed | None, fitting: list[InstanceClass]) -> InstanceClass | None:
    """Return the class that the instance has, when it was chosen for what the claim asks now."""
    if observed is None:
        return None
    name, asked = observed.at("spec", "forProvider", "instanceClass"), observed.annotation(COMPUTE)
    if asked is None:  # of a release that knew nothing of regions: it took the first
        return fitting[0] if name == fitting[0].name else None
    return next((entry for entry in fitting if entry.name == name), None) if asked == compute(place) else None


def _too_small(place: Place) -> Refusal:
    (cpu, memory), classes = postgresql.compute(place.ask), place.ask.knobs.rds.classes
    largest = max(classes, key=lambda entry: (entry.cpu, int(entry.memory.removesuffix("Gi"))))
    return Refusal(
        Reason.NOT_OFFERED,
        f"{_field(place)}: {cpu} CPU and {memory} memory are more than any instance class of environment"
        f" {place.ask.claim.environment} has. The largest is {largest.name} with {largest.cpu} CPU and"
        f" {largest.memory}. Ask for less, or ask the platform team to add a class to rds.classes.",
    )


def _not_there(place: Place, fitting: list[InstanceClass]) -> Refusal:
    (cpu, memory), region = postgresql.compute(place.ask), place.ask.knobs.aws.region
    return Refusal(
        Reason.NOT_OFFERED,
        f"{_field(place)}: {cpu} CPU and {memory} memory are in region {region} in none of the instance classes that"
        f" environment {place.ask.claim.environment} chooses from, of which {fitting[0].name} would be the first."
        " Ask for another size, or ask the platform team to list classes of the region in rds.classes.",
    )


def _field(place: Place) -> str:
    return "resources" if place.ask.spec.resources else "size"
