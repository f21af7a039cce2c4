"""Objects as rows of a table, as kubectl shows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.jsonpath import PathError, values
from groundplane.local.apiserver.kinds.resource import Column, Resource

_UNKNOWN = "<unknown>"
_NAME = Column("Name", "string", ".metadata.name", "The object's name.", format="name")
_NUMBERS = {"integer": int, "number": float}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def table(
    resource: Resource, items: Sequence[Manifest], metadata: Manifest, now: datetime, include: str = "Metadata"
) -> Manifest:
    """Return *items* as a Table.

    Args:
        resource: Their kind.
        items: Objects.
        metadata: Of the list.
        now: From which ages count.
        include: What of the object goes with its row: Metadata, Object or None.
    """
    columns = _columns(resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [_row(columns, item, resource.kept(item) if resource.alias else item, now, include) for item in items],
    }


def _columns(resource: Resource) -> tuple[Column, ...]:
    return (_NAME, *resource.columns) if resource.custom else resource.columns


def _definition(column: Column) -> Manifest:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(columns: tuple[Column, ...], item: Manifest, kept: Manifest, now: datetime, include: str) -> Manifest:
    row: Manifest = {"cells": [_cell(column, kept, now) for column in columns]}
    if include == "Object":
        row["object"] = item
    elif include == "Metadata":
        row["object"] = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
    return row


def _param_kind(item: Manifest, _now: datetime) -> JSON:
    kind = at(item, "spec", "paramKind")
    return f"{kind['apiVersion']}/{kind['kind']}" if kind else "<unset>"


def _param_ref(item: Manifest, _now: datetime) -> JSON:
    reference = at(item, "spec", "paramRef") or {}
    if name := reference.get("name"):
        return f"{reference.get('namespace') or '*'}/{name}"
    return _selector(reference["selector"]) if reference.get("selector") is not None else "<unset>"


def _selector(selector: Manifest) -> str:
    """Return *selector* as the real server prints it, which is how Go prints the struct."""
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(map(_expression, selector.get("matchExpressions") or ()))
    labels = f"map[string]string{{{labels}}}"
    return f"&LabelSelector{{MatchLabels:{labels},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"


def _expression(one: Manifest) -> str:
    values = " ".join(one.get("values") or ())
    return f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},Values:[{values}],}},"


def _cell(column: Column, item: Manifest, now: datetime) -> JSON:
    computed = _COMPUTED.get(column.path)
    if computed is not None:
        return computed(item, now)
    try:
        found = values(column.path, item)
    except PathError:
        return None
    if not found:
        return _UNKNOWN if column.type == "date" and column.path == ".metadata.creationTimestamp" else None
    return _shown(column.type, found, now)


def _shown(kind: str, found: list[JSON], now: datetime) -> JSON:
    value = found[0]
    if kind == "date":
        return age(value, now)
    if kind in _NUMBERS:
        return _NUMBERS[kind](value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return " ".join(map(_text, found))


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def age(then: JSON, now: datetime) -> str:
    """Return how long ago *then*, a time as objects write it, was: one or two units, as kubectl writes it."""
    if not isinstance(then, str) or not then:
        return _UNKNOWN
    try:
        seconds = int((now - datetime.fromisoformat(then)).total_seconds())
    except (ValueError, TypeError):
        return "<invalid>"
    return _duration(seconds)


def _duration(seconds: int) -> str:  # noqa: PLR0911  # one return for each length, as upstream rounds
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    minutes, hours, days = seconds // _MINUTE, seconds // _HOUR, seconds // _DAY
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if minutes < 10:  # noqa: PLR2004  # below this, seconds still matter
        return _two(minutes, "m", seconds % _MINUTE, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    if hours < 8:  # noqa: PLR2004  # below this, minutes still matter
        return _two(hours, "h", minutes % 60, "m")
    if hours < 2 * 24:
        return f"{hours}h"
    if days < 8:  # noqa: PLR2004  # below this, hours still matter
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _entries(item: Manifest, _now: datetime) -> JSON:
    return len(item.get("data") or {}) + len(item.get("binaryData") or {})


def _involved(item: Manifest, _now: datetime) -> JSON:
    involved = item.get("involvedObject") or {}
    kind = str(involved.get("kind") or "").lower()
    return f"{kind}/{involved['name']}" if involved.get("name") else kind


def _source(item: Manifest, _now: datetime) -> JSON:
    source = item.get("source") or {}
    component = source.get("component") or item.get("reportingComponent") or ""
    host = source.get("host") or item.get("reportingInstance") or ""
    return f"{component}, {host}" if host and component else component or host


def _last_seen(item: Manifest, now: datetime) -> JSON:
    series = at(item, "series", "lastObservedTime")
    return age(series or item.get("lastTimestamp") or item.get("eventTime"), now)


def _first_seen(item: Manifest, now: datetime) -> JSON:
    return age(item.get("firstTimestamp") or item.get("eventTime"), now)


_COMPUTED: dict[str, Callable[[Manifest, datetime], JSON]] = {
    "age": lambda item, now: age(at(item, "metadata", "creationTimestamp"), now),
    "created at": lambda item, _now: at(item, "metadata", "creationTimestamp"),
    "data count": _entries,
    "mutation count": lambda item, _now: len(at(item, "spec", "mutations") or ()),
    "param kind": _param_kind,
    "param ref": _param_ref,
    "scale desired": lambda item, _now: at(item, "spec", "replicas") or 0,
    "validation count": lambda item, _now: len(at(item, "spec", "validations") or ()),
    "event count": lambda item, _now: at(item, "series", "count") or item.get("count") or 1,
    "event message": lambda item, _now: str(item.get("message") or "").strip(),
    "event source": _source,
    "first seen": _first_seen,
    "involved object": _involved,
    "last seen": _last_seen,
    ".type": lambda item, _now: item.get("type") or "",
    ".reason": lambda item, _now: item.get("reason") or "",
    ".involvedObject.fieldPath": lambda item, _now: at(item, "involvedObject", "fieldPath") or "",
    ".spec.holderIdentity": lambda item, _now: at(item, "spec", "holderIdentity") or "",
    ".status.phase": lambda item, _now: at(item, "status", "phase") or "",
}
