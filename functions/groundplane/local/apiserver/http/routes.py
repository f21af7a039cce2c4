"""What a path means."""

from __future__ import annotations

from dataclasses import dataclass

#: Groups whose unknown paths are answered with a Status; elsewhere the answer is plain text.
TYPED_GROUPS = (
    "",
    "apiextensions.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
)
SUBRESOURCES = ("status", "scale")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes.

    Attributes:
        group: Of the API; empty for the core group.
        version: Of the API; empty when the path ends before it.
        plural: Of the resource; empty when the path ends before it.
        namespace: Empty for all namespaces and for cluster-scoped resources.
        name: Empty for a collection.
        subresource: What comes after the name.
    """

    group: str
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def route(path: str) -> Route | None:
    """Return where *path* goes; None when it is below neither ``/api`` nor ``/apis``."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        return _versioned("", parts[1:])
    if parts[:1] == ["apis"] and len(parts) > 1:
        return _versioned(parts[1], parts[2:])
    return None


def _versioned(group: str, parts: list[str]) -> Route:
    if not parts:
        return Route(group)
    version, *rest = parts
    if _below_namespace(group, rest):
        namespace, plural, name, subresource = _padded(rest[1:], 4)
        return Route(group, version, plural, namespace, name, subresource)
    plural, name, subresource = _padded(rest, 3)
    return Route(group, version, plural, "", name, subresource)


def _below_namespace(group: str, parts: list[str]) -> bool:
    if parts[:1] != ["namespaces"]:
        return False
    # In the core group namespaces are objects themselves.
    return bool(group) or (len(parts) > 2 and not (len(parts) == 3 and parts[2] in SUBRESOURCES))  # noqa: PLR2004  # the word, the namespace, and what is in it


def _padded(parts: list[str], length: int) -> list[str]:
    return [*parts, *[""] * length][:length]
