"""Certificates of an authority of one's own: for servers on loopback, and for clients that a server knows by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from groundplane.local.host.private_files import folder as made
from groundplane.local.host.private_files import write

CA, CA_KEY, CERTIFICATE, KEY = "ca.crt", "ca.key", "tls.crt", "tls.key"
AUTHORITY_LIFE: Final = timedelta(days=10 * 365)
LIFE: Final = timedelta(days=825)  # some clients take no longer one
RENEW: Final = timedelta(days=60)  # before its end
RENEW_AUTHORITY: Final = LIFE + RENEW  # so that nothing it signs outlives what its clients know it by
_EARLY: Final = timedelta(days=1)  # a clock that is set back must not lock anybody out
_NAMES: Final = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(one)) for one in ("127.0.0.1", "::1"))]
)
SERVER: Final = (ExtendedKeyUsageOID.SERVER_AUTH,)
BOTH: Final = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
_BITS: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates. Who has its own certificate knows them."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        """Sign with *key*, as *certificate* says."""
        self.key = key
        self._own = certificate
        self.pem = certificate.public_bytes(Encoding.PEM)

    @classmethod
    def new(cls, name: str, now: datetime, life: timedelta = AUTHORITY_LIFE) -> Self:
        """Return a new one that calls itself *name*."""
        return cls._signed(ec.generate_private_key(ec.SECP256R1()), _name(name), now - _EARLY, now + life)

    @classmethod
    def _signed(cls, key: ec.EllipticCurvePrivateKey, subject: x509.Name, begin: datetime, end: datetime) -> Self:
        usage = x509.KeyUsage(**{bit: bit in {"key_cert_sign", "crl_sign"} for bit in _BITS})
        certificate = (
            _builder(subject, subject, key.public_key(), begin, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def kept(cls, folder: Path, name: str, now: datetime) -> Self:
        """Return the authority that lies in *folder*; it is made when it is not there whole.

        Well before its end its certificate is made again, with the same key and name: whatever it signed is believed
        by who knows either, and who knows the old one has `RENEW_AUTHORITY` to learn of the new one.

        Raises:
            OSError: it cannot be read, or written.
        """
        key, certificate = _key(folder / CA_KEY), _certificate(folder / CA)
        if key is not None and certificate is not None and key.public_key() == certificate.public_key():
            begin = certificate.not_valid_before_utc
            if begin <= now and now + RENEW_AUTHORITY < certificate.not_valid_after_utc:
                return cls(key, certificate)
            # It begins no later than the one before: the clock may be wrong now, or was then.
            fresh = cls._signed(key, certificate.subject, min(begin, now - _EARLY), now + AUTHORITY_LIFE)
            write(folder / CA, fresh.pem)
            return fresh
        fresh = cls.new(name, now)
        write(made(folder) / CA_KEY, private_pem(fresh.key))
        write(folder / CA, fresh.pem)
        return fresh

    def issue(
        self,
        name: str,
        now: datetime,
        *,
        groups: Iterable[str] = (),
        uses: Iterable[x509.ObjectIdentifier] = SERVER,
        life: timedelta = LIFE,
    ) -> Pair:
        """Return a certificate on loopback for *name*, member of *groups*."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = (
            _builder(_name(name, groups), self._own.subject, key.public_key(), now - _EARLY, now + life)
            .add_extension(_NAMES, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Pair(signed.public_bytes(Encoding.PEM), private_pem(key))

    def keep(self, folder: Path, name: str, now: datetime) -> bool:
        """Put a server's certificate for *name* into *folder*, if none is there that lasts; return whether it changed.

        Raises:
            OSError: it cannot be written.
        """
        changed = write(folder / CA, self.pem)
        if self._vouches(folder, now, now + RENEW):
            return changed
        pair = self.issue(name, now)
        write(folder / KEY, pair.key)
        return write(folder / CERTIFICATE, pair.certificate)

    def _vouches(self, folder: Path, now: datetime, until: datetime) -> bool:
        """Return whether key and certificate in *folder* belong together, are of ours, and hold from *now* *until*."""
        key, found = _key(folder / KEY), _certificate(folder / CERTIFICATE)
        if key is None or found is None or key.public_key() != found.public_key():
            return False
        try:
            found.verify_directly_issued_by(self._own)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return found.not_valid_before_utc <= now and found.not_valid_after_utc > until


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return *key* as programs read it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """Return the key at *path*; None when there is none, or half of one."""
    if not path.exists():
        return None
    with contextlib.suppress(ValueError):
        found = load_pem_private_key(path.read_bytes(), None)
        return found if isinstance(found, ec.EllipticCurvePrivateKey) else None
    return None


def _certificate(path: Path) -> x509.Certificate | None:
    with contextlib.suppress(ValueError):
        return x509.load_pem_x509_certificate(path.read_bytes()) if path.exists() else None
    return None


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(begin).not_valid_after(end)


def _name(common: str, groups: Iterable[str] = ()) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    # X.520 allows a common name 64 characters; an API server takes longer ones, and ServiceAccounts have them.
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, common, _validate=False)])
