"""Who speaks to a bare plane: certificates of an authority that lives as long as its plane, and kubeconfigs."""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from groundplane.local.host import certificates, private_files

LOOPBACK = "127.0.0.1"
LIFETIME = timedelta(days=1)


class Authority:
    """Signs certificates for servers on loopback and for clients that the API server knows by name and groups."""

    def __init__(self) -> None:
        self._authority = certificates.Authority.new("groundplane-bare-plane", datetime.now(UTC), LIFETIME)
        self.pem = self._authority.pem

    def issue(self, name: str, groups: Iterable[str] = ()) -> certificates.Pair:
        """Return a certificate for *name*, good as a client and as a server on loopback."""
        now = datetime.now(UTC)
        return self._authority.issue(name, now, groups=groups, uses=certificates.BOTH, life=LIFETIME)

    def write(self, folder: Path, name: str, groups: Iterable[str] = ()) -> Path:
        """Issue a certificate and write tls.crt, tls.key and ca.crt into *folder*; return the folder."""
        private_files.folder(folder)
        pair = self.issue(name, groups)
        (folder / certificates.CERTIFICATE).write_bytes(pair.certificate)
        private_files.write(folder / certificates.KEY, pair.key)
        (folder / certificates.CA).write_bytes(self.pem)
        return folder

    def kubeconfig(self, path: Path, server: str, name: str, groups: Iterable[str] = ()) -> Path:
        """Write a kubeconfig with which *name*, member of *groups*, speaks to *server*; return its path."""
        pair = self.issue(name, groups)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "bare", "cluster": {"server": server, "certificate-authority-data": _base64(self.pem)}}
            ],
            "users": [
                {
                    "name": name,
                    "user": {
                        "client-certificate-data": _base64(pair.certificate),
                        "client-key-data": _base64(pair.key),
                    },
                }
            ],
            "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": name}}],
            "current-context": "bare",
        }
        private_files.write(path, json.dumps(config, indent=2).encode())  # JSON is YAML
        return path


def signing_key(own: Path, public: Path) -> None:
    """Write a key pair with which an API server signs the tokens of ServiceAccounts."""
    key = ec.generate_private_key(ec.SECP256R1())
    private_files.write(own, certificates.private_pem(key))
    encoding, form = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(encoding, form))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
