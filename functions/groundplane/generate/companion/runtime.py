"""How the function runs: two copies apart from each other, and nothing they could misuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groundplane.core.manifest import Manifest

NAME: Final = "groundplane-function"
USER: Final = 2000  # what Crossplane itself runs functions as


def config() -> Manifest:
    """Return the DeploymentRuntimeConfig that the Function names in ``runtimeConfigRef``."""
    container = {
        "name": "package-runtime",
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsGroup": USER,
            "runAsNonRoot": True,
            "runAsUser": USER,
        },
    }
    apart = {
        "labelSelector": {"matchLabels": {"app.kubernetes.io/part-of": "groundplane"}},
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
    }
    pod = {
        "metadata": {"labels": {"app.kubernetes.io/part-of": "groundplane"}},
        "spec": {
            "containers": [container],
            "securityContext": {
                "runAsGroup": USER,
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": [apart],
        },
    }
    return {
        "apiVersion": "pkg.crossplane.io/v1beta1",
        "kind": "DeploymentRuntimeConfig",
        "metadata": {"name": NAME},
        "spec": {"deploymentTemplate": {"spec": {"replicas": 2, "selector": {}, "template": pod}}},
    }
