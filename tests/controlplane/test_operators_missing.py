"""An operator that is not installed is named, nothing is applied, and the claim goes on once it is there."""

import pytest

from bareplane import groundplane
from bareplane.waiting import eventually
from controlplane.cluster import Cluster, condition, orders, refused

pytestmark = pytest.mark.alone
CRD = "clusters.postgresql.cnpg.io"


@pytest.mark.usefixtures("plane")
def test_an_operator_missing_then_installed(cluster: Cluster) -> None:
    """Its CRDs go only with consent, and only while nothing lives: the other scenarios' databases go with them."""
    kubectl = cluster.kubectl
    kubectl("annotate", "crd", CRD, f"groundplane.dev/delete-consent={CRD}", "--overwrite")
    kubectl("delete", "crd", CRD)
    # Crossplane reads schemas from there; told of a kind that is just gone, it would wait for it for two minutes.
    eventually(lambda: '"kind":"Cluster"' not in kubectl.ask("get", "--raw", "/openapi/v3/apis/postgresql.cnpg.io/v1"))
    try:
        team = cluster.team("kubernetes")
        team.apply(orders())
        claim = team.wait(lambda it: refused(it, "EngineNotInstalled"))
        assert "clusters.postgresql.cnpg.io" in condition(claim, "Accepted")["message"]
        assert list(team.composed()) == []
    finally:
        kubectl.apply(*groundplane.upstream_crds(), server_side=True)
    team.ready()
