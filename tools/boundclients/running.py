"""Connect each client by a mounted binding, and by two that it must not believe."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boundclients import building
from boundclients.catalogue import Client

SECONDS = 300  # an application of Spring takes five of a core, and a busy machine has little of one to give
WITHOUT_HOST = "writes and reads, in a pod and by `groundplane exec`; refuses another authority"
WHOLE = f"{WITHOUT_HOST} and another host"
# What a client says, in the words of its library, when it does not believe the server.
NO_AUTHORITY = re.compile(
    r"PKIX path building failed|certificate verify failed|signed by unknown authority"
    r"|unable to verify the first certificate"
)
NO_NAME = re.compile(
    r"server certificate for .* does not match host name|certificate is valid for .*, not |IP address mismatch"
    r"|is not in the cert's list|[Tt]he hostname .* could not be verified"
)


class ClientError(Exception):
    """The message says what a client did that it should not, or did not."""


@dataclass(frozen=True, slots=True)
class Mounts:
    """Folders that SERVICE_BINDING_ROOT can name.

    Attributes:
        right: As the binding says.
        another_authority: With the certificate of an authority that signed nothing.
        another_host: With a host that the server's certificate does not name; None where this machine has no other.
        executed: The words that run a program with the same binding by `groundplane exec`.
        variables: What those words need in their environment.
        password: What they hold and nobody may show.
    """

    right: Path
    another_authority: Path
    another_host: Path | None
    executed: tuple[str, ...]
    variables: Mapping[str, str]
    password: str


def result(client: Client, mounts: Mounts, home: Path, smaller: Path | None) -> str:
    """Return what *client* was seen to do. *smaller* is the mount without the entries that it leaves out.

    Raises:
        ClientError: it did not connect, or believed a server that it must not.
    """
    for mount in filter(None, (mounts.right, smaller)):
        done = _run(client, mount, home)
        _connected(client, done, mounts)
        if mounts.password in done.stdout and (smaller is None or mount is smaller):
            raise ClientError("shows the password in its log")
    _connected(client, _run(client, None, home, mounts), mounts)
    _refuses(client, mounts, mounts.another_authority, NO_AUTHORITY, home)
    if mounts.another_host is None:
        return WITHOUT_HOST
    _refuses(client, mounts, mounts.another_host, NO_NAME, home)
    return WHOLE


def _refuses(client: Client, mounts: Mounts, mount: Path, reason: re.Pattern[str], home: Path) -> None:
    done = _run(client, mount, home)
    if done.returncode == 0:
        raise ClientError(f"believed {mount.name}")
    if not reason.search(done.stdout):
        raise ClientError(f"failed by {mount.name}, and not because of its certificate: {_told(done, mounts)}")


def _connected(client: Client, done: subprocess.CompletedProcess[str], mounts: Mounts) -> None:
    if done.returncode or f"read: {client.name}" not in done.stdout:
        raise ClientError(f"did not connect: {_told(done, mounts)}")


def _run(
    client: Client, mount: Path | None, home: Path, mounts: Mounts | None = None
) -> subprocess.CompletedProcess[str]:
    """Run *client* by *mount*, or by `groundplane exec` of *mounts*."""
    words = building.FAMILIES[client.family].argv(building.BUILT / client.family, client)
    process = subprocess.Popen(
        [*(mounts.executed if mounts else ()), *words],
        env={**environment(client, mount, home), **(mounts.variables if mounts else {})},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()  # not killed: `groundplane exec` hands it on, and takes the binding away
        process.communicate()
        raise ClientError(f"did not end within {SECONDS} s") from None
    return subprocess.CompletedProcess(words, process.returncode, said)


def environment(client: Client, mount: Path | None, home: Path) -> dict[str, str]:
    """Return all variables of a pod: what a person writes there, and nothing of this shell that leads to a database."""
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME", "LANG") if name in os.environ}
    root = {"SERVICE_BINDING_ROOT": str(mount)} if mount else {}
    return {**kept, "HOME": str(home), **root, **client.variables}


def _told(done: subprocess.CompletedProcess[str], mounts: Mounts) -> str:
    lines = [line for line in done.stdout.splitlines() if line.strip() and not re.match(r"\s+(at |\.\.\. )", line)]
    return "\n".join(lines[-12:]).replace(mounts.password, "(hidden)")
