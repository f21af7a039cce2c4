"""What a write asks for and what it leads to, apart from the objects."""

from __future__ import annotations

from dataclasses import dataclass

from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.authentication import User
from groundplane.local.apiserver.kinds.resource import Resource

_LONGEST_MANAGER = 128


@dataclass(frozen=True, slots=True)
class Request:
    """A write, apart from its body.

    Attributes:
        resource: The kind.
        namespace: Of the object; empty for a cluster-scoped one.
        name: Of the object; empty for a create.
        manager: Who becomes the owner of the fields.
        now: The time, as objects write it.
        validation: What unknown fields lead to: Strict, Warn or Ignore.
        subresource: ``status``, ``scale``, or empty.
        force: Whether an apply takes fields away from other managers.
        user: Who asks; None for the server itself, which no policy is asked about.
    """

    resource: Resource
    namespace: str
    name: str
    manager: str
    now: str
    validation: str = "Ignore"
    subresource: str = ""
    force: bool = False
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write leads to.

    Attributes:
        manifest: The object afterwards.
        warnings: For the one who asked.
        changed: Whether anything is to be written at all.
    """

    manifest: Manifest
    warnings: tuple[str, ...] = ()
    changed: bool = True


def manager_of(field_manager: str, user_agent: str) -> str:
    """Return who owns what a request writes: as it says, else the first word of its user agent."""
    return (field_manager or user_agent.partition("/")[0] or "unknown")[:_LONGEST_MANAGER]


def raw_schema(resource: Resource) -> Manifest | None:
    """Return the schema by which fields are owned; None for built-in kinds, which are maps to whoever owns them."""
    return resource.schema.root.raw if resource.custom else None
