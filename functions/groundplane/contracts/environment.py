"""The environment: what a platform team decides for all claims of a namespace.

It is an EnvironmentConfig. Here stands the part that is the same for every engine; the knobs of an engine are its own
model.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from groundplane.contracts._base import Closed
from groundplane.core.refusal import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.capability import Capability

DEFAULT = "default"  # what a namespace without an environment label gets; serves tier Development only


class Waiver(StrEnum):
    """The guarantees an environment may waive. A closed set: data, deletion and credentials are not in it."""

    FAILURE_TOLERANCE = "FailureTolerance"
    TRANSPORT_ENCRYPTION = "TransportEncryption"
    SCHEDULED_DRILL = "ScheduledDrill"
    BACKUP = "Backup"


class Section(Closed):
    """A group of knobs. Closed, so that a misspelt knob is named instead of ignored."""


class Minimum(Section):
    """Floors under every claim of the environment. They strengthen a demand, never weaken it."""

    failure_tolerance: Annotated[str, Field(pattern="^(None|Node|Zone)$")] | None = None
    """The least that every claim survives: None, Node or Zone."""
    rpo_seconds: Annotated[int, Field(ge=60)] | None = None
    """The largest rpoSeconds any claim gets."""
    rto_seconds: Annotated[int, Field(ge=60)] | None = None
    """The largest rtoSeconds any claim gets."""
    retention_days: Annotated[int, Field(ge=1)] | None = None
    """The smallest retentionDays any claim gets."""


class Knobs(Closed):
    """The sections of an environment that one engine reads. Others belong to other engines and are left alone."""

    model_config = ConfigDict(extra="ignore")

    def capabilities(self) -> Mapping[str, Capability]:
        """Return what these knobs change in the engine's capabilities."""
        return {}


class Environment(Knobs):
    """The part of an environment that is the same for every engine."""

    engines: dict[str, str] = Field(default_factory=dict)
    """Which engine serves each contract, such as database: cnpg. Read when a claim is created."""
    waivers: list[Waiver] = Field(default_factory=list)
    """Guarantees that this environment does not give: FailureTolerance, TransportEncryption, ScheduledDrill, Backup
    (tier Development only). Every claim shows them in status.waived."""
    minimum: Minimum = Minimum()
    """Floors under every claim of this environment."""


def read(model: type[Any], name: str, data: Any) -> Any:
    """Return the data of environment *name* as *model*.

    Raises:
        Refusal: a knob is missing or wrong; the message names it.
    """
    try:
        return model.model_validate(data if data is not None else {})
    except ValidationError as error:
        wrong = "; ".join(_finding(model, found) for found in error.errors(include_url=False))
        raise Refusal(
            Reason.ENVIRONMENT_INCOMPLETE,
            f"environment {name}: {wrong}. Ask the platform team to set it in EnvironmentConfig {name}.",
        ) from None


def _finding(model: type[BaseModel], error: Any) -> str:
    path = ".".join(str(step) for step in error["loc"]) or "data"
    if error["type"] != "missing":
        return f"{path}: {error['msg'][:1].lower()}{error['msg'][1:]}"
    meaning = _meaning(model, error["loc"])
    return f"{path} is missing ({meaning})" if meaning else f"{path} is missing"


def _meaning(model: Any, path: tuple[Any, ...]) -> str:
    """Return the first sentence of the docstring of the knob at *path*, without its full stop."""
    fields = [entry for part in (model, *get_args(model)) for entry in getattr(part, "model_fields", {}).items()]
    for name, field in fields:
        if path and path[0] in {name, field.alias, to_camel(name)}:
            if len(path) == 1:
                return (field.description or "").split(". ")[0].split(".\n")[0].strip().rstrip(".")
            return _meaning(field.annotation, path[1:])
    return ""
