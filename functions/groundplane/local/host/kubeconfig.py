"""A kubeconfig: where an API server is, and as whom to speak to it."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


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

    def context(self) -> ssl.SSLContext:
        """Return what trusts this server alone, and shows our certificate."""
        context = ssl.create_default_context(cadata=self.authority.decode())
        if self.certificate and self.key:
            with tempfile.NamedTemporaryFile() as file:  # readable by us alone, and gone at once
                file.write(self.certificate + b"\n" + self.key)
                file.flush()
                context.load_cert_chain(file.name)
        return context


def _named(document: Mapping[str, Any], section: str, name: str) -> Any:
    return next(one for one in document[section] if one["name"] == name)


def _data(section: Mapping[str, str], name: str, here: Path) -> bytes | None:
    if text := section.get(f"{name}-data"):
        return base64.b64decode(text)
    if file := section.get(name):
        return (here / file).read_bytes()
    return None
