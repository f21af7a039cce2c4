"""How the plane is reached: its certificate, and the kubeconfig for clients."""

from __future__ import annotations

import base64
import json
import ssl
from datetime import datetime
from pathlib import Path

from groundplane.local.host.certificates import CA, CERTIFICATE, KEY, Authority
from groundplane.local.host.private_files import write

HOST = "127.0.0.1"
NAME = "groundplane"


def context(folder: Path, authority: Authority, now: datetime) -> ssl.SSLContext:
    """Return how to serve TLS on loopback, with what *authority* put into *folder*."""
    authority.keep(folder, NAME, now)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    return made


def renew(serving: ssl.SSLContext, folder: Path, authority: Authority, now: datetime) -> None:
    """Let what is *serving* show a new certificate to new connections, when the one in *folder* lasts no longer.

    Raises:
        OSError: it cannot be written.
    """
    if authority.keep(folder, NAME, now):
        serving.load_cert_chain(folder / CERTIFICATE, folder / KEY)


def kubeconfig(folder: Path, server: str, token: str, path: Path | None = None) -> Path:
    """Write how clients reach *server* by *token* to *path*, or to kubeconfig in *folder*; return where that is."""
    pem = base64.b64encode((folder / CA).read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": pem}}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
        "current-context": NAME,
    }
    path = path or folder / "kubeconfig"
    write(path, json.dumps(config, indent=2).encode())  # JSON is YAML
    return path
