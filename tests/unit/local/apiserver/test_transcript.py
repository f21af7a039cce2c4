"""Every kubectl command of the tables prints and ends on the embedded plane as on a real control plane.

`make test` plays the tables without the rows that it may spare; `make planes` plays all.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

import plane_transcript
from plane_process import Running, running
from plane_transcript import TABLES

ACCEPTED = plane_transcript.accepted()
NAMES = [row.name for table in TABLES for row in plane_transcript.rows(table)]


def test_every_row_is_recorded_and_named_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for table in TABLES:
        assert [*plane_transcript.recorded(table)] == [row.name for row in plane_transcript.rows(table)]


def test_every_accepted_difference_is_a_row_with_a_reason() -> None:
    assert ACCEPTED.keys() <= {*NAMES}
    assert all(ACCEPTED.values())


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data", plane_transcript.PLANE) as made:
        yield made


@pytest.mark.parametrize("table", TABLES)
def test_every_command_answers_as_on_a_real_control_plane_but_for_what_is_accepted(
    plane: Running, table: str, tmp_path: Path
) -> None:
    # One test for a table, because its rows follow from each other and are played once.
    played = plane_transcript.play(plane.kubeconfig, tmp_path, table, whole=False)
    assert plane_transcript.unlike(table, played) == {}


def test_uids_times_versions_and_ages_are_no_difference() -> None:
    left = 'uid: 72034b58-3e57-466d-828a-2ff7ee77d407\nresourceVersion: "22"\nat 2026-11-28T02:41:25Z\na   3m5s\n'
    right = 'uid: 92034b58-3e57-466d-828a-2ff7ee77d409\nresourceVersion: "9"\nat 2027-11-28T02:41:25Z\na  12s\n'
    assert plane_transcript.normalised(left) == plane_transcript.normalised(right)
    assert plane_transcript.normalised("replicas: 3") != plane_transcript.normalised("replicas: 4")


def test_an_accepted_difference_is_told_when_it_is_none_and_when_it_hides_a_success() -> None:
    recorded = plane_transcript.recorded("everyday")
    same = {"get pods": recorded["get pods"]}
    assert plane_transcript.unlike("everyday", same) == {"get pods": "is the same now: strike it from accepted.txt"}
    succeeds = {"exec": plane_transcript.Played(0, "", "")}
    assert plane_transcript.unlike("everyday", succeeds) == {"exec": "succeeds where a real control plane fails"}
    assert plane_transcript.unlike("everyday", {"exec": plane_transcript.Played(1, "", "no pods")}) == {}
