"""`metadata.managedFields`: who owns which fields of an object, since when, and by which kind of write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.managedfields.fieldset import FieldsError, FieldSet, from_fields

APPLY, UPDATE = "Apply", "Update"
#: How many managers of updates an object keeps; the oldest beyond it become one.
MOST_UPDATERS = 10
_BUCKET = "ancient-changes"
_FIELDS_TYPE = "FieldsV1"


class ManagedFieldsError(ValueError):
    """The message says why managedFields cannot be read."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns fields. The same manager is another owner when it applies, or through another subresource.

    Attributes:
        manager: The name that the client gave, or that its user agent begins with.
        operation: APPLY or UPDATE.
        api_version: The version of an update; empty for an apply, whose owner stays the same in all versions.
        subresource: The subresource written through; empty for the object itself.
    """

    manager: str
    operation: str
    api_version: str
    subresource: str

    @property
    def identity(self) -> str:
        """The owner as the JSON by which the API server sorts conflicts."""
        parts = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "subresource": self.subresource,
        }
        return json.dumps({name: part for name, part in parts.items() if part}, separators=(",", ":"))

    def __str__(self) -> str:
        """Return the owner as the message of a conflict names it."""
        name = json.dumps(self.manager, ensure_ascii=False)
        through = f" with subresource {json.dumps(self.subresource)}" if self.subresource else ""
        using = f" using {self.api_version}" if self.operation == UPDATE else ""
        return f"{name}{through}{using}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one owner owns.

    Attributes:
        fields: The paths.
        api_version: The version in which they are written.
    """

    fields: FieldSet
    api_version: str


@dataclass(frozen=True, slots=True)
class Managed:
    """All owners of one object.

    Attributes:
        claims: What each owns.
        times: When each wrote last, RFC 3339; who never changed a value has none.
    """

    claims: Mapping[Owner, Claim] = field(default_factory=dict)
    times: Mapping[Owner, str] = field(default_factory=dict)

    def since(self, owner: Owner, now: str) -> Managed:
        """Return the same with *now* as the time of *owner*."""
        return replace(self, times={**self.times, owner: now})


def owner_of(manager: str, operation: str, api_version: str, subresource: str) -> Owner:
    """Return the owner that a write makes; who gives no name is called "unknown"."""
    return Owner(manager or "unknown", operation, "" if operation == APPLY else api_version, subresource)


def is_reset(entries: JSON, *, custom: bool) -> bool:
    """Tell whether *entries*, as a client sent them, ask to forget all owners.

    One empty entry does. So does an empty list, but not with a *custom* resource, where it says as little as none.
    """
    if not isinstance(entries, list):
        return False
    return _is_empty(entries[0]) if len(entries) == 1 else not (entries or custom)


def decoded(entries: JSON) -> Managed:
    """Return what managedFields say; none and null say nothing.

    Raises:
        ManagedFieldsError: an entry is not as the API server writes it.
    """
    claims: dict[Owner, Claim] = {}
    times: dict[Owner, str] = {}
    if entries is None:
        return Managed()
    if not isinstance(entries, list):
        raise ManagedFieldsError("managedFields must be a list")
    for index, entry in enumerate(entries):
        owner, claim = _decoded(entry, index)
        claims[owner] = claim
        times.pop(owner, None)
        if entry.get("time") is not None:
            times[owner] = str(entry["time"])
            _seconds(times[owner])
    return Managed(claims, times)


def encoded(managed: Managed) -> list[Manifest]:
    """Return managedFields: applies before updates, older before newer, then by name, version and subresource."""
    return [_encoded(owner, managed) for owner in sorted(managed.claims, key=lambda owner: _order(owner, managed))]


def capped(managed: Managed) -> Managed:
    """Return *managed* with at most MOST_UPDATERS updates: the oldest of one version are merged into one."""
    updaters = sorted(
        (owner for owner in managed.claims if owner.operation == UPDATE),
        key=lambda owner: (_time(owner, managed), owner.identity),
    )
    claims, times, first = dict(managed.claims), dict(managed.times), dict[str, Owner]()
    excess = len(updaters) - MOST_UPDATERS
    for owner in updaters:
        if excess <= 0:
            break
        claim = claims[owner]
        oldest = first.setdefault(claim.api_version, owner)
        if oldest is owner:
            continue
        bucket = Owner(_BUCKET, UPDATE, claim.api_version, "")
        if bucket not in claims:
            claims[bucket] = claims.pop(oldest)
        claims[bucket] = Claim(claim.fields | claims[bucket].fields, claim.api_version)
        # Also when it is the bucket itself, which then is lost: the API server does so.
        del claims[owner]
        times[bucket] = times.get(owner, "")
        excess -= 1
    return Managed(claims, {owner: time for owner, time in times.items() if time})


def _is_empty(entry: JSON) -> bool:
    return isinstance(entry, dict) and not any(entry.values())


def _decoded(entry: JSON, index: int) -> tuple[Owner, Claim]:
    if not isinstance(entry, dict):
        raise ManagedFieldsError(f"managed fields entry {index} must be an object")
    if entry.get("operation") not in {APPLY, UPDATE}:
        raise ManagedFieldsError("operation must be `Apply` or `Update`")
    version = entry.get("apiVersion")
    if not isinstance(version, str) or not version:
        raise ManagedFieldsError("apiVersion must not be empty")
    if entry.get("fieldsType") != _FIELDS_TYPE:
        raise ManagedFieldsError(f"missing or invalid fieldsType in managed fields entry {index}")
    try:
        fields = from_fields(entry.get("fieldsV1"))
    except FieldsError as error:
        raise ManagedFieldsError(f"error decoding set: {error}") from None
    operation = entry["operation"]
    kept_version = "" if operation == APPLY else version
    owner = Owner(str(entry.get("manager") or ""), operation, kept_version, str(entry.get("subresource") or ""))
    return owner, Claim(fields, version)


def _encoded(owner: Owner, managed: Managed) -> Manifest:
    claim = managed.claims[owner]
    entry: Manifest = {
        "apiVersion": claim.api_version,
        "fieldsType": _FIELDS_TYPE,
        "fieldsV1": claim.fields.to_fields(),
        "manager": owner.manager,
        "operation": owner.operation,
    }
    if owner.subresource:
        entry["subresource"] = owner.subresource
    if owner in managed.times:
        entry["time"] = managed.times[owner]
    return entry if owner.manager else {name: part for name, part in entry.items() if name != "manager"}


def _order(owner: Owner, managed: Managed) -> tuple[str, int, str, str, str]:
    version = managed.claims[owner].api_version
    return owner.operation, _time(owner, managed), owner.manager, version, owner.subresource


def _time(owner: Owner, managed: Managed) -> int:
    time = managed.times.get(owner)
    return _seconds(time) if time else 0


def _seconds(time: str) -> int:
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except ValueError:
        raise ManagedFieldsError(f"no RFC 3339 time: {time}") from None
