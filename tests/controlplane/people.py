"""Who asks the API server, and what it answers them: every policy is tried by those it is about."""

import re
from pathlib import Path
from typing import Any

from bareplane import crossplane
from bareplane.kubectl import Kubectl
from bareplane.waiting import eventually
from controlplane.cluster import ENVIRONMENT_LABEL, Cluster, Manifest, Team, orders

DEVELOPER = "developer"
CONTROLLERS = "system:serviceaccount:kube-system:"
CNPG = "system:serviceaccount:cnpg-system:cnpg-manager"
DENIED = re.compile(
    r"ValidatingAdmissionPolicy '(?P<policy>[a-z-]+)' with binding '[a-z-]+' denied request: (?P<said>.*)"
)
ANYWAY = "groundplane.dev/delete-anyway"
CONSENT = "groundplane.dev/delete-consent"


def developer(team: Team) -> Kubectl:
    """Return kubectl as somebody with Kubernetes' own role edit in the namespace."""
    if team.roles:
        bind(team, "clusterrole/edit", "delete xdatabases.groundplane.dev")
    return team.kubectl.as_(DEVELOPER)


def bind(team: Team, role: str, right: str) -> None:
    """Give the developer a role in the namespace, and return once that is known; nothing changes the second time.

    Args:
        team: Whose namespace.
        role: `clusterrole/NAME` or `role/NAME`.
        right: One that comes with it, a verb and a resource: an API server that has much to do learns of it later.
    """
    team.apply(binding(role))
    verb, named = right.split()
    resource, group = named.split(".", 1)
    attributes = {"namespace": team.namespace, "verb": verb, "group": group, "resource": resource}
    spec = {"user": DEVELOPER, "resourceAttributes": attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    allowed = ("create", "-f", "-", "-o", "jsonpath={.status.allowed}")
    eventually(lambda: team.kubectl(*allowed, stdin=[review]) == "true")


def binding(role: str) -> Manifest:
    """Return what gives the developer *role*, `clusterrole/NAME` or `role/NAME`."""
    kind, name = role.split("/")
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name.replace(":", "-")},
        "roleRef": {"apiGroup": group, "kind": {"clusterrole": "ClusterRole", "role": "Role"}[kind], "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": DEVELOPER}],
    }


def crossplane_of(kubectl: Kubectl) -> Kubectl:
    """Return kubectl as Crossplane."""
    return kubectl.as_(crossplane.USER, *crossplane.GROUPS)


def controller(kubectl: Kubectl, name: str) -> Kubectl:
    """Return kubectl as a controller of kube-controller-manager."""
    return kubectl.as_(f"{CONTROLLERS}{name}")


def collector(kubectl: Kubectl) -> Kubectl:
    """Return kubectl as the garbage collector."""
    return controller(kubectl, "generic-garbage-collector")


def operator(kubectl: Kubectl) -> Kubectl:
    """Return kubectl as CloudNativePG."""
    return kubectl.as_(CNPG)


def refusal(kubectl: Kubectl, *words: str | Path, stdin: Any = None) -> tuple[str, str]:
    """Return the policy that refused a command, without its prefix, and what it said.

    Raises:
        AssertionError: the command was not refused by a policy, but by something else or not at all.
    """
    done = kubectl.run(*words, stdin=stdin)
    found = DENIED.search(done.stderr)
    assert done.returncode, f"this was not refused: kubectl {' '.join(map(str, words))}\n{done.stdout}"
    assert found, done.stderr
    return found["policy"].removeprefix("groundplane-"), found["said"]


def unlabelled(cluster: Cluster) -> Team:
    """Return a new namespace that belongs to no environment."""
    return cluster.team("")


def environment(cluster: Cluster, name: str, **data: Any) -> None:
    """Apply an EnvironmentConfig."""
    api = "apiextensions.crossplane.io/v1beta1"
    cluster.kubectl.apply({"apiVersion": api, "kind": "EnvironmentConfig", "metadata": {"name": name}, "data": data})


def claim(team: Team, name: str = "orders", labels: dict[str, str] | None = None, **spec: Any) -> Manifest:
    """Return a claim in the namespace of *team*."""
    metadata = {"name": name, "namespace": team.namespace, "labels": labels or {}}
    return {**orders(**spec), "metadata": metadata}


def labelled(environment: str) -> dict[str, str]:
    """Return the label that says which environment."""
    return {ENVIRONMENT_LABEL: environment}


def held(team: Team, name: str = "orders-db-1", **annotations: str) -> Manifest:
    """Return a Cluster as Crossplane composes it, in the hands of a ConfigMap that stands for the claim."""
    team.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "controller": True}
    owner["uid"] = team.get("configmap", "owner")["metadata"]["uid"]
    marks = {
        "groundplane.dev/claim-uid": "11111111-2222-3333-4444-555555555555",
        "groundplane.dev/deletion-policy": "Protect",
        "crossplane.io/composition-resource-name": "cnpg-1-cluster",
    }
    words = {key.replace("_", "-"): value for key, value in annotations.items()}
    marks |= {f"groundplane.dev/{key}": value for key, value in words.items()}
    metadata = {
        "name": name,
        "namespace": team.namespace,
        "labels": {"groundplane.dev/claim": "db.orders", "groundplane.dev/guarded": "true"},
        "annotations": marks,
        "ownerReferences": [owner],
    }
    spec = {"instances": 1, "storage": {"size": "1Gi"}}
    return {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": metadata, "spec": spec}


def secret(team: Team, name: str, kind: str = "Opaque", **labels: str) -> Manifest:
    """Return a Secret; *labels* are of groundplane.dev."""
    marks = {f"groundplane.dev/{key}": value for key, value in labels.items()}
    metadata = {"name": name, "namespace": team.namespace, "labels": marks}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": kind,
        "stringData": {"password": "made up"},
    }
