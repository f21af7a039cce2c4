"""Certificates and kubeconfigs: a certificate authority that lives as long as its plane, and who it vouches for."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = "127.0.0.1"
LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates for servers on loopback and for clients that the API server knows by name and groups."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name("groundplane-bare-plane", ())
        usage = x509.BasicConstraints(ca=True, path_length=0)
        certificate = _builder(name, name, self._key.public_key()).add_extension(usage, critical=True)
        self._certificate = certificate.sign(self._key, hashes.SHA256())
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, groups: Iterable[str] = ()) -> Pair:
        """Return a certificate for *name*, good as a client and as a server on loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK)), x509.DNSName("localhost")])
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        subject = _name(name, groups)
        builder = _builder(subject, self._certificate.subject, key.public_key())
        builder = builder.add_extension(addresses, critical=False).add_extension(uses, critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return Pair(signed.public_bytes(serialization.Encoding.PEM), private_pem(key))

    def write(self, folder: Path, name: str, groups: Iterable[str] = ()) -> Path:
        """Issue a certificate and write tls.crt, tls.key and ca.crt into *folder*; return the folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        pair = self.issue(name, groups)
        (folder / "tls.crt").write_bytes(pair.certificate)
        write_private(folder / "tls.key", pair.key)
        (folder / "ca.crt").write_bytes(self.pem)
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
        write_private(path, json.dumps(config, indent=2).encode())  # JSON is YAML
        return path


def signing_key(private: Path, public: Path) -> None:
    """Write a key pair with which an API server signs the tokens of ServiceAccounts."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(private, private_pem(key))
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(encoding, form))


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return *key* as programs read it."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def write_private(path: Path, content: bytes) -> None:
    """Write what only its owner may read."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


def _name(common: str, groups: Iterable[str]) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    # X.520 allows a common name 64 characters; the API server takes longer ones, and ServiceAccounts have them.
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, common, _validate=False)])


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
