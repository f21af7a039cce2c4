"""The wire: reading requests to one API server, each with its own limit of time, all together with another.

Nothing is written. The only requests that are no reading ones are access reviews, which the API server answers and does
not keep.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import urllib3
from kubernetes import client, config

from groundplane.doctor.wants import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from groundplane.core.manifest import JSON, Kind, Manifest
    from groundplane.doctor.snapshot import Listing

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
TOTAL_SECONDS: Final = 90.0
PAGE: Final = 500
PAGES: Final = 40  # 20 000 objects of one kind; more would not be read by anybody

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404


class UnreachableError(Exception):
    """There is no cluster to talk to. The message is one line, and says what to do."""


class RequestError(Exception):
    """One request failed. *status* is the HTTP status, 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Say what went wrong."""
        super().__init__(message)
        self.status = status


class Connection:
    """An API server, as the user of a kubeconfig sees it. Safe to share between threads."""

    def __init__(self, api: client.ApiClient, server: str, seconds: float = TOTAL_SECONDS) -> None:
        """Talk through *api*, and stop asking after *seconds*."""
        self.server = server
        self._end = time.monotonic() + seconds
        self._version = client.VersionApi(api)
        self._groups = client.ApisApi(api)
        self._core = client.CoreV1Api(api)
        self._objects = client.CustomObjectsApi(api)
        self._plain = api.sanitize_for_serialization

    def version(self) -> str:
        """Return Kubernetes' version, such as v1.36.3.

        Raises:
            RequestError: it did not tell.
        """
        return str(self._ask(self._version.get_code).git_version)

    def versions(self, groups: list[str]) -> list[str]:
        """Return group/version of everything that is served of *groups*.

        Raises:
            RequestError: it did not tell.
        """
        found = self._ask(self._groups.get_api_versions).groups or []
        return [version.group_version for group in found if group.name in groups for version in group.versions]

    def plurals(self, group_version: str) -> frozenset[str]:
        """Return the plurals of the kinds that *group_version* has.

        Raises:
            RequestError: it did not tell.
        """
        group, _, version = group_version.rpartition("/")
        found = self._ask(self._objects.get_api_resources, group, version).resources or []
        return frozenset(resource.name for resource in found)

    def objects(self, listing: Listing, namespace: str | None = None) -> list[Manifest]:
        """Return the objects of *listing*, which is served; in *namespace* only if one is given.

        Raises:
            RequestError: they cannot be read.
        """
        kind = listing.kind
        if listing.name:
            one = self.one(kind, listing.name)
            return [one] if one else []
        where = (kind.group, kind.api_version.rpartition("/")[2])
        if kind == NAMESPACE:
            return self._pages(self._core.list_namespace, label_selector=listing.selector)
        if namespace:
            within = self._objects.list_namespaced_custom_object
            return self._pages(within, *where, namespace, kind.plural, label_selector=listing.selector)
        everywhere = self._objects.list_cluster_custom_object
        return self._pages(everywhere, *where, kind.plural, label_selector=listing.selector)

    def one(self, kind: Kind, name: str) -> Manifest | None:
        """Return the cluster-scoped object *name*, or None when there is none.

        Raises:
            RequestError: it cannot be read.
        """
        version = kind.api_version.rpartition("/")[2]
        try:
            found: Manifest = self._ask(self._objects.get_cluster_custom_object, kind.group, version, kind.plural, name)
        except RequestError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return found

    def review(self, plural: str, spec: Manifest) -> bool:
        """Return what an access review of kind *plural* says.

        Raises:
            RequestError: it may not be asked, or was not answered.
        """
        kind = {"selfsubjectaccessreviews": "SelfSubjectAccessReview", "subjectaccessreviews": "SubjectAccessReview"}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind[plural], "spec": spec}
        ask = self._objects.create_cluster_custom_object
        answer = self._ask(ask, "authorization.k8s.io", "v1", plural, body)
        return answer.get("status", {}).get("allowed") is True

    def _pages(self, ask: Callable[..., Any], *words: str, label_selector: str) -> list[Manifest]:
        found: list[Manifest] = []
        token = ""
        for _ in range(PAGES):
            more = {"_continue": token} if token else {}
            page = self._plain(self._ask(ask, *words, label_selector=label_selector, limit=PAGE, **more))
            found += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return found
        raise RequestError(f"there are more than {PAGE * PAGES} of them")

    def _ask(self, call: Callable[..., Any], *words: Any, **options: Any) -> Any:
        """Return what *call* answers in the time that is left.

        Raises:
            RequestError: it failed; the message never holds what was sent.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise RequestError("it was not asked: the cluster answers so slowly that the time was up")
        limits = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        try:
            return call(*words, **options, _request_timeout=limits)
        except client.ApiException as error:
            raise RequestError(_words(error), error.status or 0) from None
        except urllib3.exceptions.HTTPError as error:
            raise RequestError(_cause(error)) from None
        except (ValueError, TypeError, AttributeError, OSError) as error:
            raise RequestError(f"the answer is none of a Kubernetes API server ({type(error).__name__})") from None


def connect(kubeconfig: Path | None, context: str | None, seconds: float = TOTAL_SECONDS) -> Connection:
    """Return a connection as *kubeconfig* says: else the file that kubectl takes, else the pod's own account.

    Raises:
        UnreachableError: there is no usable kubeconfig.
    """
    settings = client.Configuration()
    settings.retries = 0  # a cluster that is away is told at once
    try:
        _load(settings, kubeconfig, context)
        api = client.ApiClient(settings)
    except Exception as error:  # noqa: BLE001  # The library raises whatever a broken file leads it to.
        where = str(kubeconfig) if kubeconfig else "the default one"
        said = " ".join(str(error).split()) or type(error).__name__
        remedy = "name a kubeconfig with --kubeconfig, or a context of it with --context"
        raise UnreachableError(f"kubeconfig ({where}) cannot be used: {said.rstrip('.')}; {remedy}") from None
    return Connection(api, settings.host, seconds)


def _load(settings: client.Configuration, kubeconfig: Path | None, context: str | None) -> None:
    if kubeconfig and not kubeconfig.is_file():
        raise FileNotFoundError(f"there is no file {kubeconfig}")
    path = str(kubeconfig) if kubeconfig else None
    try:
        config.load_kube_config(path, context, client_configuration=settings, persist_config=False)
    except config.ConfigException:
        if kubeconfig or context:
            raise
        try:
            config.load_incluster_config(client_configuration=settings)
        except config.ConfigException:
            raise FileNotFoundError("there is none, and this is no pod") from None


def _words(error: client.ApiException) -> str:
    """Return what the API server says of *error*: its Status' message, else HTTP's word for it."""
    said: JSON = None
    try:
        said = json.loads(error.body or "")
    except ValueError:
        said = None
    message = said.get("message") if isinstance(said, dict) else None
    return " ".join(str(message or error.reason or "no answer").split())


def _cause(error: urllib3.exceptions.HTTPError) -> str:
    """Return the last words of *error*, without the objects' addresses that its whole text has."""
    cause: BaseException = getattr(error, "reason", None) or error
    text = " ".join(str(cause).split())
    return text.rpartition(">: ")[2] or text
