"""Crossplane on the bare plane: its CRDs, the roles of its chart, and itself, under its own identity."""

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bareplane.binaries import crossplane_cluster, need
from bareplane.identity import Authority

if TYPE_CHECKING:
    from bareplane.plane import Plane

NAMESPACE = "crossplane-system"
ACCOUNT = "crossplane"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
NAME = "crossplane"
POLL_INTERVAL = "10s"
_SECRETS = ("crossplane-root-ca", "crossplane-tls-server", "crossplane-tls-client")
_TEMPLATE_LINE = re.compile(r"^.*\{\{-? *(if|else|end|include)[^}]*\}\}", re.MULTILINE)
_TEMPLATE_NAME = re.compile(r'\{\{ *template "crossplane.name" *\. *\}\}')
_CLAIM_SUFFIX = "aggregate-to-crossplane"


def install(plane: "Plane", binary: Path, authority: Authority, server: str) -> None:
    """Prepare the cluster for Crossplane and start it.

    Raises:
        PlaneError: it did not become ready.
    """
    authority.kubeconfig(plane.folder / "crossplane.kubeconfig", server, USER, GROUPS)
    (plane.folder / "crossplane").mkdir()
    authority.write(plane.folder / "crossplane" / "client", USER)
    authority.write(plane.folder / "function", "function")
    plane.kubectl.apply(*_surroundings(), *_chart_roles(), _binding(), server_side=True)
    plane.await_("Crossplane's role has its rules", lambda: _aggregated(plane), "kube-controller-manager")
    _initialise(plane, binary)
    start(plane, binary)


def start(plane: "Plane", binary: Path | None = None) -> None:
    """Start Crossplane, or the embedded plane that stands in its place."""
    from bareplane import embedded  # noqa: PLC0415  # It imports this module.
    from bareplane.plane import free_ports  # noqa: PLC0415  # The plane imports this module.

    if plane.embedded:
        embedded.start(plane)
        return
    binary = binary or need("crossplane-core")

    folder = plane.folder / "crossplane"
    health, metrics, webhooks = free_ports(3)
    plane.run(
        NAME,
        binary,
        "core",
        "start",
        "--package-runtime=Function=External;Provider=External",
        f"--tls-client-certs-dir={folder / 'client'}",
        f"--xpkg-cache-dir={_made(folder / 'packages')}",
        f"--xfn-cache-dir={_made(folder / 'functions')}",
        f"--poll-interval={POLL_INTERVAL}",
        "--enable-webhooks=false",
        f"--health-probe-port={health}",
        f"--metrics-port={metrics}",
        f"--webhook-port={webhooks}",
        env=_environment(plane),
    )


def kill(plane: "Plane") -> None:
    """End Crossplane at once, in the middle of whatever it does."""
    plane.end(NAME, signal.SIGKILL)


def role_for(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the ClusterRole that Crossplane's RBAC manager makes for an XRD, as far as Crossplane itself needs it.

    The manager does not run here: it listens on every interface of the machine. Without this role the XRD never
    becomes Established, and nothing says so.
    """
    group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": f"crossplane:composite:{definition['metadata']['name']}:{_CLAIM_SUFFIX}",
            "labels": {f"rbac.crossplane.io/{_CLAIM_SUFFIX}": "true"},
        },
        "rules": [
            {"apiGroups": [group], "resources": [plural, f"{plural}/status"], "verbs": ["*"]},
            {"apiGroups": [group], "resources": [f"{plural}/finalizers"], "verbs": ["update"]},
        ],
    }


def _surroundings() -> list[dict[str, Any]]:
    core = {"apiVersion": "v1"}
    account = {**core, "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": NAMESPACE}}
    secrets = [{**core, "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}} for name in _SECRETS]
    return [{**core, "kind": "Namespace", "metadata": {"name": NAMESPACE}}, account, *secrets]


def _chart_roles() -> list[dict[str, Any]]:
    """Return the ClusterRoles of Crossplane's chart, as Helm renders them with its defaults."""
    template = (crossplane_cluster() / "charts" / "crossplane" / "templates" / "clusterrole.yaml").read_text()
    text = _TEMPLATE_NAME.sub(NAME, _TEMPLATE_LINE.sub("", template))
    roles = [role for role in yaml.safe_load_all(text) if role]
    for role in roles:
        if "aggregationRule" in role:
            role.pop("rules", None)
    return roles


def _binding() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }


def _aggregated(plane: "Plane") -> str:
    return plane.kubectl.ask("get", "clusterrole", NAME, "-o", "jsonpath={.rules[*].resources}")


def _initialise(plane: "Plane", binary: Path) -> None:
    name = "crossplane-init"
    names = zip(("tlsca", "tls-server", "tls-client"), _SECRETS, strict=True)
    secrets = [f"--{what}-secret-name={secret}" for what, secret in names]
    crds = f"--cr-ds-path={crossplane_cluster() / 'crds'}"
    # The first pass may meet CRDs that the API server does not serve yet.
    script = 'for _ in 1 2 3 4; do "$@" && exit; sleep 1; done; exec "$@"'
    words = (str(binary), "core", "init", *secrets, crds, "--enable-webhooks=false")
    plane.run(name, "sh", "-c", script, "init", *words, env=_environment(plane))
    plane.finish(name)


def _environment(plane: "Plane") -> dict[str, str]:
    kubeconfig = str(plane.folder / "crossplane.kubeconfig")
    return {"KUBECONFIG": kubeconfig, "POD_NAMESPACE": NAMESPACE, "POD_SERVICE_ACCOUNT": ACCOUNT}


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
