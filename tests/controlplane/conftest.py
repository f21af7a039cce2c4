"""The cluster of the scenarios: a bare plane by default, else the one that KUBECONFIG names.

`make controlplane` starts planes and names their folders in GROUNDPLANE_PLANE: one that all workers share, or one for
each. Without that a plane of this process' own is started. GROUNDPLANE_CLUSTER=kubeconfig takes the cluster of
KUBECONFIG instead.
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
    plane = _given()
    if not plane or not plane.embedded:
        return
    for item in items:
        if marker := item.get_closest_marker("bare"):
            item.add_marker(pytest.mark.skip(reason=f"the bare plane only: {marker.args[0]}"))


def _given() -> Plane | None:
    """Return the running plane that is this worker's, if any."""
    folders = os.environ.get(FOLDER_VARIABLE)
    if not folders:
        return None
    given = folders.split(os.pathsep)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return Plane(Path(given[worker % len(given)]))


@pytest.fixture
def cluster(living: Cluster) -> Iterator[Cluster]:
    """Return the cluster for one scenario, whose claims rest afterwards."""
    yield living
    living.rest()


@pytest.fixture(scope="session")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster with Groundplane installed."""
    if os.environ.get("GROUNDPLANE_CLUSTER") == "kubeconfig":
        kubeconfig = Path(os.environ["KUBECONFIG"])
        yield Cluster(Kubectl(kubeconfig, cache=tmp_path_factory.mktemp("kubectl")), None)
    elif plane := _given():
        yield Cluster(plane.kubectl, plane)
    elif "PYTEST_XDIST_WORKER" in os.environ:
        pytest.exit("every worker would start a plane of its own: use make controlplane, which starts one", 4)
    else:
        if why := groundplane.lacking():
            pytest.skip(why)
        with started() as own:
            groundplane.install(own)
            yield Cluster(own.kubectl, own)


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
