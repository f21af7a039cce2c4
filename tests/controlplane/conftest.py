"""The cluster of the scenarios: a bare plane by default, else the one that KUBECONFIG names.

`make controlplane` starts the plane once and names its folder in GROUNDPLANE_PLANE, so that workers share it. Without
that a plane of this process' own is started. GROUNDPLANE_CLUSTER=kubeconfig takes the cluster of KUBECONFIG instead.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bareplane import groundplane
from bareplane.kubectl import Kubectl
from bareplane.plane import FOLDER_VARIABLE, Plane, started
from controlplane.cluster import Cluster, Team


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what a plane on one machine has not, with the reason."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder or not Plane(Path(folder)).embedded:
        return
    for item in items:
        if marker := item.get_closest_marker("bare"):
            item.add_marker(pytest.mark.skip(reason=f"the bare plane only: {marker.args[0]}"))


@pytest.fixture
def cluster(living: Cluster) -> Iterator[Cluster]:
    """Return the cluster for one scenario, whose claims rest afterwards."""
    yield living
    living.rest()


@pytest.fixture(scope="session")
def living() -> Iterator[Cluster]:
    """Return a cluster with Groundplane installed."""
    if os.environ.get("GROUNDPLANE_CLUSTER") == "kubeconfig":
        yield Cluster(Kubectl(Path(os.environ["KUBECONFIG"])), None)
    elif folder := os.environ.get(FOLDER_VARIABLE):
        plane = Plane(Path(folder))
        yield Cluster(plane.kubectl, plane)
    elif "PYTEST_XDIST_WORKER" in os.environ:
        pytest.exit("every worker would start a plane of its own: use make controlplane, which starts one", 4)
    else:
        if why := groundplane.lacking():
            pytest.skip(why)
        with started() as plane:
            groundplane.install(plane)
            yield Cluster(plane.kubectl, plane)


@pytest.fixture
def plane(cluster: Cluster) -> Plane:
    """Return the plane itself, for scenarios that break it."""
    if cluster.plane is None:
        pytest.skip("this cluster is not ours to break: it needs the bare plane")
    return cluster.plane


@pytest.fixture
def team(cluster: Cluster) -> Team:
    """Return a new namespace whose databases CloudNativePG serves."""
    return cluster.team("kubernetes")
