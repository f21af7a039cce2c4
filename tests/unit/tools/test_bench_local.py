"""Claims on the embedded plane, measured: the arithmetic, and when nothing is measured."""

import json
import subprocess
from pathlib import Path

import pytest

import bench
from bareplane.waiting import PATIENCE_SECONDS
from benchmark import local
from benchmark.watched import Watched

FOUND = local.Found(
    title="stand-ins",
    reconciled=0.5,
    ready=(1.0, 2.0, 3.0, 10.0),
    seconds=10.0,
    writes=200,
    reconciles=12,
    cpu=2.0,
    before=(100 * 2**20, 90 * 2**20),
    after=(140 * 2**20, 95 * 2**20),
    idle=0.005,
    busy=0.25,
)


def test_quantities_are_per_claim_and_per_second() -> None:
    found = local.quantities(FOUND)
    assert (found["ready, p50 [s]"], found["ready, p95 [s]"]) == (2.5, 10.0)
    assert (found["claims ready [1/s]"], found["writes [1/s]"], found["writes per claim [1]"]) == (0.4, 20.0, 50.0)
    assert (found["reconciles per claim [1]"], found["reconciles while settled [1/s]"]) == (3.0, 8.0)
    assert (found["plane's CPU per claim [ms]"], found["memory per claim, PSS [MiB]"]) == (500.0, 10.0)
    assert (found["plane at rest, no claims [% core]"], found["plane at rest, claims [% core]"]) == (0.5, 25.0)


def test_the_table_has_a_column_for_each_round() -> None:
    first = local.table([FOUND, FOUND]).splitlines()[1]
    assert first.split() == ["stand-ins", "stand-ins"]


def test_the_numbers_are_plain_data() -> None:
    assert json.loads(json.dumps(local.as_json(FOUND)))["case"] == "local: stand-ins"


@pytest.mark.parametrize("mode", ["quick", "plane"])
def test_other_modes_start_no_embedded_plane(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "measured", lambda *_: pytest.fail("a plane was started"))
    assert bench.embedded(mode) == []


def test_a_claim_is_ready_when_it_is_so_for_the_first_time() -> None:
    watched = Watched.__new__(Watched)
    watched.ready = {}

    def see(status: str, now: float) -> None:
        conditions = [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": status}]
        watched.see({"metadata": {"name": "one"}, "status": {"conditions": conditions}}, now)

    watched.see({"metadata": {"name": "new"}}, 1.0)
    see("False", 2.0)
    assert not watched.ready
    see("True", 3.0)
    see("True", 4.0)
    assert watched.ready == {"one": 3.0}


def test_stand_ins_are_programs_that_say_what_the_tasks_read(tmp_path: Path) -> None:
    folder = local.standins(tmp_path / "bin")
    told = subprocess.run(
        [folder / "psql", "-X"], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    ).stdout
    assert json.loads(told)["version"]
    subprocess.run([folder / "initdb", "-D", tmp_path / "data", "-U", "x"], check=True, timeout=PATIENCE_SECONDS)
    assert (tmp_path / "data").is_dir()
