"""Every kubectl command of the table prints and ends on the embedded plane as on a real control plane."""

from pathlib import Path

import plane_transcript
from plane_process import running

ROWS = plane_transcript.rows()
ACCEPTED = {row.name: row.command for row in plane_transcript.rows("accepted.txt")}


def test_every_row_is_recorded_and_named_once() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert [*plane_transcript.recorded()] == names


def test_every_accepted_difference_is_a_row_with_a_reason() -> None:
    assert ACCEPTED.keys() <= {row.name for row in ROWS}
    assert all(ACCEPTED.values())


def test_every_command_answers_as_on_a_real_control_plane_but_for_what_is_accepted(tmp_path: Path) -> None:
    # One test, because the rows follow from each other and are played once.
    (tmp_path / "scratch").mkdir()
    with running(tmp_path / "data") as plane:
        played = plane_transcript.play(plane.kubeconfig, tmp_path / "scratch")
    recorded = plane_transcript.recorded()
    different = {name for name, one in played.items() if one != recorded[name]}
    assert {name: (recorded[name], played[name]) for name in different - ACCEPTED.keys()} == {}
    assert ACCEPTED.keys() - different == set(), "these answer alike now: strike them from accepted.txt"
    assert [name for name in ACCEPTED if played[name].code != recorded[name].code] == []


def test_uids_times_versions_and_ages_are_no_difference() -> None:
    left = 'uid: 72034b58-3e57-466d-828a-2ff7ee77d407\nresourceVersion: "22"\nat 2026-11-28T02:41:25Z\na   3m5s\n'
    right = 'uid: 92034b58-3e57-466d-828a-2ff7ee77d409\nresourceVersion: "9"\nat 2027-11-28T02:41:25Z\na  12s\n'
    assert plane_transcript.normalised(left) == plane_transcript.normalised(right)
    assert plane_transcript.normalised("replicas: 3") != plane_transcript.normalised("replicas: 4")
