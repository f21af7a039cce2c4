"""The policies as the API server has them."""

import subprocess
import sys
from pathlib import Path

import pytest

from bareplane import groundplane
from bareplane.kubectl import Kubectl
from bareplane.plane import Plane
from bareplane.waiting import eventually
from controlplane.cluster import ROOT, Cluster, Manifest
from groundplane.generate import companion

COMPANION = ROOT / "package" / "companion"


VERSIONS = {
    "": ["v1"],
    "apiextensions.k8s.io": ["v1"],
    "apiextensions.crossplane.io": ["v1beta1", "v2"],
    "groundplane.dev": ["v1alpha1"],
    **{kind.group: [kind.api_version.rpartition("/")[2]] for kind in companion.kinds()},
}
COPY = "types-of-"


def copies() -> list[Manifest]:
    """Return every policy with versions in place of "*", which is not checked; without a binding it does nothing."""
    found = []
    for policy in (one for several in companion.policies().values() for one in several if not one.mutations):
        copy, _ = policy.manifests()
        copy["metadata"] = {"name": f"{COPY}{policy.name}"}
        for rule in copy["spec"]["matchConstraints"]["resourceRules"]:
            rule["apiVersions"] = VERSIONS[rule["apiGroups"][0]]
        found.append(copy)
    return found


def warnings(kubectl: Kubectl, *policies: Manifest) -> dict[str, str]:
    """Return what the API server finds wrong with the types in *policies*, by policy and field."""
    kubectl.apply(*policies)
    names = [f"validatingadmissionpolicy/{one['metadata']['name']}" for one in policies]
    found: list[Manifest] = []

    def checked() -> bool:
        got = kubectl.get(*names)
        found[:] = got if isinstance(got, list) else [got]
        return all("observedGeneration" in one.get("status", {}) for one in found)

    try:
        eventually(checked)
    finally:
        kubectl("delete", *names)
    return {
        f"{one['metadata']['name'].removeprefix(COPY)} {entry['fieldRef']}": entry["warning"]
        for one in found
        for entry in one["status"]["typeChecking"].get("expressionWarnings", [])
    }


@pytest.mark.bare("types in a policy are checked by a controller of a real cluster")
def test_the_api_server_finds_nothing_wrong_with_the_types_in_a_policy(plane: Plane) -> None:
    assert warnings(plane.kubectl, *copies()) == {}


@pytest.mark.bare("types in a policy are checked by a controller of a real cluster")
def test_it_would_find_a_field_that_is_not_there(plane: Plane) -> None:
    (wrong,) = (one for one in copies() if one["metadata"]["name"] == f"{COPY}claim-deletion")
    wrong["spec"]["validations"][0]["expression"] = "oldObject.spec.deletionPolicies == 'Protect'"
    (found,) = warnings(plane.kubectl, wrong)
    assert found == "claim-deletion spec.validations[0].expression"


def test_applying_the_set_again_changes_nothing(cluster: Cluster) -> None:
    """Every default is written out: a tool that compares sees no difference."""
    if cluster.plane is not None and cluster.plane.embedded:
        built: list[Manifest] | str = groundplane.companion_objects()
    else:
        command = [str(Path(sys.executable).parent / "kubectl"), "kustomize", str(COMPANION)]
        built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    done = cluster.kubectl.run("diff", "--server-side", "--force-conflicts", "-f", "-", stdin=built)
    assert (done.returncode, done.stdout) == (0, "")
