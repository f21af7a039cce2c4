"""When claims get ready, as a watch tells: a list, asked for again and again, would cost more than the claims."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from groundplane.local.host.kubeconfig import Kubeconfig

_SECONDS = 900


class Watched:
    """Notes when each object of a kind is ready for the first time, by `time.monotonic`."""

    def __init__(self, kubeconfig: Kubeconfig, path: str) -> None:
        """Watch the objects at *path* of the server that *kubeconfig* names, until `close`."""
        self.ready: dict[str, float] = {}
        where = urlsplit(kubeconfig.server)
        self._connection = http.client.HTTPSConnection(where.netloc, timeout=_SECONDS, context=kubeconfig.context())
        headers = {"Authorization": f"Bearer {kubeconfig.token}"} if kubeconfig.token else {}
        self._connection.request("GET", f"{path}?watch=1&timeoutSeconds={_SECONDS}", headers=headers)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for line in self._connection.getresponse():
                self.see(json.loads(line)["object"], time.monotonic())
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return  # closed, while it is read from; whoever still waits for claims says that they are missing

    def see(self, found: Any, now: float) -> None:
        """Take notice of an object as it is *now*."""
        conditions = found.get("status", {}).get("conditions", [])
        if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
            self.ready.setdefault(found["metadata"]["name"], now)

    def close(self) -> None:
        """Watch no more."""
        self._connection.close()
