"""Every recorded command of kubectl, also those that `make test` leaves out."""

from collections.abc import Callable
from pathlib import Path

import pytest

import plane_transcript
from plane_process import running

LONGEST_FIRST = sorted(plane_transcript.TABLES, key=lambda table: len(plane_transcript.rows(table)), reverse=True)


@pytest.mark.parametrize("table", LONGEST_FIRST)
def test_every_command_of_a_table_answers_as_recorded_but_for_what_is_accepted(
    table: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with running(tmp_path / "plane", plane_transcript.PLANE) as plane:
        played = plane_transcript.play(plane.kubeconfig, tmp_path, table)
    assert plane_transcript.unlike(table, played) == {}
    record_property("commands", len(played))
    record_property("accepted", len(played.keys() & plane_transcript.accepted().keys()))
