"""An operator that is not installed is named, nothing is applied, and the claim goes on once it is there."""

import pytest

from bareplane import crossplane, groundplane
from bareplane.plane import Plane
from controlplane.cluster import Cluster, condition, orders, refused

pytestmark = pytest.mark.alone
CRD = "clusters.postgresql.cnpg.io"


def test_an_operator_missing_then_installed(cluster: Cluster, plane: Plane) -> None:
    """Its CRDs go only with consent, and only while nothing lives: the other scenarios' databases go with them."""
    kubectl = cluster.kubectl
    kubectl("annotate", "crd", CRD, f"groundplane.dev/delete-consent={CRD}", "--overwrite")
    kubectl("delete", "crd", CRD)
    # A Crossplane that has watched the kind waits two minutes for it; one that has just started never knew it.
    crossplane.kill(plane)
    crossplane.start(plane)
    try:
        team = cluster.team("kubernetes")
        team.apply(orders())
        claim = team.wait(lambda it: refused(it, "EngineNotInstalled"))
        assert "clusters.postgresql.cnpg.io" in condition(claim, "Accepted")["message"]
        assert list(team.composed()) == []
    finally:
        kubectl.apply(*groundplane.upstream_crds(), server_side=True)
    team.ready()
