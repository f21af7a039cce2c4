"""The embedded plane in place of etcd, API server, controller manager and Crossplane: the same scenarios on both.

What a machine runs in one process runs apart here, the function and the provider above all, so that a scenario can end
one of them. `python -m bareplane.embedded FOLDER` is the plane itself.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bareplane import crossplane, groundplane
from bareplane.plane import EMBEDDED, SOCKET, Plane, kept
from groundplane import contracts
from groundplane.generate import packages
from groundplane.local.apiserver import server
from groundplane.local.xr_controller.controller import reconciling


def missing_kinds() -> list[dict[str, Any]]:
    """Return definitions of kinds that engines of clusters compose and that every API server but this one has."""
    open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": open_schema}}
    names = {"kind": "NetworkPolicy", "plural": "networkpolicies", "singular": "networkpolicy"}
    metadata = {
        "name": "networkpolicies.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, it stands for the built-in kind"},
    }
    spec = {"group": "networking.k8s.io", "scope": "Namespaced", "names": names, "versions": [version]}
    api_version = "apiextensions.k8s.io/v1"
    return [{"apiVersion": api_version, "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}]


@contextlib.contextmanager
def started() -> Iterator[Plane]:
    """Start an embedded plane, yield it, and end everything that was started, also when this process is killed."""
    with kept() as folder:
        (folder / EMBEDDED).touch()
        plane = Plane(folder)
        start(plane)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": crossplane.NAMESPACE}}
        plane.kubectl.apply(namespace, *missing_kinds())
        yield plane


def start(plane: Plane) -> None:
    """Start the plane's process, and return once it serves."""
    groundplane.run_module(plane, crossplane.NAME, "bareplane.embedded", str(plane.folder))
    plane.await_("the plane serves", lambda: plane.kubectl.ask("get", "--raw=/readyz"), crossplane.NAME)


async def _serve(folder: Path) -> None:
    functions = {packages.installed(packages.function(name)): f"unix:{folder / SOCKET}" for name in contracts.names()}
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    serving = server.serving(folder / "plane", kubeconfig=folder / "kubeconfig")
    async with serving as plane, reconciling(plane.api, functions):
        print(plane.kubeconfig, flush=True)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
