"""The policies as the API server has them."""

import subprocess
import sys
from pathlib import Path

from bareplane.kubectl import Kubectl
from bareplane.plane import Plane
from bareplane.waiting import eventually
from controlplane.cluster import ROOT, Cluster, Manifest

COMPANION = ROOT / "package" / "companion"


def policies(kubectl: Kubectl) -> list[Manifest]:
    found: list[Manifest] = kubectl.get("validatingadmissionpolicies", "-l", "groundplane.dev/companion=policy")
    return found


def test_the_api_server_finds_nothing_wrong_with_the_types_in_a_policy(plane: Plane) -> None:
    def checked() -> bool:
        return all(
            one.get("status", {}).get("observedGeneration") == one["metadata"]["generation"]
            for one in policies(plane.kubectl)
        )

    eventually(checked)
    warnings = {one["metadata"]["name"]: one["status"]["typeChecking"] for one in policies(plane.kubectl)}
    assert len(warnings) > 1
    assert {name: found for name, found in warnings.items() if found} == {}


def test_applying_the_set_again_changes_nothing(cluster: Cluster) -> None:
    """Every default is written out: a tool that compares sees no difference."""
    command = [str(Path(sys.executable).parent / "kubectl"), "kustomize", str(COMPANION)]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    done = cluster.kubectl.run("diff", "--server-side", "--force-conflicts", "-f", "-", stdin=built)
    assert (done.returncode, done.stdout) == (0, "")
