"""Certificates and the kubeconfig: an authority of the plane's own, whose key is thrown away once it has signed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "127.0.0.1"
NAME = "groundplane"
_LIFETIME = timedelta(days=10 * 365)
_EARLY = timedelta(hours=1)  # a clock that is set back a little must not lock anybody out


def context(folder: Path, now: datetime) -> ssl.SSLContext:
    """Return how to serve TLS on loopback; certificate and key are made in *folder* when they are not there."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    if not (certificate.exists() and key.exists() and authority(folder).exists()):
        _issue(folder, now)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certificate, key)
    return made


def authority(folder: Path) -> Path:
    """Return where the certificate is by which clients know the plane."""
    return folder / "ca.crt"


def _issue(folder: Path, now: datetime) -> None:
    signer = ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"{NAME}-authority")
    usage = x509.BasicConstraints(ca=True, path_length=0)
    signs = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    root = _builder(issuer, issuer, signer.public_key(), now).add_extension(usage, critical=True)
    signed_root = root.add_extension(signs, critical=True).sign(signer, hashes.SHA256())

    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST)), x509.DNSName("localhost")])
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    leaf = _builder(_name(HOST), issuer, key.public_key(), now).add_extension(names, critical=False)
    signed = leaf.add_extension(uses, critical=False).sign(signer, hashes.SHA256())

    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_private(folder / "tls.key", key.private_bytes(serialization.Encoding.PEM, form, plain))
    write_private(folder / "tls.crt", signed.public_bytes(serialization.Encoding.PEM))
    write_private(authority(folder), signed_root.public_bytes(serialization.Encoding.PEM))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - _EARLY).not_valid_after(now + _LIFETIME)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def kubeconfig(folder: Path, server: str, token: str, path: Path | None = None) -> Path:
    """Write how clients reach *server* by *token* to *path*, or to kubeconfig in *folder*; return where that is."""
    pem = base64.b64encode(authority(folder).read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority-data": pem}}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
        "current-context": NAME,
    }
    path = path or folder / "kubeconfig"
    write_private(path, json.dumps(config, indent=2).encode())  # JSON is YAML
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write what only its owner may read, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)
