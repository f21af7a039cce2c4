"""The companion set deleted while claims live: nothing goes, and the claims and the doctor say what is unprotected."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bareplane import groundplane
from bareplane.plane import Plane
from controlplane.cluster import Cluster, condition, refused
from controlplane.resting import ends_quiet, settled, uids

pytestmark = pytest.mark.alone


@pytest.fixture(autouse=True)
def companion_back(plane: Plane) -> Iterator[None]:
    """Apply the companion set again, whatever a scenario did to it."""
    yield
    groundplane.companion(plane)
    groundplane.established(plane)


def test_nothing_goes_and_what_is_unprotected_is_said(cluster: Cluster, plane: Plane) -> None:
    team = cluster.team("kubernetes")
    before = settled(team)
    groundplane.without_companion(plane)
    claim = team.wait(lambda it: refused(it, "EnvironmentIncomplete") or refused(it, "NotPermitted"))
    assert "companion" in condition(claim, "Accepted")["message"]
    assert before.items() <= uids(team.everything()).items()
    doctor = subprocess.run(
        (sys.executable, "-m", "groundplane", "doctor", f"--kubeconfig={plane.kubeconfig}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 1
    assert "not protected" in doctor.stdout.lower()
    groundplane.companion(plane)
    ends_quiet(team, before)
