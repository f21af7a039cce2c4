"""Claims on a real API server and a real Crossplane, from kubectl apply to the binding."""

from controlplane.cluster import Cluster, condition, orders


def test_an_example_claim_becomes_ready_with_a_complete_binding(cluster: Cluster) -> None:
    team = cluster.team("kubernetes")
    team.apply(orders())
    team.wait(lambda claim: condition(claim, "Serving")["reason"] == "Provisioning")
    claim = team.ready()
    assert claim["status"]["binding"]["name"] == "orders-db-binding"
    data = team.binding()["data"]
    assert {"host", "port", "database", "username", "password", "uri", "sslrootcert"} <= set(data)
