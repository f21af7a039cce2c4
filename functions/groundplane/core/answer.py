"""The answer to one call, in the field's words and without its wire format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groundplane.core.manifest import Manifest
from groundplane.core.refusal import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.condition import Type, Verdict
    from groundplane.core.manifest import Kind
    from groundplane.core.observation import Requirement
    from groundplane.core.rendered import Desired, Footprint


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the next call needs to be told. The same question must get the same list, or the reconciler gives up.

    Crossplane parses the document of a whole API group for every schema that is asked for, in every call: a schema is
    asked for once in a reconcile, and *told* is handed from call to call.
    """

    objects: Mapping[str, Requirement] = field(default_factory=dict)
    schemas: tuple[Kind, ...] = ()
    told: Mapping[str, bool] = field(default_factory=dict)  # by name of the CRD: is the kind installed?


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything one call says. With *fatal* nothing is applied and nothing is deleted, and no status is written."""

    conditions: Mapping[Type, Verdict]
    requirements: Requirements
    ttl: int  # seconds until the next call; 0 when fatal, which must never be cached and is tried again anyway
    resources: Mapping[str, Desired] = field(default_factory=dict)
    status: Manifest = field(default_factory=dict)
    ready: bool = False
    fatal: bool = False
    refusal: tuple[Reason, str] | None = None
    notices: tuple[str, ...] = ()
    footprint: Footprint | None = None
