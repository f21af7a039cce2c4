"""The API as an aiohttp application."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from groundplane.core.manifest import JSON
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.authentication import OWNER, User, impersonated
from groundplane.local.apiserver.http import access_reviews, discovery, negotiation, openapi
from groundplane.local.apiserver.http.handlers import handle
from groundplane.local.apiserver.http.requests import Call, Reply
from groundplane.local.apiserver.http.routes import TYPED_GROUPS, Route, route
from groundplane.local.apiserver.http.streaming import Stream, streamed
from groundplane.local.apiserver.protobuf import codec
from groundplane.local.apiserver.registry.api import Api

API = web.AppKey("API", Api)
_LARGEST_BODY = 3 * 1024 * 1024  # bytes; the real server takes as much
_HEALTH = ("/healthz", "/livez", "/readyz")
_VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0+groundplane", "platform": "linux/amd64"}
_BUILD = ("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler")
_LOG = logging.getLogger("groundplane.plane")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(api: Api, token: str, clock: Callable[[], datetime]) -> web.Application:
    """Return the application that serves *api* to whoever has *token*; *clock* tells the time with its zone."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check(request, token)
            return await handler(request)
        except status_errors.StatusError as error:
            return _json(error.status(), error.code, negotiation.form_of_refusal(request.headers.get("Accept", "")))
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001  # one request that breaks must not end the plane
            # Neither the log nor the answer may quote an object: it could be a Secret.
            _LOG.exception("%s %s failed: %s", request.method, request.path, type(error).__name__, exc_info=False)
            return _json(status_errors.internal(f"Internal error occurred: {type(error).__name__}").status(), 500)

    async def serve(request: web.Request) -> web.StreamResponse:
        return await _serve(api, request, clock())

    made = web.Application(middlewares=[guard], client_max_size=_LARGEST_BODY)
    made[API] = api
    made.router.add_route("*", "/{path:.*}", serve)
    return made


def _check(request: web.Request, token: str) -> None:
    sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if request.path.rstrip("/") not in _HEALTH and not hmac.compare_digest(sent, f"Bearer {token}".encode()):
        raise status_errors.unauthorized()


async def _serve(api: Api, request: web.Request, now: datetime) -> web.StreamResponse:
    path = request.path.rstrip("/") or "/"
    found = web.Response(text="ok") if path in _HEALTH else _document(api, request, path)
    if found is not None:
        return found
    where = route(path)
    if where is None or not where.plural:
        return _unknown(where)
    headers = {name.lower(): value for name, value in request.headers.items()}
    user = _user(request)
    call = Call(request.method, where, dict(request.query), headers, await request.read(), now.astimezone(UTC), user)
    reviewed = _reviewed(api, call)
    if reviewed is not None:
        return reviewed
    resource = api.catalogue.find(where.group, where.version, where.plural)
    if resource is None:
        return _unknown(where)
    answer = handle(api, resource, call)
    if isinstance(answer, Stream):
        return await streamed(request, answer)
    return _replied(answer, *filter(None, (resource.deprecation,)))


def _user(request: web.Request) -> User:
    """Return who asks: the owner of the machine, or whom the owner wants to be taken for.

    Raises:
        StatusError: It is nobody.
    """
    name, groups = request.headers.get("Impersonate-User", ""), request.headers.getall("Impersonate-Group", ())
    if not name:
        if groups:
            raise status_errors.bad_request("requested groups without impersonating a user name")
        return OWNER
    user = impersonated(name, tuple(groups))
    if not user.known:
        path = status_errors.quoted(request.path)
        raise status_errors.StatusError(
            403, "Forbidden", f"User {status_errors.quoted(name)} cannot reach path {path}", {}
        )
    return user


def _unknown(where: Route | None) -> web.Response:
    if where is not None and where.version and where.group in TYPED_GROUPS:
        raise status_errors.no_such_resource()
    return web.Response(status=404, text="404 page not found\n")


def _document(api: Api, request: web.Request, path: str) -> web.Response | None:
    """Return the answer where *path* is about the server itself."""
    if path in ("/", "/version"):
        return _json(_of_itself(api, path))
    if path.startswith("/openapi/"):
        return _openapi(api, path.removeprefix("/openapi/"))
    if path in ("/api", "/apis"):
        if "as=APIGroupDiscoveryList" in request.headers.get("Accept", ""):
            found = discovery.aggregated(api.catalogue, core=path == "/api")
            return _json(found, media_type=discovery.AGGREGATED)
        return _json(discovery.versions(request.host) if path == "/api" else discovery.groups(api.catalogue))
    where = route(path)
    if where is None or where.plural or (request.method != "GET" and not where.version):
        return None
    listed = (
        discovery.resources(api.catalogue, where.group, where.version)
        if where.version
        else discovery.group(api.catalogue, where.group)
    )
    if listed and request.method not in ("GET", "HEAD"):
        raise status_errors.no_such_method()
    return _json(listed) if listed else None


def _of_itself(api: Api, path: str) -> JSON:
    if path == "/version":
        return {**dict.fromkeys(_BUILD, ""), **_VERSION}
    return {"paths": discovery.paths(api.catalogue, *_HEALTH, "/openapi/v2", "/openapi/v3", "/version")}


def _openapi(api: Api, place: str) -> web.Response:
    if place == "v2":
        return web.Response(body=openapi.NOTHING_IN_V2, headers={"Content-Type": openapi.V2_TYPE})
    if place == "v3":
        return _json(openapi.paths(api.catalogue))
    where = route(place.removeprefix("v3"))
    found = api.catalogue.groups().get(where.group, {}).get(where.version) if where else None
    return _json(openapi.document(found)) if found else web.Response(status=404, text="404 page not found\n")


def _reviewed(api: Api, call: Call) -> web.Response | None:
    where = call.route
    if call.method != "POST" or where.name or where.namespace or where.group not in access_reviews.API_GROUPS:
        return None
    body = negotiation.read(call.content, call.headers.get("content-type", ""))[0]
    answer = access_reviews.review(
        (where.group, where.version, where.plural), body if isinstance(body, dict) else {}, call, api.catalogue
    )
    return None if answer is None else _json(answer, 201)


def _json(value: JSON, code: int = 200, media_type: str = negotiation.JSON_TYPE) -> web.Response:
    body = negotiation.written(value, media_type)
    if media_type != codec.MEDIA_TYPE:
        body = body.rstrip(b"\n") + b"\n"  # as the real server ends it
    return web.Response(body=body, status=code, headers={"Content-Type": media_type})


def _replied(reply: Reply, *warnings: str) -> web.Response:
    response = _json(reply.body, reply.code, reply.media_type)
    for warning in (*warnings, *reply.warnings):
        response.headers.add("Warning", f"299 - {status_errors.quoted(warning)}")
    return response
