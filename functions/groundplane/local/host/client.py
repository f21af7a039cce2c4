"""A few questions to an API server: the standard library is enough for them, and starts at once."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import click

from groundplane.core.manifest import SECRET, Kind, Manifest
from groundplane.local.host.kubeconfig import ConnectionFailedError, Kubeconfig

SECONDS: Final = 10
_OK: Final = 200
_NOT_FOUND: Final = 404


class UnreachableError(click.ClickException):
    """The message says what the API server answered, or that it does not."""


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one API server."""

    kubeconfig: Kubeconfig
    context: ssl.SSLContext

    @classmethod
    def of(cls, path: Path) -> Client:
        """Return who asks as the current context of *path* says.

        Raises:
            UnreachableError: it cannot be read.
        """
        try:
            found = Kubeconfig.read(path)
            return cls(found, found.context())
        except (ConnectionFailedError, ssl.SSLError) as error:
            raise UnreachableError(str(error)) from None

    def get(self, path: str) -> Any:
        """Return what stands at *path*: data, or text that is none; None when there is nothing.

        Raises:
            UnreachableError: the server does not answer, or refuses.
        """
        where = urlsplit(self.kubeconfig.server)
        connection = http.client.HTTPSConnection(where.netloc, timeout=SECONDS, context=self.context)
        headers = {"Authorization": f"Bearer {self.kubeconfig.token}"} if self.kubeconfig.token else {}
        try:
            connection.request("GET", where.path.rstrip("/") + path, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"{self.kubeconfig.server} does not answer ({type(error).__name__})") from None
        finally:
            connection.close()
        try:
            found = json.loads(content)
        except ValueError:
            found = content.decode(errors="replace")
        if answer.status == _NOT_FOUND:
            return None
        if answer.status != _OK:
            said = found.get("message") if isinstance(found, dict) else found
            raise UnreachableError(f"GET {path}: {answer.status} {said}")
        return found

    def find(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Return an object, or None."""
        found: Manifest | None = self.get(f"{_path(kind, namespace)}/{quote(name)}")
        return found

    def all(self, kind: Kind, namespace: str = "", **options: str) -> Iterator[Manifest]:
        """Yield the objects of a kind, of one namespace or of all; of a kind that is not served, none."""
        query = f"?{urlencode(options)}" if options else ""
        yield from (self.get(_path(kind, namespace) + query) or {"items": []})["items"]

    def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """Return the decoded entries of a Secret, or None."""
        found = self.find(SECRET, namespace, name)
        return (
            None if found is None else {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}
        )


def _path(kind: Kind, namespace: str) -> str:
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    space = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"{root}{space}/{kind.plural}"
