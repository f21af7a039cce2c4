"""Start a control plane: etcd, API server, controller manager and Crossplane, each with an identity of its own.

There is no kubelet: nothing runs in pods. Whoever uses the plane plays the operators and serves the functions.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bareplane import crossplane, keeper
from bareplane.binaries import need
from bareplane.identity import LOOPBACK, Authority, signing_key
from bareplane.kubectl import Kubectl

MASTERS = ("system:masters",)
CONTROLLERS = (
    "namespace-controller,garbage-collector-controller,serviceaccount-controller,clusterrole-aggregation-controller"
    ",validatingadmissionpolicy-status-controller"  # tells what is wrong with the types in a policy
)
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "crossplane-core")
START_SECONDS = 90
FOLDER_VARIABLE = "GROUNDPLANE_PLANE"  # the folder of a plane that runs already
SOCKET = "function.sock"  # where an embedded plane calls the function
EMBEDDED = "embedded"  # a file of this name says that the plane of a folder is an embedded one


class PlaneError(Exception):
    """The message says what did not come up, and where its log is."""


class Plane:
    """A control plane that runs in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.kubectl = Kubectl(self.kubeconfig)
        self.embedded = (folder / EMBEDDED).exists()

    def run(self, name: str, *argv: str | Path, env: dict[str, str] | None = None) -> None:
        """Start a program that ends with the plane; its output is in the plane's logs."""
        keeper.ask(self.folder, "start", name=name, argv=[str(word) for word in argv], env=env or {})

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """End a program that `run` started."""
        keeper.ask(self.folder, "stop", name=name, number=int(number))

    def log(self, name: str) -> str:
        """Return what a program wrote."""
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def await_(self, what: str, holds: Callable[[], object], program: str, seconds: float = START_SECONDS) -> None:
        """Return once *holds* says so.

        Raises:
            PlaneError: it did not within *seconds*, or *program* ended.
        """
        end = time.monotonic() + seconds
        while not holds():
            if self._code(program) is not None:
                raise PlaneError(f"{what}: {program} ended before\n{self._tail(program)}")
            if time.monotonic() > end:
                raise PlaneError(f"{what}: not within {seconds:.0f} s\n{self._tail(program)}")
            time.sleep(0.1)

    def finish(self, program: str, seconds: float = START_SECONDS) -> None:
        """Return once *program* ended well.

        Raises:
            PlaneError: it failed, or did not end within *seconds*.
        """
        end = time.monotonic() + seconds
        while (code := self._code(program)) is None and time.monotonic() < end:
            time.sleep(0.1)
        if code != 0:
            raise PlaneError(f"{program} {'did not end' if code is None else 'failed'}\n{self._tail(program)}")

    def _code(self, program: str) -> int | None:
        code: int | None = keeper.ask(self.folder, "state")["programs"][program]["code"]
        return code

    def _tail(self, program: str) -> str:
        return "\n".join(self.log(program).splitlines()[-15:])


@contextlib.contextmanager
def started() -> Iterator[Plane]:
    """Start a plane, yield it, and end everything that was started, also when this process is killed.

    Raises:
        PlaneError: a part did not come up.
        BinariesError: a program is neither here nor can it be built.
    """
    binaries = {name: need(name) for name in PROGRAMS}
    with kept() as folder:
        plane = Plane(folder)
        _start(plane, binaries)
        yield plane


@contextlib.contextmanager
def kept() -> Iterator[Path]:
    """Return a new folder whose programs end, and which goes, when this process leaves the block or ends."""
    folder = Path(tempfile.mkdtemp(prefix="groundplane-"))  # 0700: keys lie in it
    command = (sys.executable, "-m", "bareplane.keeper", str(folder))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    try:
        assert process.stdin  # noqa: S101  # Tells the type checker.
        assert process.stdout  # noqa: S101  # Tells the type checker.
        process.stdout.readline()
        yield folder
    finally:
        if wanted := os.environ.get("GROUNDPLANE_KEEP_LOGS"):
            shutil.copytree(folder / "logs", Path(wanted) / folder.name, dirs_exist_ok=True)
        process.communicate()


def _start(plane: Plane, binaries: dict[str, Path]) -> None:
    authority = Authority()
    client, peer, server = free_ports(3)
    address = f"https://{LOOPBACK}:{server}"
    folder = plane.folder
    authority.kubeconfig(plane.kubeconfig, address, "admin", MASTERS)
    _etcd(plane, binaries["etcd"], client, peer)
    _api_server(plane, binaries["kube-apiserver"], authority, client, server)
    manager = "system:kube-controller-manager"
    plane.run(
        "kube-controller-manager",
        binaries["kube-controller-manager"],
        "--kubeconfig",
        authority.kubeconfig(folder / "controller-manager.kubeconfig", address, manager),
        "--controllers",
        CONTROLLERS,
        # Without it the collector acts as admin, and every test of a policy lies.
        "--use-service-account-credentials=true",
        "--service-account-private-key-file",
        folder / "tokens.key",
        "--secure-port=0",
        "--leader-elect=false",
    )
    crossplane.install(plane, binaries["crossplane-core"], authority, address)


def _etcd(plane: Plane, binary: Path, client: int, peer: int) -> None:
    url, peer_url = f"http://{LOOPBACK}:{client}", f"http://{LOOPBACK}:{peer}"
    plane.run(
        "etcd",
        binary,
        "--unsafe-no-fsync",  # nothing here outlives the plane
        f"--data-dir={plane.folder / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
    )


def _api_server(plane: Plane, binary: Path, authority: Authority, etcd: int, port: int) -> None:
    served = authority.write(plane.folder / "api-server", "kube-apiserver")
    signing_key(plane.folder / "tokens.key", plane.folder / "tokens.pub")
    plane.run(
        "kube-apiserver",
        binary,
        f"--etcd-servers=http://{LOOPBACK}:{etcd}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--client-ca-file={served / 'ca.crt'}",
        f"--tls-cert-file={served / 'tls.crt'}",
        f"--tls-private-key-file={served / 'tls.key'}",
        "--service-account-issuer=https://bare.plane",
        f"--service-account-key-file={plane.folder / 'tokens.pub'}",
        f"--service-account-signing-key-file={plane.folder / 'tokens.key'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",  # no pods, so nobody needs a token mounted
        "--endpoint-reconciler-type=none",
    )
    plane.await_("the API server is ready", lambda: plane.kubectl.ask("get", "--raw=/readyz"), "kube-apiserver")


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
