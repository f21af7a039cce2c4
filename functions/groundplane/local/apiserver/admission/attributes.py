"""One write as policies see it."""

from __future__ import annotations

from dataclasses import dataclass

from groundplane.core.manifest import Manifest, at
from groundplane.local.apiserver.authentication import User

_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, and by whom.

    Attributes:
        operation: CREATE, UPDATE or DELETE.
        group: Of the kind; empty for the core group.
        version: Of the kind, as it is asked for.
        kind: Of the object.
        plural: Of the kind.
        subresource: Empty for the object itself.
        namespaced: Whether the kind is.
        namespace: Of the object; a Namespace is in itself.
        name: Of the object; empty while it has none, and where a whole collection is deleted.
        user: Who asks.
        new: The object as it would be; None for a DELETE.
        old: The object as it is; None for a CREATE.
        dry_run: Whether nothing is to be written.
    """

    operation: str
    group: str
    version: str
    kind: str
    plural: str
    subresource: str
    namespaced: bool
    namespace: str
    name: str
    user: User
    new: Manifest | None
    old: Manifest | None
    dry_run: bool = False

    @property
    def title(self) -> str:
        """What a refusal calls the object."""
        return self.name or at(self.new, "metadata", "generateName") or "Unknown"

    def request(self) -> Manifest:
        """Return the variable ``request`` of an expression; what is empty is not there."""
        kind = {"group": self.group, "version": self.version, "kind": self.kind}
        resource = {"group": self.group, "version": self.version, "resource": self.plural}
        texts = {
            "subResource": self.subresource,
            "requestSubResource": self.subresource,
            "name": self.name,
            "namespace": self.namespace,
        }
        return {
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "operation": self.operation,
            "userInfo": {"username": self.user.name, "groups": [*self.user.groups]},
            "dryRun": self.dry_run,
            "options": {"kind": _OPTIONS[self.operation], "apiVersion": "meta.k8s.io/v1"},
            **{name: text for name, text in texts.items() if text},
        }
