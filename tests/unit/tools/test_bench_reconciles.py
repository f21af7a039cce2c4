"""Reconciles per second: what the server remembers and counts, the arithmetic, and when nothing is measured."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

import bench
from bareplane import groundplane
from bareplane.plane import PlaneError
from benchmark import reconciles
from benchmark.reconciles import Found, Round, Work
from benchmark.tallied import NO_ROUND, ROUND, Tallied, as_json

ONE = Round(seconds=10.0, claims=200, reconciles=200, calls=400, answering=1.0, cpu=0.8, server_cpu=2.0)
METRICS = """# HELP controller_runtime_reconcile_total Total number of reconciliations per controller
controller_runtime_reconcile_total{controller="composite/xdatabases.groundplane.dev",result="error"} 2
controller_runtime_reconcile_total{controller="composite/xdatabases.groundplane.dev",result="requeue_after"} 400
controller_runtime_reconcile_total{controller="defined/xdatabases.groundplane.dev",result="success"} 7
controller_runtime_active_workers{controller="composite/xdatabases.groundplane.dev"} 3
workqueue_depth{controller="composite/xdatabases.groundplane.dev",name="x",priority="0"} 5
workqueue_depth{controller="composite/xdatabases.groundplane.dev",name="x",priority="-100"} 1e+01
"""


class Function:
    """Answers with the number of the call; *whole* answers desire a resource."""

    def __init__(self, *, whole: bool = True) -> None:
        self.calls = 0
        self.whole = whole

    async def RunFunction(  # noqa: N802  # The name of the gRPC method.
        self, request: fnv1.RunFunctionRequest, context: None
    ) -> fnv1.RunFunctionResponse:
        del request, context
        self.calls += 1
        answer = fnv1.RunFunctionResponse()
        answer.meta.tag = str(self.calls)
        if self.whole:
            answer.desired.resources["one"].resource.update({"kind": "Thing"})
        return answer


def request(uid: str, name: str = "") -> fnv1.RunFunctionRequest:
    made = fnv1.RunFunctionRequest()
    made.observed.composite.resource.update({"metadata": {"uid": uid}})
    made.required_resources["grants"].items.add().resource.update({"metadata": {"name": "grants"}})
    annotations = {"annotations": {"other": "value", ROUND: name}} if name else {}
    made.required_resources["environment"].items.add().resource.update({"metadata": annotations})
    return made


def tag(runner: Tallied, one: fnv1.RunFunctionRequest) -> str:
    return asyncio.run(runner.RunFunction(one, None)).meta.tag


def test_the_echo_returns_what_the_function_last_said_of_the_same_claim() -> None:
    runner = Tallied(Function())
    said = [tag(runner, request(uid)) for uid in ("a", "b", "a")]
    assert said == ["1", "2", "3"]
    assert [tag(runner, request(uid, "echo-0")) for uid in ("a", "b")] == ["3", "2"]
    assert tag(runner, request("a", "function-0")) == "4"


def test_the_echo_lets_the_function_answer_what_it_does_not_remember() -> None:
    runner = Tallied(Function())
    assert tag(runner, request("a", "echo-0")) == "1"
    assert tag(runner, request("a", "echo-0")) == "1"
    tally = runner.tallies["echo-0"]
    assert (tally.calls, tally.echoed) == (2, 1)


def test_an_answer_that_is_not_whole_is_neither_remembered_nor_counted_as_a_claim() -> None:
    runner = Tallied(Function(whole=False))
    assert [tag(runner, request("a", "echo-0")) for _ in range(2)] == ["1", "2"]
    assert runner.tallies["echo-0"].claims == set()


def test_tallies_are_kept_by_round() -> None:
    runner = Tallied(Function())
    for uid in ("a", "b"):
        for name in ("", "function-0"):
            tag(runner, request(uid, name))
    tag(runner, request("a", "echo-0"))
    told = json.loads(json.dumps(as_json(runner.tallies)))
    assert {name: (one["calls"], one["echoed"], one["claims"]) for name, one in told.items()} == {
        NO_ROUND: (2, 0, 2),
        "function-0": (2, 0, 2),
        "echo-0": (1, 1, 1),
    }
    assert told["function-0"]["seconds"] > 0
    assert told["function-0"]["server_cpu"] > 0


def test_lines_are_medians_and_ratios_are_of_the_same_turn() -> None:
    function = tuple(replace(ONE, seconds=seconds) for seconds in (10.0, 20.0, 40.0))
    echo = tuple(replace(ONE, seconds=seconds, answering=0.01) for seconds in (5.0, 18.0, 32.0))
    line = {one.name: one for one in reconciles.lines(Found(function, echo))}
    rate = line["reconciles"]
    assert (rate.function, rate.ratio) == (10.0, 0.8)
    assert rate.echo == pytest.approx(200 / 18)
    assert line["calls per claim"].function == 2
    assert line["answering, per call"].function == 2.5
    assert line["its CPU, per call"].function == 2.0
    assert line["answering, of the time"].function == 5.0
    assert line["server CPU per claim"].echo == 10.0


def test_the_table_and_the_json_show_both_and_their_ratio() -> None:
    found = Found((ONE,) * 3, (replace(ONE, seconds=8.0),) * 3)
    shown = reconciles.table(found)
    assert "200 claims at once" in shown
    row = next(line for line in shown.splitlines() if "reconciles [1/s]" in line)
    assert row.split() == ["reconciles", "[1/s]", "20.00", "25.00", "0.80"]
    assert "20.0 to 20.0" in shown
    told = json.loads(json.dumps(reconciles.as_json(found)))
    assert told["measured"]["reconciles [1/s]"] == {"function": 20.0, "echo": 25.0, "ratio": 0.8}


def test_only_the_controller_of_the_claims_is_read() -> None:
    assert reconciles.work(METRICS) == Work(done=402, busy=3, waiting=15)
    assert reconciles.work("") == Work(0, 0, 0)


def test_quick_mode_says_in_a_line_that_it_does_without(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.reconciled("quick") == []
    assert capsys.readouterr().out == (
        "bench: reconciles: skipped: BENCH=quick does without, BENCH=plane has them alone\n"
    )


@pytest.mark.parametrize("absent", ["programs", "crds"])
def test_where_it_is_impossible_the_reason_is_said(
    absent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def missing(*names: str) -> str:
        return f"no {names[0]} here" if absent == "programs" else ""

    monkeypatch.setattr(groundplane, "missing", missing)
    monkeypatch.setattr(groundplane, "crds_folder", lambda: None if absent == "crds" else tmp_path)
    monkeypatch.setenv("BENCH", "plane")
    assert bench.main([]) == 0
    why = {"programs": "no etcd here", "crds": "no upstream CRDs: run `make crds`"}[absent]
    assert f"bench: reconciles: skipped: {why}" in capsys.readouterr().out


def test_a_plane_that_does_not_come_up_fails_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(claims: int) -> Found:
        assert claims == reconciles.CLAIMS
        raise PlaneError("etcd: not within 90 s")

    monkeypatch.setattr(reconciles, "impossible", lambda: "")
    monkeypatch.setattr(reconciles, "measured", measured)
    monkeypatch.setenv("BENCH", "plane")
    assert bench.main([]) == bench.BROKEN
    assert "bench: etcd: not within 90 s" in capsys.readouterr().err


def test_the_numbers_are_written_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reconciles, "impossible", lambda: "")
    monkeypatch.setattr(reconciles, "measured", lambda claims: Found((replace(ONE, claims=claims),), (ONE,)))
    monkeypatch.setenv("BENCH", "plane")
    assert bench.main(["--claims", "7", "--json", str(tmp_path / "numbers")]) == 0
    (told,) = json.loads((tmp_path / "numbers").read_text())
    assert (told["case"], told["claims"]) == ("reconciles", 7)


def test_no_claims_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(reconciles, "impossible", lambda: "nothing may start here")
    monkeypatch.setenv("BENCH", "plane")
    with pytest.raises(SystemExit):
        bench.main(["--claims", "0"])
    assert "--claims is 0; there must be at least 1" in capsys.readouterr().err
