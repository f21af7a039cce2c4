"""Crossplane and the function die, stall and come back: nothing is deleted, nothing is made twice, all ends quiet."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from bareplane import crossplane, groundplane, keeper
from bareplane.kubectl import KubectlError
from bareplane.plane import Plane
from bareplane.waiting import always, eventually
from controlplane.cluster import Cluster, condition, is_true, orders
from controlplane.people import ANYWAY
from controlplane.resting import belonging, ends_quiet, protected, settled, uids, uids_of

pytestmark = pytest.mark.alone
KILLS = 6
SEED = 5
PAUSES = (6, 6, 30)  # seconds without an answer: more than the time between two calls, less than Crossplane's patience


@pytest.fixture(autouse=True)
def everything_runs(plane: Plane) -> Iterator[None]:
    """Leave the plane as it was, whatever a scenario did to it."""
    yield
    running = keeper.ask(plane.folder, "state")["programs"]
    if crossplane.NAME not in running or running[crossplane.NAME]["code"] is not None:
        crossplane.start(plane)
    if "function" not in running or running["function"]["code"] is not None:
        groundplane.serve(plane)


def test_crossplane_killed_at_random_moments(cluster: Cluster, plane: Plane) -> None:
    chance = random.Random(SEED)  # noqa: S311  # The same moments every time, no secret.
    team = cluster.team("kubernetes")
    team.apply(orders())
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 4))
        crossplane.kill(plane)
        crossplane.start(plane)
    team.ready(seconds=120)
    first = uids(team.everything())
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 4))
        crossplane.kill(plane)
        crossplane.start(plane)
    ends_quiet(team, first, seconds=120)


@pytest.mark.parametrize("seconds", [30, 150])
def test_function_down(cluster: Cluster, plane: Plane, seconds: int) -> None:
    team = cluster.team("kubernetes")
    before = settled(team)
    plane.end("function", signal.SIGKILL)
    always(lambda: uids(team.everything()) == before, seconds)
    claim = team.claim()
    assert is_true(claim, "Ready")
    if seconds > 120:
        assert condition(claim, "Synced")["status"] == "False"
    groundplane.serve(plane)
    ends_quiet(team, before, seconds=240)  # Crossplane dials less and less often, at last every two minutes


def test_function_answers_slowly(cluster: Cluster, plane: Plane) -> None:
    team = cluster.team("kubernetes")
    before = settled(team)
    pid = keeper.ask(plane.folder, "state")["programs"]["function"]["pid"]
    for seconds in PAUSES:
        keeper.ask(plane.folder, "signal", name="function", number=int(signal.SIGSTOP))
        time.sleep(seconds)
        keeper.ask(plane.folder, "signal", name="function", number=int(signal.SIGCONT))
        time.sleep(2)
    assert keeper.ask(plane.folder, "state")["programs"]["function"]["pid"] == pid
    ends_quiet(team, before, seconds=90)


@pytest.mark.parametrize("policy", ["Protect", "Delete"])
def test_claim_deleted_while_the_function_is_down(cluster: Cluster, plane: Plane, policy: str) -> None:
    team = cluster.team("kubernetes")
    team.apply(orders(deletionPolicy=policy))
    team.ready()
    team.wait(lambda it: it["status"]["deletion"]["inForce"] == policy)
    kept = [one for one in belonging(team) if protected(one)]
    assert bool(kept) == (policy == "Protect")
    plane.end("function", signal.SIGKILL)
    if policy == "Protect":
        with pytest.raises(KubectlError, match="is protected"):
            team.run("delete", "xdatabase", "orders")
        team.run("annotate", "xdatabase", "orders", f"{ANYWAY}=orders")
    # A reconcile that was under way waits two minutes for the function, and the deletion for the reconcile.
    team.run("delete", "xdatabase", "orders", "--wait=false")
    eventually(lambda: uids_of(belonging(team)) == uids_of(kept), 180)
    always(lambda: uids_of(belonging(team)) == uids_of(kept), 5)


def test_operator_killed_and_started_again_changes_nothing(cluster: Cluster, plane: Plane) -> None:
    team = cluster.team("kubernetes")
    before = settled(team)
    plane.end("operators", signal.SIGKILL)
    groundplane.start_operators(plane)
    ends_quiet(team, before)
