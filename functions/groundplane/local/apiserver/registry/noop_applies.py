"""Applies that changed nothing. A reconciler sends them again and again, and to find that out takes milliseconds."""

from __future__ import annotations

import hashlib
import json

from groundplane.core.manifest import Manifest, at
from groundplane.local.apiserver.registry import writes
from groundplane.local.apiserver.registry.admission import Mutate
from groundplane.local.apiserver.registry.request import Outcome, Request
from groundplane.local.apiserver.storage.records import Key

_MOST = 10_000  # one is about 200 bytes
_PRECONDITIONS = ("uid", "resourceVersion")
_WHO = ("manager", "operation", "apiVersion", "subresource")

Place = tuple[Key, str, str, bool]


class Settled:
    """Remembers by a digest what changed nothing, and to what: the same of both changes nothing again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[Place, bytes] = {}

    def forget(self) -> None:
        """Forget everything, as when a schema changes."""
        self._known.clear()

    def apply(self, request: Request, stored: Manifest, config: Manifest, mutate: Mutate) -> Outcome:
        """Return what `verbs.apply` returns.

        Raises:
            StatusError: as `verbs.apply` does.
        """
        place = (
            request.resource.key(request.namespace, request.name),
            request.manager,
            request.subresource,
            request.force,
        )
        digest = _digest(request, stored, config)
        if self._known.get(place) == digest:
            old = request.resource.presented(stored)
            if mutate(old, old) is old:
                return Outcome(stored, changed=False)
        outcome = writes.apply(request, stored, config, mutate)
        self._known.pop(place, None)
        if not (outcome.changed or any(at(config, "metadata", name) for name in _PRECONDITIONS)):
            self._known[place] = digest
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
        return outcome


def _digest(request: Request, stored: Manifest, config: Manifest) -> bytes:
    """Return a digest of all that an apply depends on.

    Of the fields of others it is only who has any: their values stand in the object, and what an apply takes from them
    it takes by changing those. What a status says is left aside where the apply does not reach it.
    """
    aside = {"metadata", "status"} if request.resource.status and not request.subresource else {"metadata"}
    metadata = {name: value for name, value in stored["metadata"].items() if name != "managedFields"}
    metadata.pop("resourceVersion", None)
    entries = stored["metadata"].get("managedFields") or []
    rest = {name: value for name, value in stored.items() if name not in aside}
    who = [[one.get(name) for name in _WHO] for one in entries]
    own = [one.get("fieldsV1") for one in entries if one.get("manager") == request.manager]
    # Not sorted: in another order it may be the same, but then it is merely looked at again.
    text = json.dumps([config, metadata, rest, who, own], separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
