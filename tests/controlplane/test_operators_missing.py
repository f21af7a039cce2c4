"""An operator that is not installed is named, nothing is applied, and the claim goes on once it is there."""

import pytest

from bareplane import groundplane
from controlplane.cluster import Cluster, condition, orders, refused

pytestmark = pytest.mark.alone
CRD = "clusters.postgresql.cnpg.io"


@pytest.mark.usefixtures("plane")
def test_an_operator_missing_then_installed(cluster: Cluster) -> None:
    """Its CRDs go only with consent, and only while nothing lives: the other scenarios' databases go with them."""
    kubectl = cluster.kubectl
    kubectl("annotate", "crd", CRD, f"groundplane.dev/delete-consent={CRD}", "--overwrite")
    kubectl("delete", "crd", CRD)
    team = cluster.team("kubernetes")
    team.apply(orders())
    claim = team.wait(lambda it: refused(it, "EngineNotInstalled"))
    assert "cnpg" in condition(claim, "Accepted")["message"]
    assert list(team.composed()) == []
    kubectl.apply(*groundplane.upstream_crds(), server_side=True)
    team.ready(seconds=90)
