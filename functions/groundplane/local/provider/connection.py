"""The API server, as a kubeconfig describes it: what the controller framework does not send for us."""

from __future__ import annotations

import base64
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import kopf
import yaml

from groundplane.core.manifest import SECRET, Kind, Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 15
NOT_FOUND: Final = 404
OK: Final = range(200, 300)
MERGE: Final = "application/merge-patch+json"


class ConnectionFailedError(Exception):
    """The message says what the API server answered, or that it cannot be reached."""


@dataclass(frozen=True, slots=True, repr=False)
class Kubeconfig:
    """The current context of a kubeconfig. It holds a credential, so it never shows itself."""

    server: str
    authority: bytes
    token: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None

    @classmethod
    def read(cls, path: Path) -> Kubeconfig:
        """Return the current context of *path*.

        Raises:
            ConnectionFailedError: it cannot be read, or names no cluster and user.
        """
        try:
            document = yaml.safe_load(path.read_text())
            context = _named(document, "contexts", document["current-context"])["context"]
            cluster = _named(document, "clusters", context["cluster"])["cluster"]
            user = _named(document, "users", context["user"])["user"]
        except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration) as error:
            raise ConnectionFailedError(
                f"{path} is not a kubeconfig with a current context ({type(error).__name__})"
            ) from None
        here = path.parent
        return cls(
            cluster["server"],
            _data(cluster, "certificate-authority", here) or b"",
            user.get("token"),
            _data(user, "client-certificate", here),
            _data(user, "client-key", here),
        )

    def login(self) -> kopf.ConnectionInfo:
        """Return the same for the controller framework."""
        return kopf.ConnectionInfo(
            server=self.server,
            ca_data=base64.b64encode(self.authority),
            token=self.token,
            certificate_data=base64.b64encode(self.certificate) if self.certificate else None,
            private_key_data=base64.b64encode(self.key) if self.key else None,
        )

    def context(self) -> ssl.SSLContext:
        """Return what trusts this server alone, and shows our certificate."""
        context = ssl.create_default_context(cadata=self.authority.decode())
        if self.certificate and self.key:
            with tempfile.NamedTemporaryFile() as file:  # readable by us alone, and gone at once
                file.write(self.certificate + b"\n" + self.key)
                file.flush()
                context.load_cert_chain(file.name)
        return context


class Connection:
    """Requests to the API server."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        """Remember where it is; nothing is sent yet."""
        self._kubeconfig = kubeconfig
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of every connection."""
        if self._session:
            await self._session.close()
            self._session = None

    async def patch_status(self, kind: Kind, manifest: Manifest, status: Manifest) -> None:
        """Write *status* of an object; one that is gone is no error.

        Raises:
            ConnectionFailedError: the API server refused it, or cannot be reached.
        """
        metadata = manifest["metadata"]
        body = {"metadata": {"uid": metadata["uid"]}, "status": status}
        path = f"{_path(kind, metadata['namespace'], metadata['name'])}/status"
        await self._ask("PATCH", path, json=body, headers={"Content-Type": MERGE})

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """Return the entries of a Secret; None when there is none.

        Raises:
            ConnectionFailedError: the API server refused it, or cannot be reached.
        """
        found = await self._ask("GET", _path(SECRET, namespace, name))
        return None if found is None else {k: base64.b64decode(v) for k, v in (found.get("data") or {}).items()}

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        if self._session is None:
            kubeconfig = self._kubeconfig
            headers = {"Authorization": f"Bearer {kubeconfig.token}"} if kubeconfig.token else {}
            connector = aiohttp.TCPConnector(ssl=kubeconfig.context())
            timeout = aiohttp.ClientTimeout(total=SECONDS)
            self._session = aiohttp.ClientSession(
                kubeconfig.server, connector=connector, headers=headers, timeout=timeout
            )
        try:
            async with self._session.request(method, path, **more) as answer:
                if answer.status == NOT_FOUND:
                    return None
                found = await answer.json(content_type=None)
                if answer.status in OK:
                    return found
                said = found.get("message") if isinstance(found, dict) else None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ConnectionFailedError(f"the API server cannot be reached ({type(error).__name__})") from None
        raise ConnectionFailedError(f"{method} {path}: {answer.status} {said}")


def _path(kind: Kind, namespace: str, name: str) -> str:
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}/{name}"


def _named(document: Mapping[str, Any], section: str, name: str) -> Any:
    return next(one for one in document[section] if one["name"] == name)


def _data(section: Mapping[str, str], name: str, here: Path) -> bytes | None:
    if text := section.get(f"{name}-data"):
        return base64.b64decode(text)
    if file := section.get(name):
        return (here / file).read_bytes()
    return None
