"""What each HTTP method does to a resource."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace

from groundplane.core.manifest import JSON
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.http import negotiation, scale
from groundplane.local.apiserver.http import query as options
from groundplane.local.apiserver.http.requests import (
    APPLY,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC,
    Call,
    Reply,
    change_of,
    request_of,
)
from groundplane.local.apiserver.http.responses import SHAPES, Answer
from groundplane.local.apiserver.http.streaming import Stream
from groundplane.local.apiserver.http.watch import Options as WatchOptions
from groundplane.local.apiserver.http.watch import events
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.decoding import read
from groundplane.local.apiserver.registry.deletion import Options
from groundplane.local.apiserver.registry.request import Outcome
from groundplane.local.apiserver.storage.selectors import Selector

_STRATEGIC_GROUPS = ("", "admissionregistration.k8s.io", "apiextensions.k8s.io", "coordination.k8s.io", "events.k8s.io")
_CREATED = 201
_WATCH_SECONDS = 1800


def handle(api: Api, resource: Resource, call: Call) -> Reply | Stream:
    """Answer *call*, which is about *resource*.

    Raises:
        StatusError: It is refused.
    """
    route = call.route
    if "get" not in resource.verbs:
        raise status_errors.no_such_method()
    if route.namespace and not resource.namespaced:
        raise status_errors.no_such_resource()
    if route.subresource and not _has(resource, route.subresource):
        raise status_errors.not_found(resource.group, resource.plural, route.name)
    shapes = SHAPES if call.method == "GET" else ()
    answer = Answer(
        resource,
        negotiation.form(call.headers.get("accept", ""), shapes, in_protobuf=resource.in_protobuf),
        call.now,
        call.query.get("includeObject", "Metadata"),
    )
    if not route.name:
        return _collection(api, answer, call)
    if route.subresource == "scale":
        return scale.handle(api, answer, call)
    return _object(api, answer, call)


def _has(resource: Resource, subresource: str) -> bool:
    return resource.status if subresource == "status" else subresource == "scale" and resource.scale is not None


def _collection(api: Api, answer: Answer, call: Call) -> Reply | Stream:
    match call.method:
        case "GET" | "HEAD":
            return _list(api, answer, call)
        case "POST":
            return _create(api, answer, call)
        case "DELETE" if "deletecollection" in answer.resource.verbs:
            return _delete_all(api, answer, call)
        case "PUT" | "PATCH" if answer.resource.custom:
            raise status_errors.bad_request("name must be provided")
    raise status_errors.no_such_method()


def _object(api: Api, answer: Answer, call: Call) -> Reply | Stream:
    resource, route = answer.resource, call.route
    match call.method:
        case "GET" | "HEAD":
            if options.flag(call.query, "watch"):
                return _list(api, answer, call)
            return _reply(answer, Outcome(api.get(resource, route.namespace, route.name)))
        case "PUT":
            return _replace(api, answer, call)
        case "PATCH":
            return _patch(api, answer, call)
        case "DELETE" if not route.subresource:
            return _delete(api, answer, call)
        case "POST" if resource.custom:
            read(resource, *negotiation.read(call.content, call.headers.get("content-type", "")))
    raise status_errors.no_such_method()


def _reply(answer: Answer, outcome: Outcome, code: int = 200) -> Reply:
    return Reply(code, answer.one(outcome.manifest), answer.form.media_type, outcome.warnings)


def _selector(resource: Resource, call: Call) -> Selector:
    fields = call.query.get("fieldSelector", "")
    if call.route.name:
        fields = ",".join(filter(None, (fields, f"metadata.name={call.route.name}")))
    if resource.alias is not None:
        fields = resource.alias.selecting(fields)
    plain = not resource.custom and not resource.selectable
    return Selector.of(call.query.get("labelSelector", ""), fields, resource.selectable, plain=plain)


def _list(api: Api, answer: Answer, call: Call) -> Reply | Stream:
    query = call.query
    watches = options.flag(query, "watch")
    selector = _selector(answer.resource, call)
    options.check_list(query, watch=watches, newest=api.store.version)
    if watches:
        return Stream(_watched(api, answer, call, selector, _asked(call)), answer.form.media_type)
    limit = max(options.number(query, "limit"), 0)
    page = api.page(answer.resource, call.route.namespace, selector, limit=limit, token=query.get("continue", ""))
    return Reply(200, answer.many(page), answer.form.media_type)


def _asked(call: Call) -> WatchOptions:
    version = options.number(call.query, "resourceVersion")
    initial = options.flag(call.query, "sendInitialEvents")
    return WatchOptions(
        version=None if initial or not version else version,
        end_of_initial=initial,
        bookmarks=options.flag(call.query, "allowWatchBookmarks"),
        # All clients of a server that was restarted would else come back at the same moment for ever.
        seconds=max(options.number(call.query, "timeoutSeconds"), 0)
        or _WATCH_SECONDS + int(call.now.timestamp()) % _WATCH_SECONDS,
    )


async def _watched(
    api: Api, answer: Answer, call: Call, selector: Selector, asked: WatchOptions
) -> AsyncGenerator[bytes]:
    first = True
    async with contextlib.aclosing(events(api, answer.resource, call.route.namespace, selector, asked)) as found:
        async for event in found:
            shown: JSON = event.object
            if event.type != "ERROR":
                shown = answer.event(event.object, first=first, bookmark=event.type == "BOOKMARK")
                first = False
            yield negotiation.event(event.type, shown, answer.form.media_type)
            await asyncio.sleep(0)


def _create(api: Api, answer: Answer, call: Call) -> Reply:
    resource = answer.resource
    dry_run = options.dry_run(call.query, "CreateOptions")
    request = request_of(resource, call, "CreateOptions")
    body = read(resource, *_sent(resource, call))
    return _reply(answer, api.create(request, body, dry_run=dry_run), _CREATED)


def _sent(resource: Resource, call: Call) -> tuple[JSON, str]:
    header = call.headers.get("content-type", "")
    try:
        return negotiation.read(call.content, header)
    except status_errors.StatusError as error:
        if error.code != 400:  # noqa: PLR2004  # bad JSON is told in the words of the kind
            raise
        text = call.content.decode("utf-8", "replace") or "<empty>"
        why = f"couldn't get version/kind; json parse error: {error} ({text})"
        raise status_errors.bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): {why}"
        ) from None


def _replace(api: Api, answer: Answer, call: Call) -> Reply:
    resource = answer.resource
    dry_run = options.dry_run(call.query, "UpdateOptions")
    request = request_of(resource, call, "UpdateOptions")
    body = read(resource, *_sent(resource, call))
    return _reply(answer, api.replace(request, body, dry_run=dry_run))


def _patch(api: Api, answer: Answer, call: Call) -> Reply:
    resource = answer.resource
    kind = negotiation.media_type(call.headers.get("content-type", ""))
    accepted = (JSON_PATCH, MERGE_PATCH, *((STRATEGIC,) if resource.group in _STRATEGIC_GROUPS else ()), APPLY)
    if kind not in accepted:
        raise status_errors.unsupported(accepted)
    options.check_apply(call.query, applies=kind == APPLY)
    dry_run = options.dry_run(call.query, "PatchOptions")
    request = request_of(resource, call, "PatchOptions")
    text = call.content.decode("utf-8", "replace")
    if kind == APPLY:
        config = negotiation.from_yaml(text)
        if not isinstance(config, dict):
            raise status_errors.bad_request("error decoding YAML: the patch is no object")
        outcome, made = api.apply(request, config, dry_run=dry_run)
        return _reply(answer, outcome, _CREATED if made else 200)
    return _reply(answer, api.patch(request, change_of(kind, text), dry_run=dry_run))


def _delete_options(call: Call) -> Options:
    sent = negotiation.read(call.content, call.headers.get("content-type", ""))[0] if call.content else {}
    if not isinstance(sent, dict):
        raise status_errors.bad_request("the body of a DELETE must be DeleteOptions")
    return Options.of(sent, {**call.query})


def _delete(api: Api, answer: Answer, call: Call) -> Reply:
    resource, route = answer.resource, call.route
    stored = api.get(resource, route.namespace, route.name)
    waiting = api.delete(resource, route.namespace, route.name, _delete_options(call), user=call.user)
    if waiting is not None:
        return Reply(200, answer.one(waiting), answer.form.media_type)
    details = status_errors.about(route.name, resource.group, resource.plural, uid=stored["metadata"]["uid"])
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return Reply(200, status, answer.form.media_type)


def _delete_all(api: Api, answer: Answer, call: Call) -> Reply:
    resource = answer.resource
    asked = replace(_delete_options(call), uid="", version="")
    page = api.page(resource, call.route.namespace, _selector(resource, call))
    for one in page.items:
        namespace, name = one["metadata"].get("namespace", ""), one["metadata"]["name"]
        api.delete(resource, namespace, name, asked, user=call.user, one_of_all=True)
    return Reply(200, answer.many(page), answer.form.media_type)
