"""What a plane on one machine is born with: the same that stands in the repository, and nothing is written twice."""

import contextlib
from pathlib import Path

import yaml

from catalogue import ROOT
from groundplane.local.plane import bootstrap
from plane_process import open_api


def test_the_environment_of_a_machine_is_the_example() -> None:
    example = yaml.safe_load((ROOT / "examples" / "environments" / "local.yaml").read_text())
    assert bootstrap.environment() == example


def test_the_kinds_are_those_that_a_cluster_is_given() -> None:
    _, kinds = next(bootstrap.objects())
    files = sorted((ROOT / "package" / "local").glob("local.*.yaml"))
    assert {one["metadata"]["name"]: one for one in kinds} == {
        one["metadata"]["name"]: one for one in (yaml.safe_load(path.read_text()) for path in files)
    }


def test_a_second_start_writes_nothing(tmp_path: Path) -> None:
    api = open_api(tmp_path / "plane.sqlite")
    with contextlib.closing(api.store):
        first = [*bootstrap.install(api)]
        written: list[str] = []
        api.subscribe(lambda change: written.append(change.key.resource))
        assert [*bootstrap.install(api)] == first
        assert written == []
