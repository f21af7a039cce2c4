"""The machine's own authority: it makes certificates for servers that listen on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from groundplane.local.provider.machine import write

if TYPE_CHECKING:
    from pathlib import Path

YEARS: Final = 10 * 365
DAYS: Final = 825
RENEW_DAYS: Final = 60
CA, CA_KEY, CERTIFICATE, KEY = "ca.crt", "ca.key", "tls.crt", "tls.key"


class Authority:
    """An authority whose key lies in *folder*; it is made the first time."""

    def __init__(self, folder: Path) -> None:
        """Read the authority, or make it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / CA).exists():
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("Groundplane on this machine")
            usage = x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            made = (
                _builder(name, name, key.public_key(), YEARS)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .sign(key, SHA256())
            )
            write(folder / CA_KEY, _pem(key))
            write(folder / CA, made.public_bytes(Encoding.PEM).decode())
        found = load_pem_private_key((folder / CA_KEY).read_bytes(), None)
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / CA_KEY} is no key of an elliptic curve")
        self._key = found
        self.certificate = (folder / CA).read_text()
        self._own = x509.load_pem_x509_certificate(self.certificate.encode())

    def issue(self, folder: Path, name: str) -> bool:
        """Put a certificate for loopback into *folder*, if there is none that lasts; return whether one was made."""
        if _lasts(folder / CERTIFICATE, self._own) and (folder / KEY).exists():
            return write(folder / CA, self.certificate)
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = [
            x509.DNSName("localhost"),
            x509.IPAddress(IPv4Address("127.0.0.1")),
            x509.IPAddress(IPv6Address("::1")),
        ]
        made = (
            _builder(_name(name), self._own.subject, key.public_key(), DAYS)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, SHA256())
        )
        write(folder / KEY, _pem(key))
        write(folder / CA, self.certificate)
        return write(folder / CERTIFICATE, made.public_bytes(Encoding.PEM).decode())


def _lasts(path: Path, authority: x509.Certificate) -> bool:
    if not path.exists():
        return False
    found = x509.load_pem_x509_certificate(path.read_bytes())
    soon = datetime.now(UTC) + timedelta(days=RENEW_DAYS)
    return found.issuer == authority.subject and found.not_valid_after_utc > soon


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks jump
        .not_valid_after(now + timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
