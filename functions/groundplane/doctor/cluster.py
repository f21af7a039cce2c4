"""Reading a cluster, once, into a snapshot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from groundplane.doctor import wants
from groundplane.doctor.connection import FORBIDDEN, UNAUTHORIZED, RequestError, UnreachableError
from groundplane.doctor.snapshot import Listing, Reading, Right, Snapshot, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from groundplane.core.manifest import Kind, Manifest
    from groundplane.doctor.connection import Connection

AT_ONCE: Final = 8  # requests
ASK_AGAIN: Final = "Run the doctor again."

T = TypeVar("T")
R = TypeVar("R")


def read(connection: Connection, crossplane: User, namespace: str | None = None) -> Snapshot:
    """Return what the checks need to know of the cluster; what cannot be read is named in it, with the reason.

    Args:
        connection: The API server.
        crossplane: The user whose rights are asked for.
        namespace: The only one whose claims are read; None: all.

    Raises:
        UnreachableError: nothing can be read at all: no answer, no Kubernetes, or the credentials are refused.
    """
    return _Reader(connection, crossplane, namespace).read()


@dataclass(frozen=True, slots=True)
class _Reader:
    connection: Connection
    crossplane: User
    namespace: str | None

    def read(self) -> Snapshot:
        version = self._reach()
        served, undiscovered = self._discover()
        first = Snapshot(version, self.crossplane, self.namespace, served, undiscovered)
        wanted = [listing for listing in wants.listings() if first.serves(listing.kind) is not False]
        absent = [kind for _, engine in wants.every_engine() for kind in wants.definitions(engine)]
        wanted += _definitions_of_managed(first, absent)
        readings = dict(zip(wanted, self._each(self._reading, wanted), strict=True))
        rights, lack = self._rights()
        return Snapshot(version, self.crossplane, self.namespace, served, undiscovered, readings, rights, lack)

    def _reach(self) -> str:
        """Return the API server's version once it took the credentials."""
        try:
            version = self.connection.version()
            self._may(Right("list", "", "namespaces"))
        except RequestError as error:
            server = self.connection.server
            if error.status in {UNAUTHORIZED, FORBIDDEN}:
                text = f"{server} does not accept these credentials: {error}; renew them, or choose another --context"
            else:
                text = f"{server} cannot be reached: {error}; is the cluster up, and the kubeconfig of it?"
            raise UnreachableError(text) from None
        return version

    def _discover(self) -> tuple[dict[str, frozenset[str]], dict[str, str]]:
        try:
            versions = self.connection.versions(wants.discovered())
        except RequestError as error:
            text = f"{self.connection.server} does not say what it serves: {error}"
            raise UnreachableError(text) from None
        found = dict(zip(versions, self._each(self._plurals, versions), strict=True))
        served = {version: plurals for version, plurals in found.items() if isinstance(plurals, frozenset)}
        return served, {version: str(why) for version, why in found.items() if version not in served}

    def _plurals(self, group_version: str) -> frozenset[str] | str:
        try:
            return self.connection.plurals(group_version)
        except RequestError as error:
            return str(error)

    def _reading(self, listing: Listing) -> Reading:
        namespace = self.namespace if listing.scoped else None
        what = Right("get" if listing.name else "list", listing.kind.group, listing.kind.plural)
        everywhere = f" in namespace {namespace}" if namespace else ""
        try:
            if not self._may(what, namespace):
                return _forbidden(f"your user may not {what.verb} {what.what}{everywhere}")
            return Reading(tuple(self.connection.objects(listing, namespace)))
        except RequestError as error:
            if error.status == FORBIDDEN:
                return _forbidden(f"your user may not {what.verb} {what.what}{everywhere}")
            return Reading(lack=f"{what.what} cannot be read: {error}", remedy=ASK_AGAIN)

    def _may(self, right: Right, namespace: str | None = None) -> bool:
        """Whether the doctor's own user has *right*."""
        attributes = _attributes(right) | ({"namespace": namespace} if namespace else {})
        return self.connection.review("selfsubjectaccessreviews", {"resourceAttributes": attributes})

    def _rights(self) -> tuple[dict[Right, bool], Reading]:
        """Return what Crossplane may do, and why that is not known where it is not."""
        review = Right("create", "authorization.k8s.io", "subjectaccessreviews")
        nothing = f"what {self.crossplane.name} may do is not known: your user may not create {review.what}"
        try:
            if not self._may(review):
                return {}, _forbidden(nothing)
        except RequestError as error:
            return {}, Reading(lack=f"rights cannot be asked for: {error}", remedy=ASK_AGAIN)
        wanted = wants.rights()
        answers = dict(zip(wanted, self._each(self._crossplane_may, wanted), strict=True))
        told = {right: answer for right, answer in answers.items() if isinstance(answer, bool)}
        untold = [str(answer) for answer in answers.values() if not isinstance(answer, bool)]
        if not untold:
            return told, Reading()
        lack = f"{len(untold)} of {len(wanted)} rights are not known: {untold[0]}"
        return told, Reading(lack=lack, remedy=ASK_AGAIN)

    def _crossplane_may(self, right: Right) -> bool | str:
        spec = {
            "user": self.crossplane.name,
            "groups": list(self.crossplane.groups),
            "resourceAttributes": _attributes(right),
        }
        try:
            return self.connection.review("subjectaccessreviews", spec)
        except RequestError as error:
            return str(error)

    def _each(self, ask: Callable[[T], R], wanted: Iterable[T]) -> list[R]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(ask, wanted))


def _definitions_of_managed(first: Snapshot, kinds: Iterable[Kind]) -> list[Listing]:
    """Return the listings that tell why *kinds* are absent: a provider may have them, and not serve them yet."""
    if not first.serves(wants.MANAGED):
        return []
    names = {kind.crd for kind in kinds if first.serves(kind) is False}
    return [Listing(wants.MANAGED, name=name) for name in sorted(names)]


def _attributes(right: Right) -> Manifest:
    resource, _, part = right.resource.partition("/")
    return {"verb": right.verb, "group": right.group, "resource": resource, "subresource": part}


def _forbidden(text: str) -> Reading:
    return Reading(lack=text, remedy="Run the doctor as a user who may.")
