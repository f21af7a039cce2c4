"""Requests to the API server that the controller framework does not send for us."""

from __future__ import annotations

import base64
from typing import Any, Final

import aiohttp

from groundplane.core.manifest import SECRET, Kind, Manifest
from groundplane.local.host.kubeconfig import ConnectionFailedError, Kubeconfig

SECONDS: Final = 15
NOT_FOUND: Final = 404
OK: Final = range(200, 300)
MERGE: Final = "application/merge-patch+json"


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

    async def uids(self, kind: Kind) -> set[str] | None:
        """Return the uids of all objects of *kind*; None when the kind is not served.

        Raises:
            ConnectionFailedError: the API server refused it, or cannot be reached.
        """
        found = await self._ask("GET", f"/apis/{kind.api_version}/{kind.plural}")
        return None if found is None else {one["metadata"]["uid"] for one in found["items"]}

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
