"""One request about a resource, and its answer, as HTTP has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes import status_errors
from groundplane.kubernetes.patch import patches
from groundplane.local.apiserver.authentication import OWNER, User
from groundplane.local.apiserver.http import negotiation
from groundplane.local.apiserver.http import query as options
from groundplane.local.apiserver.http.routes import Route
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.request import Request, manager_of

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_PATCHES = {
    JSON_PATCH: patches.json_patched,
    MERGE_PATCH: patches.merge_patched,
    STRATEGIC: patches.strategic_patched,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request about a resource, as it came.

    Attributes:
        method: As HTTP writes it.
        route: Where it goes.
        query: The parameters.
        headers: Their names in small letters.
        content: The body.
        now: The time.
        user: Who asks.
    """

    method: str
    route: Route
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    now: datetime
    user: User = OWNER


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its status, its object, the form of that, and warnings for the client."""

    code: int
    body: Manifest
    media_type: str = negotiation.JSON_TYPE
    warnings: tuple[str, ...] = ()


def request_of(resource: Resource, call: Call, kind: str) -> Request:
    """Return what *call* says of a write beyond its body; *kind* is that of its options."""
    return Request(
        resource,
        call.route.namespace,
        call.route.name,
        manager_of(call.query.get("fieldManager", ""), call.headers.get("user-agent", "")),
        call.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        options.validation(call.query, kind),
        call.route.subresource,
        options.flag(call.query, "force"),
        call.user,
    )


def change_of(kind: str, text: str) -> Callable[[Manifest], JSON]:
    """Return what the patch *text*, of the media type *kind*, does to an object.

    Raises:
        StatusError: It is no such patch.
    """
    try:
        patch = negotiation.from_json(text)
    except status_errors.StatusError as error:
        raise status_errors.bad_request(f"error decoding patch: {error}") from None
    how: Callable[[Manifest, JSON], JSON] = _PATCHES[kind]

    def changed(manifest: Manifest) -> JSON:
        try:
            return how(manifest, patch)
        except patches.PatchError as error:
            raise status_errors.StatusError(error.code, error.reason, str(error), {}) from None

    return changed
