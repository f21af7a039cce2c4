"""A settled claim costs nothing: nobody writes anything any more."""

import time

import pytest

from controlplane.cluster import Cluster, example

RECONCILES = 10
FUNCTION_TTL_SECONDS = 5


@pytest.mark.parametrize(("name", "environment"), [("database/cnpg", "kubernetes"), ("database/rds", "aws")])
def test_no_object_of_a_settled_claim_changes_over_ten_reconciles(
    cluster: Cluster, name: str, environment: str
) -> None:
    team, claim = cluster.team(environment), example(name)
    team.apply(claim)
    team.ready(claim["metadata"]["name"])
    time.sleep(2 * FUNCTION_TTL_SECONDS)  # what was under way comes to rest
    before = team.versions()
    time.sleep(RECONCILES * FUNCTION_TTL_SECONDS * 1.1)  # Crossplane spreads its calls by a tenth
    assert team.versions() == before
