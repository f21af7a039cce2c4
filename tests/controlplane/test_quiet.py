"""A settled claim costs nothing: nobody writes anything any more."""

import time

import pytest

from bareplane.groundplane import FUNCTION_TTL_SECONDS
from bareplane.plane import Plane
from controlplane.cluster import Cluster, Team, example

RECONCILES = 10


@pytest.mark.parametrize(("name", "environment"), [("database/cnpg", "kubernetes"), ("database/rds", "aws")])
def test_no_object_of_a_settled_claim_changes_over_ten_reconciles(
    cluster: Cluster, plane: Plane, name: str, environment: str
) -> None:
    team, claim = cluster.team(environment), example(name)
    team.apply(claim)
    team.ready(claim["metadata"]["name"])
    time.sleep(2 * FUNCTION_TTL_SECONDS)  # what was under way comes to rest
    before, called = team.versions(), calls(plane, team)
    time.sleep(RECONCILES * FUNCTION_TTL_SECONDS * 1.1)  # Crossplane spreads its calls by a tenth
    assert team.versions() == before
    # One call a reconcile, and a reconcile whenever the time is over that the function chose.
    assert RECONCILES - 1 <= calls(plane, team) - called <= RECONCILES + 3


def calls(plane: Plane, team: Team) -> int:
    """Return how often the function was asked for claims of *team*."""
    return len([line for line in plane.log("function").splitlines() if "answered" in line and team.namespace in line])
