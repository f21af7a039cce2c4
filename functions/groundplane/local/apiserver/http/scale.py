"""The subresource ``scale``: the replicas of an object, seen and written alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.http import negotiation, query
from groundplane.local.apiserver.http.requests import Call, Reply, change_of, request_of
from groundplane.local.apiserver.kinds.builtin import AGED, NAMED
from groundplane.local.apiserver.kinds.resource import Column, Scale

if TYPE_CHECKING:
    from groundplane.local.apiserver.http.responses import Answer
    from groundplane.local.apiserver.registry.api import Api

_COLUMNS = (
    NAMED,
    Column("Desired", "integer", "scale desired", "How many are wanted."),
    Column("Available", "integer", ".status.replicas", "How many there are."),
    AGED,
)
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def handle(api: Api, answer: Answer, call: Call) -> Reply:
    """Answer *call*, which is about the scale of an object.

    Raises:
        StatusError: It is refused.
    """
    resource, route = answer.resource, call.route
    place = resource.scale
    if place is None:
        raise status_errors.not_found(resource.group, resource.plural, route.name)
    if call.method in ("GET", "HEAD"):
        found = shown(place, api.get(resource, route.namespace, route.name))
        return Reply(200, _answer(answer).one(found))
    if call.method not in ("PUT", "PATCH"):
        raise status_errors.no_such_method()
    dry_run = query.dry_run(call.query, "UpdateOptions")
    request = request_of(resource, call, "UpdateOptions")
    text = call.content.decode("utf-8", "replace")
    kind = negotiation.media_type(call.headers.get("content-type", ""))
    change = change_of(kind, text) if call.method == "PATCH" else lambda _before: negotiation.from_json(text)

    def changed(manifest: Manifest) -> JSON:
        return _scaled(place, manifest, change(shown(place, manifest)))

    outcome = api.patch(request, changed, dry_run=dry_run)
    return Reply(200, shown(place, outcome.manifest))


def _answer(answer: Answer) -> Answer:
    """Return *answer* with the columns of a Scale."""
    return replace(answer, resource=replace(answer.resource, custom=False, columns=_COLUMNS))


def shown(place: Scale, manifest: Manifest) -> Manifest:
    """Return the Scale of *manifest*."""
    metadata = manifest["metadata"]
    status: Manifest = {"replicas": at(manifest, *place.status.split(".")) or 0}
    selector = at(manifest, *place.selector.split(".")) if place.selector else None
    if selector:
        status["selector"] = selector
    replicas = at(manifest, *place.spec.split("."))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in _SHOWN if name in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _scaled(place: Scale, manifest: Manifest, wanted: JSON) -> Manifest:
    replicas = at(wanted, "spec", "replicas") or 0
    version = at(wanted, "metadata", "resourceVersion")
    made = _put(manifest, place.spec.split("."), replicas)
    return _put(made, ["metadata", "resourceVersion"], version) if version else made


def _put(value: JSON, path: list[str], new: JSON) -> Manifest:
    inside = value if isinstance(value, dict) else {}
    first, *rest = path
    return {**inside, first: _put(inside.get(first), rest, new) if rest else new}
