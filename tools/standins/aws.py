"""provider-upjet-aws 2.6.0, as far as engine rds meets it: what it writes into its objects, and what it only remembers.

From its `config/externalname.go`, upjet 2.4's `pkg/controller/external_async_tfpluginsdk.go` and crossplane-runtime's
`pkg/reconciler/managed`: a name that the cloud makes up is written into an object only as a late initialization, and
until then the provider's memory alone has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from groundplane.core.manifest import JSON, Manifest, at
from standins.account import PARAMETER_GROUP, SECURITY_GROUP, Account, RefusedError
from standins.served import condition, moment

FINALIZER: Final = "finalizer.managedresource.crossplane.io"
EXTERNAL_NAME: Final = "crossplane.io/external-name"
PENDING: Final = "crossplane.io/external-create-pending"
SUCCEEDED: Final = "crossplane.io/external-create-succeeded"
INCOMPLETE: Final = (
    "cannot determine creation result - remove the crossplane.io/external-create-pending annotation if it is safe to"
    " proceed"
)
EMPTY: Final = "cannot resolve references: referenced field was empty (referenced resource may not yet be ready)"
_NAMED_BY_US: Final = (PARAMETER_GROUP,)  # the others have a name that the cloud makes up
_INSTRUCTIONS: Final = ("autoGeneratePassword", "passwordSecretRef", "applyImmediately", "allowMajorVersionUpgrade")
_AT_BIRTH: Final = ("restoreToPointInTime", "snapshotIdentifier")
# Reference, the field that it fills, whether that is a list, and what it refers to.
_REFERENCES: Final = (
    ("securityGroupIdRef", "securityGroupId", False, SECURITY_GROUP),
    ("vpcSecurityGroupIdRefs", "vpcSecurityGroupIds", True, SECURITY_GROUP),
)


@dataclass
class Provider:
    """One process of the provider. A new one for the same *account* is the provider after a restart.

    Attributes:
        write: Stores an object whole; with "status" its status alone.
        find: Returns the object of a kind, namespace and name, or None.
        remembered: Ids by uid of the object: lost with the process.
    """

    account: Account
    write: Callable[[Manifest, str], None]
    find: Callable[[str, str, str], Manifest | None]
    remembered: dict[str, str] = field(default_factory=dict)

    def reconcile(self, found: Manifest) -> None:
        """Look at *found* once, and do what is due."""
        metadata, policies = found["metadata"], _Policies(found)
        if "deletionTimestamp" in metadata and not policies.allow("Delete"):
            self._release(found)
            return
        if _annotation(found, PENDING) and not _annotation(found, SUCCEEDED):
            self._say(found, ("Synced", INCOMPLETE))
            return
        if found["kind"] in _NAMED_BY_US and not _annotation(found, EXTERNAL_NAME):
            found = self._annotate(found, {EXTERNAL_NAME: metadata["name"]})
        if "deletionTimestamp" in metadata:
            self._delete(found)
            return
        if FINALIZER not in metadata.get("finalizers", []):
            found = self._store(found, {"finalizers": [*metadata.get("finalizers", []), FINALIZER]})
        if resolved := self._resolved(found):
            self._serve(resolved, policies)

    def _serve(self, found: Manifest, policies: _Policies) -> None:
        there = self._there(found)
        if there is None:
            if policies.allow("Create"):
                self._create(found)
            else:
                self._say(found, ("Synced", "external resource does not exist"))
        elif there.get("status") == "creating" and not _annotation(found, EXTERNAL_NAME):
            self._say(found, ("Ready", ""))  # its own operation goes on; nothing is looked at meanwhile
        else:
            self._update(found, there, policies)

    def _create(self, found: Manifest) -> None:
        found = self._annotate(found, {PENDING: moment(), SUCCEEDED: None})
        text = ""
        try:
            made = self.account.create(found["kind"], _settings(found))
        except RefusedError as refused:
            name = found["metadata"]["name"]
            text = f"creating {found['kind']} ({name}): StatusCode: 400, RequestID: 0a1b, {refused}"
        else:
            self.remembered[found["metadata"]["uid"]] = made
        found = self._annotate(found, {SUCCEEDED: moment()})  # written whatever became of it: the cloud works meanwhile
        if text:
            self._say(found, ("LastAsyncOperation", f"async create failed: {text}"), ("Synced", text))
        else:
            self._say(found, ("Ready", ""))

    def _update(self, found: Manifest, there: Manifest, policies: _Policies) -> None:
        wanted = {key: value for key, value in _settings(found).items() if key not in _AT_BIRTH}
        differs = any(there.get(key) != value for key, value in wanted.items())
        complaints: list[tuple[str, str]] = []
        if differs and policies.allow("Update"):
            try:
                self.account.change(found["kind"], there["id"], wanted)
            except RefusedError as refused:
                text = f"updating {found['kind']} ({there['id']}): {refused}"
                complaints = [("LastAsyncOperation", f"async update failed: {text}"), ("Synced", text)]
            there = self.account.find(found["kind"], there["id"]) or there
            differs = bool(complaints)
        if policies.allow("LateInitialize") and not _annotation(found, EXTERNAL_NAME):
            found = self._annotate(found, {EXTERNAL_NAME: there["id"]})
        # A failure of before is taken back once the object is as it should be, and not sooner.
        kept = [one for one in _conditions(found) if one["type"] == "LastAsyncOperation" and differs]
        self._say(found, *complaints, also=kept, there=there)

    def _delete(self, found: Manifest) -> None:
        there = self._there(found)
        if there is None:
            self._release(found)
            return
        try:
            self.account.delete(found["kind"], there["id"], _settings(found))
        except RefusedError as refused:
            self._say(found, ("LastAsyncOperation", f"async delete failed: {refused}"), ("Synced", str(refused)))

    def _there(self, found: Manifest) -> Manifest | None:
        name = self.remembered.get(found["metadata"]["uid"]) or _annotation(found, EXTERNAL_NAME)
        return self.account.find(found["kind"], name) if name else None

    def _resolved(self, found: Manifest) -> Manifest | None:
        """Return *found* with every field that a reference fills, or None when one cannot be."""
        asked = found["spec"]["forProvider"]
        filled: Manifest = {}
        for reference, target, is_list, kind in _REFERENCES:
            if reference not in asked:
                continue
            names = [one["name"] for one in (asked[reference] if is_list else [asked[reference]])]
            referred = [self.find(kind, found["metadata"]["namespace"], name) for name in names]
            ids = [_annotation(one, EXTERNAL_NAME) if one else None for one in referred]
            if not all(ids):
                self._say(found, ("Synced", EMPTY))
                return None
            filled[target] = ids if is_list else ids[0]
        if all(asked.get(key) == value for key, value in filled.items()):
            return found
        made = {**found, "spec": {**found["spec"], "forProvider": {**asked, **filled}}}
        self.write(made, "")
        return made

    def _annotate(self, found: Manifest, changes: Manifest) -> Manifest:
        worn = {**found["metadata"].get("annotations", {}), **changes}
        return self._store(found, {"annotations": {key: value for key, value in worn.items() if value is not None}})

    def _store(self, found: Manifest, changes: Manifest) -> Manifest:
        made = {**found, "metadata": {**found["metadata"], **changes}}
        self.write(made, "")
        return made

    def _release(self, found: Manifest) -> None:
        left = [one for one in found["metadata"].get("finalizers", []) if one != FINALIZER]
        self._store(found, {"finalizers": left})

    def _say(
        self,
        found: Manifest,
        *complaints: tuple[str, str],
        also: list[Manifest] | None = None,
        there: Manifest | None = None,
    ) -> None:
        """Write the status: what is *there*, or what was known before, and every one of *complaints*."""
        before = {one["type"]: one for one in _conditions(found)}
        conditions = before if there is None else {one["type"]: one for one in also or []}
        if there is not None:
            conditions["Ready"] = condition("Ready", "Available")
        conditions["Synced"] = condition("Synced", "ReconcileSuccess")
        conditions |= {kind: _false(kind, message) for kind, message in complaints}
        known = at(found, "status", "atProvider") if there is None else _at_provider(there)
        status = {**({"atProvider": known} if known else {}), "conditions": [*conditions.values()]}
        if found.get("status") != status:
            self.write({**found, "status": status}, "status")


class _Policies:
    """What may be done for an object."""

    def __init__(self, found: Manifest) -> None:
        self._listed = set(found["spec"].get("managementPolicies") or ["*"])

    def allow(self, policy: str) -> bool:
        return bool({"*", policy} & self._listed)


def _false(kind: str, message: str) -> Manifest:
    said = {"Ready": "Creating", "Synced": "ReconcileError", "LastAsyncOperation": "AsyncCreateFailure"}
    return {**condition(kind, said[kind], message), "status": "False"}


def _settings(found: Manifest) -> Manifest:
    """Return what the cloud is told: no references, nor what only instructs the provider."""
    asked = found["spec"]["forProvider"]
    told = (key for key in asked if not key.endswith(("Ref", "Refs")) and key not in _INSTRUCTIONS)
    plain = {key: asked[key] for key in told}
    named = {"name": _annotation(found, EXTERNAL_NAME)} if found["kind"] == PARAMETER_GROUP else {}
    return {**plain, **named}


def _at_provider(there: Manifest) -> Manifest:
    told = {key: value for key, value in there.items() if key != "since"}
    if "tags" in told:
        told["tagsAll"] = told["tags"]
    if there.get("status") == "creating":
        told.pop("address", None)
        told.pop("engineVersionActual", None)
    elif "address" in told:
        told |= {"endpoint": f"{told['address']}:5432", "port": 5432, "latestRestorableTime": moment(4)}
        told["resourceId"] = told["id"]
    return told


def _annotation(found: Manifest, key: str) -> str | None:
    value: JSON = at(found, "metadata", "annotations", key)
    return value if isinstance(value, str) and value else None


def _conditions(found: Manifest) -> Iterator[Manifest]:
    yield from at(found, "status", "conditions") or []
