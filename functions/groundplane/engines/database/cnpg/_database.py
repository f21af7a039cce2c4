"""What a Database says of its extensions: which it manages, and which are not in the database, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import JSON, at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundplane.core.observation import Observed

_SERVER: Final = re.compile(r"ERROR: +(?P<words>[^\n]+?)(?: \(SQLSTATE \w+\))?$", re.MULTILINE)
_PATH: Final = re.compile(r"""["'][^"']*[/$][^"']*["']""")
_LACKING: Final = ("is not available", "could not open extension control file", "could not access file")


def extensions(database: Observed | None) -> list[str]:
    """Return the extensions that the Database manages now."""
    return [str(at(entry, "name")) for entry in _entries(database, "spec")]


def created(database: Observed | None) -> frozenset[str]:
    """Return the extensions that the operator says are in the database."""
    told = _entries(database, "status")
    return frozenset(str(at(entry, "name")) for entry in told if at(entry, "applied") is True)


def refused(database: Observed | None) -> dict[str, str]:
    """Return the server's words on each extension that it did not create, by name."""
    told = _entries(database, "status")
    return {
        str(at(entry, "name")): str(at(entry, "message") or "") for entry in told if at(entry, "applied") is not True
    }


def missing(database: Observed | None, asked: Iterable[str]) -> str:
    """Return in words why an extension of *asked* is not in the database; empty when all are, or nothing is told."""
    told = {str(at(entry, "name")) for entry in _entries(database, "status")}
    failed = refused(database)
    for name in asked:
        if name in failed:
            return f"database.extensions: {name} could not be created: {_why(failed[name])}"
        if told and name not in told:
            return f"database.extensions: {name} is being created"
    return ""


def _why(message: str) -> str:
    """Return what the server said, without places inside it that mean nothing to whoever wrote the claim."""
    if any(words in message for words in _LACKING):
        return "the server's build does not have it. Ask the platform team for an image that does"
    said = _SERVER.search(message)
    if said is None or _PATH.search(said["words"]):
        return "the Database object has the operator's words"
    return said["words"]


def _entries(database: Observed | None, section: str) -> list[JSON]:
    entries = database.at(section, "extensions") if database else None
    return entries if isinstance(entries, list) else []
