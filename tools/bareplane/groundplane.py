"""Groundplane on a plane: what a platform team installs on a cluster, with stand-ins where pods would run."""

import base64
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bareplane import crossplane
from bareplane.binaries import missing, need
from bareplane.identity import LOOPBACK
from bareplane.plane import PROGRAMS, SOCKET, Plane, PlaneError, free_ports
from bareplane.waiting import eventually
from crds import crds_folder
from groundplane import __version__
from groundplane.generate import companion as companion_set
from groundplane.generate import packages
from standins.__main__ import ACCOUNTS
from xpkg.build import Runtime, build, push
from xpkg.stage import stage
from xpkg.target import Target

FUNCTION_CERTIFICATE = "groundplane-function-tls"
Manifest = dict[str, Any]
FUNCTION_TTL_SECONDS = 5
ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
COMPANION = ROOT / "package" / "companion"
PACKAGE_PROGRAMS = ("crossplane-cli", "crane")  # they build packages, and serve them
NO_CRDS = "no upstream CRDs: run `make crds`, or name their folder in GROUNDPLANE_CRDS"


def lacking(*, embedded: bool = False) -> str:
    """Return why no plane with Groundplane can be started here, or nothing; an *embedded* one needs no programs."""
    if not embedded and (why := missing(*PROGRAMS, *PACKAGE_PROGRAMS)):
        return why
    return "" if crds_folder() else NO_CRDS


def install(plane: Plane) -> None:
    """Install CRDs of the operators, Groundplane's packages and companion set, environments, and the stand-ins."""
    operators(plane)
    environments(plane)
    companion(plane)
    if plane.embedded:
        plane.kubectl.apply(*manifests(ROOT / "apis"), *manifests(ROOT / "compositions"), server_side=True)
    else:
        package(plane)
    serve(plane)
    established(plane)


def operators(plane: Plane) -> None:
    """Install the CRDs that operators bring, and let the stand-ins work in their place."""
    plane.kubectl.apply(*upstream_crds(), server_side=True)
    if not plane.embedded:
        plane.kubectl.apply(*_operator_roles())
    start_operators(plane)


def start_operators(plane: Plane) -> None:
    """Start the stand-ins for the operators."""
    run_module(plane, "operators", "standins", str(plane.kubeconfig))


def upstream_crds() -> list[Manifest]:
    """Return the CRD of every kind that an engine composes: those of operators, and the local provider's."""
    folder = crds_folder()
    if folder is None:
        raise PlaneError(NO_CRDS)
    wanted = {f"{kind.group}_{kind.plural}.yaml" for kind in companion_set.kinds() if not kind.builtin}
    paths = [*sorted(folder.rglob("*.yaml")), *sorted((ROOT / "package" / "local").glob("*.yaml"))]
    found = [yaml.safe_load(path.read_text()) for path in paths if path.name in wanted]
    if len(found) != len(wanted):
        raise PlaneError(f"{folder} has not all of {sorted(wanted)}: run `make crds`")
    return found


def manifests(folder: Path) -> Iterator[Manifest]:
    """Yield the objects of every YAML file in *folder*."""
    for path in sorted(folder.rglob("*.yaml")):
        yield from (one for one in yaml.safe_load_all(path.read_text()) if one)


def environments(plane: Plane) -> None:
    """Apply the example environments."""
    plane.kubectl.apply(*manifests(EXAMPLES / "environments"))


def companion(plane: Plane) -> None:
    """Apply the companion set; where nobody is given rights and nothing runs in pods, what is left of it."""
    if plane.embedded:
        plane.kubectl.apply(*companion_objects(), server_side=True)
    else:
        plane.kubectl("apply", "--server-side", "-k", COMPANION)


def without_companion(plane: Plane) -> None:
    """Delete what `companion` applies."""
    if plane.embedded:
        plane.kubectl("delete", "-f", "-", stdin=companion_objects())
    else:
        plane.kubectl("delete", "-k", COMPANION)


def companion_objects() -> list[Manifest]:
    """Return the objects of the companion set that an embedded plane serves."""
    groups = ("rbac.authorization.k8s.io", "pkg.crossplane.io", "kustomize.config.k8s.io")
    return [one for one in manifests(COMPANION) if one["apiVersion"].partition("/")[0] not in groups]


def package(plane: Plane) -> None:
    """Build the packages, push them to a registry of the plane's own, and let Crossplane install them."""
    definitions = [*manifests(ROOT / "apis")]
    plane.kubectl.apply(*(crossplane.role_for(one) for one in definitions))
    registry = f"{LOOPBACK}:{free_ports(1)[0]}"
    folder = plane.folder / "registry"
    folder.mkdir()
    plane.run("registry", need("crane"), "registry", "serve", f"--address={registry}", f"--disk={folder}")
    plane.await_("the registry answers", lambda: answers(registry), "registry")
    target = Target(registry, packages.ORG, f"v{__version__}")
    image = Runtime()  # the function runs beside the cluster
    for one in build(stage(ROOT, target, plane.folder / "stage"), target, image, plane.folder / "packages"):
        push(one, target)
    manifest = {"apiVersion": "pkg.crossplane.io/v1", "kind": "Configuration", "metadata": {"name": packages.ORG}}
    plane.kubectl.apply({**manifest, "spec": {"package": target.reference(packages.WHOLE)}})
    eventually(lambda: plane.kubectl.get("functionrevisions"))


def established(plane: Plane) -> None:
    """Return once claims can be applied, and policies know their kind: they learn of a new one some seconds late."""
    eventually(lambda: len(plane.kubectl.get("xrds")) == len([*manifests(ROOT / "apis")]))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "xrds", "--all")
    claim = yaml.safe_load((EXAMPLES / "claims" / "development.yaml").read_text())
    claim["metadata"] |= {"namespace": "default"}
    words = ("create", "--dry-run=server", "-f", "-")
    eventually(lambda: "xdatabase" in plane.kubectl.run(*words, stdin=[claim]).stdout)


def answers(address: str) -> bool:
    """Tell whether somebody listens at *address*."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


def serve(plane: Plane, ttl: int = FUNCTION_TTL_SECONDS) -> None:
    """Serve the function and tell Crossplane where; an embedded plane knows."""
    port = start_function(plane, ttl)
    if plane.embedded:
        return
    folder = plane.folder / "function"
    names = ("tls.crt", "tls.key", "ca.crt")
    data = {name: base64.b64encode((folder / name).read_bytes()).decode() for name in names}
    metadata = {"name": FUNCTION_CERTIFICATE, "namespace": crossplane.NAMESPACE}
    plane.kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    status = {"endpoint": f"{LOOPBACK}:{port}", "tlsServerSecretName": FUNCTION_CERTIFICATE}
    for revision in plane.kubectl.get("functionrevisions"):
        patch = json.dumps({"status": status})
        name = revision["metadata"]["name"]
        plane.kubectl("patch", "functionrevision", name, "--subresource=status", "--type=merge", "-p", patch)
    eventually(lambda: _all_valid(plane))


def start_function(plane: Plane, ttl: int) -> int:
    """Start the function's server and return its port; an embedded plane calls it through a socket of its folder."""
    port = free_ports(1)[0]
    if plane.embedded:
        where = (f"--address=unix:{plane.folder / SOCKET}", "--insecure")
    else:
        where = (f"--address={LOOPBACK}:{port}", f"--tls-certs-dir={plane.folder / 'function'}")
    run_module(plane, "function", "groundplane", "serve", *where, f"--ttl={ttl}", "--debug")
    return port


def run_module(plane: Plane, name: str, module: str, *words: str) -> None:
    """Start a Python module of this repository that ends with the plane."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("functions", "tools"))
    plane.run(name, sys.executable, "-m", module, *words, env={"PYTHONPATH": path})


def _all_valid(plane: Plane) -> bool:
    revisions = plane.kubectl.get("compositionrevisions")
    newest: dict[str, Any] = {}
    for one in sorted(revisions, key=lambda it: it["spec"]["revision"]):
        newest[one["metadata"]["labels"]["crossplane.io/composition-name"]] = one
    said = [one.get("status", {}).get("conditions", []) for one in newest.values()]
    return bool(said) and all(any(c["type"] == "ValidPipeline" and c["status"] == "True" for c in one) for one in said)


def _operator_roles() -> list[Manifest]:
    """Return the roles of the operators: all verbs on their kinds and on Secrets, as the real ones have."""
    made: list[Manifest] = []
    for suffix, account in ACCOUNTS.items():
        namespace, name = account.split(":")[2:]
        groups = sorted({kind.group for kind in companion_set.kinds() if kind.group.endswith(suffix)})
        rules = [
            {"apiGroups": groups, "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["secrets", "events"], "verbs": ["*"]},
        ]
        metadata = {"name": f"standin:{name}"}
        api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", **metadata}
        subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
        made += [
            {**api, "kind": "ClusterRole", "metadata": metadata, "rules": rules},
            {**api, "kind": "ClusterRoleBinding", "metadata": metadata, "roleRef": reference, "subjects": subjects},
        ]
    return made
