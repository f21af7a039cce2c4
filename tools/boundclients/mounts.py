"""A binding as Kubernetes mounts it into a pod, and the two that no client may believe."""

import contextlib
import datetime
import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from boundclients.catalogue import BINDING

# This machine too, and not in the server's certificate.
OTHER_HOST = "127.0.0.2"
_PIECE = 65536


def mount(root: Path, entries: Mapping[str, str]) -> Path:
    """Write *entries* below *root* as a mounted Secret looks: each file leads into a folder that is swapped whole."""
    folder = root / BINDING
    (folder / "..2026_01_01").mkdir(parents=True)
    (folder / "..data").symlink_to("..2026_01_01")
    for key, text in entries.items():
        (folder / "..2026_01_01" / key).write_text(text)
        (folder / key).symlink_to(f"..data/{key}")
    return root


def of_another_authority(entries: Mapping[str, str]) -> dict[str, str]:
    """Return *entries* with the certificate of an authority that signed nothing."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another authority")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return {**entries, "certificates": text, "root.crt": text}


def of_another_host(entries: Mapping[str, str], port: int) -> dict[str, str]:
    """Return *entries* that lead to *port* of a host that the server's certificate does not name."""
    here, there = f"@{entries['host']}:{entries['port']}/", f"@{OTHER_HOST}:{port}/"
    return {**entries, "host": OTHER_HOST, "port": str(port), "uri": entries["uri"].replace(here, there)}


@contextlib.contextmanager
def forwarded(entries: Mapping[str, str]) -> Iterator[int | None]:
    """Hand on to the server of *entries* what comes to `OTHER_HOST`; return the port, None where that is no host."""
    target = (entries["host"], int(entries["port"]))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as server, selectors.DefaultSelector() as selector:
                selector.register(self.request, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, self.request)
                with contextlib.suppress(OSError):
                    while True:
                        for found, _ in selector.select():
                            piece = found.fileobj.recv(_PIECE)  # type: ignore[union-attr]  # Both are sockets.
                            if not piece:
                                return
                            found.data.sendall(piece)

    try:
        server = socketserver.ThreadingTCPServer((OTHER_HOST, 0), Handler)
    except OSError:
        yield None
        return
    server.daemon_threads = True
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
