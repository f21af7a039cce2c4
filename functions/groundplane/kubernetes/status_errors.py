"""What the API refuses, as the ``Status`` objects that Kubernetes' clients know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from groundplane.core.manifest import JSON, Manifest


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason among several: ``reason`` is one of Kubernetes' own words, ``field`` a path in the object."""

    reason: str
    message: str
    field: str

    def manifest(self) -> Manifest:
        """Return the cause as a Status tells it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}

    def __str__(self) -> str:
        """Return the cause as a message of several tells it."""
        return f"{self.field}: {self.message}"


class StatusError(Exception):
    """A refusal. Its text is the message; ``status()`` is the whole of it."""

    def __init__(self, code: int, reason: str, message: str, details: Manifest | None = None) -> None:
        """Make a refusal.

        Args:
            code: The HTTP status.
            reason: The word that clients look at; empty where Kubernetes has none.
            message: For people.
            details: What it is about; None leaves it out.
        """
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    def status(self) -> Manifest:
        """Return the Status object."""
        made: Manifest = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        made["message"] = str(self)
        if self.reason:
            made["reason"] = self.reason
        if self.details is not None:
            made["details"] = self.details
        return {**made, "code": self.code}


def about(name: str, group: str, kind: str, **more: JSON) -> Manifest:
    """Return the details of a Status, without what is empty."""
    found = {"name": name, "group": group, "kind": kind, **more}
    return {key: value for key, value in found.items() if value}


def joined(name: str, group: str) -> str:
    """Return ``name.group``, or the name alone in the core group."""
    return f"{name}.{group}" if group else name


def quoted(text: object) -> str:
    """Return *text* in quotes, as Go writes it."""
    return json.dumps(str(text), ensure_ascii=False)


def bad_request(message: str) -> StatusError:
    """Refuse what cannot be understood."""
    return StatusError(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def internal(message: str) -> StatusError:
    """Refuse as Kubernetes does where it has no reason to give."""
    return StatusError(HTTPStatus.INTERNAL_SERVER_ERROR, "", message)


def not_found(group: str, plural: str, name: str) -> StatusError:
    """Refuse what is asked of an object that is not there."""
    message = f"{joined(plural, group)} {quoted(name)} not found"
    return StatusError(HTTPStatus.NOT_FOUND, "NotFound", message, about(name, group, plural))


def no_such_resource() -> StatusError:
    """Refuse a path below a known group-version."""
    message = "the server could not find the requested resource"
    return StatusError(HTTPStatus.NOT_FOUND, "NotFound", message, {})


def no_such_method() -> StatusError:
    """Refuse a method that a resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message, {})


def already_exists(group: str, plural: str, name: str) -> StatusError:
    """Refuse to create what is there."""
    message = f"{joined(plural, group)} {quoted(name)} already exists"
    return StatusError(HTTPStatus.CONFLICT, "AlreadyExists", message, about(name, group, plural))


def conflict(group: str, kind: str, name: str, why: str) -> StatusError:
    """Refuse a change to another state than the stored one."""
    message = f"Operation cannot be fulfilled on {joined(kind, group)} {quoted(name)}: {why}"
    return StatusError(HTTPStatus.CONFLICT, "Conflict", message, about(name, group, kind))


def modified(group: str, plural: str, name: str) -> StatusError:
    """Refuse a change that was made to an older version."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(group, plural, name, why)


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[Cause] = ()) -> StatusError:
    """Refuse what is not allowed now."""
    message = f"{joined(plural, group)} {quoted(name)} is forbidden: {why}"
    details = about(name, group, plural, causes=[cause.manifest() for cause in causes])
    return StatusError(HTTPStatus.FORBIDDEN, "Forbidden", message, details)


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> StatusError:
    """Refuse an object for *causes*, of which there is at least one."""
    texts = list(dict.fromkeys(map(str, causes)))
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f"{joined(kind, group)} {quoted(name)} is invalid: {told}"
    details = about(name, group, kind, causes=[cause.manifest() for cause in causes])
    return StatusError(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message, details)


def unacceptable(types: Sequence[str]) -> StatusError:
    """Refuse to answer in a form that is not spoken here."""
    message = f"only the following media types are accepted: {', '.join(types)}"
    return StatusError(HTTPStatus.NOT_ACCEPTABLE, "NotAcceptable", message)


def unsupported(types: Sequence[str]) -> StatusError:
    """Refuse to read a form that is not read here."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(types)}"
    return StatusError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)


def unauthorized() -> StatusError:
    """Refuse whoever has no token."""
    return StatusError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")


def expired(version: int, floor: int) -> StatusError:
    """Refuse to tell of changes that are forgotten."""
    return StatusError(HTTPStatus.GONE, "Expired", f"too old resource version: {version} ({floor})")
