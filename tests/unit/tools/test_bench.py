"""The benchmark measures a whole answer, computes rightly, and fails when a limit is broken."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

import bench
from bareplane.waiting import PATIENCE_SECONDS
from benchmark import process, report, settled
from benchmark.load import CONCURRENCIES, Plan, Record, Round
from groundplane.core.manifest import at
from groundplane.crossplane.structs import manifest
from upstream import upstream_registry

CASE = settled.Case("cnpg", b"r" * 2048, b"a" * 1024, 12)
LIMITS = report.Limits()
ENGINES = list(settled.engines())
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")


@pytest.fixture(params=ENGINES, ids=[engine for _, engine, _ in ENGINES], scope="module")
def case(request: pytest.FixtureRequest) -> settled.Case:
    """Return the settled state of one example."""
    contract, engine, example = request.param
    return settled.settled(contract, engine, example)


def record(milliseconds: float = 1.0, start: float = 0.3, memory: Sequence[float] = (60.0,) * 40) -> Record:
    took = milliseconds / 1000
    one = Round((took,) * 9, dict.fromkeys(CONCURRENCIES, 1 / took), took)
    return Record([one] * 3, list(memory), calls=2001, weighed=2001, starts=[start] * 5)


def failures(function: Record, echo: Record | None = None) -> str:
    return "; ".join(report.result(CASE, function, echo or record(), LIMITS).failures)


def test_the_settled_request_yields_a_whole_answer(case: settled.Case) -> None:
    response = fnv1.RunFunctionResponse.FromString(case.response)
    settled.check(case.name, response)
    assert case.resources == len(response.desired.resources) >= settled.FEWEST_RESOURCES
    assert response.meta.ttl.seconds == 300


def test_the_settled_request_is_what_crossplane_sends(case: settled.Case) -> None:
    request = fnv1.RunFunctionRequest.FromString(case.request)
    objects = [request.observed.composite, *request.observed.resources.values()]
    objects += [item for found in request.required_resources.values() for item in found.items]
    assert all(at(manifest(one.resource), "metadata", "managedFields") for one in objects)
    assert not request.required_schemas


def test_the_status_that_operators_write_is_one_their_crds_allow(case: settled.Case) -> None:
    registry = upstream_registry()
    request = fnv1.RunFunctionRequest.FromString(case.request)
    checked = 0
    for name, found in request.observed.resources.items():
        one = manifest(found.resource)
        kind = registry.find(one["apiVersion"], one["kind"])
        if kind is not None:
            assert [f"{name}: {entry}" for entry in kind.validate(one) if entry.field.startswith("status")] == []
            checked += 1
    assert checked >= 5


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("binding", "there is no binding"),
        ("condition", "Accepted is Nope"),
        ("ready", "is not ready"),
        ("result", "something is wrong"),
        ("resources", "expected at least 7"),
    ],
)
def test_an_answer_that_is_not_whole_is_not_measured(case: settled.Case, broken: str, words: str) -> None:
    response = fnv1.RunFunctionResponse.FromString(case.response)
    resources = response.desired.resources
    if broken == "binding":
        del resources["binding"]
    elif broken == "condition":
        accepted = next(one for one in response.conditions if one.type == "Accepted")
        accepted.status, accepted.reason = fnv1.STATUS_CONDITION_FALSE, "Nope"
    elif broken == "ready":
        resources["binding"].ready = fnv1.READY_FALSE
    elif broken == "result":
        response.results.add(severity=fnv1.SEVERITY_WARNING, message="something is wrong")
    else:
        for name in [one for one in resources if one != "binding"][settled.FEWEST_RESOURCES - 2 :]:
            del resources[name]
    with pytest.raises(settled.UnsettledError, match=words):
        settled.check(case.name, response)


def test_a_fast_case_breaks_no_limit() -> None:
    assert failures(record(2.9)) == ""
    assert failures(record(3.3), record(1.0)) == ""


def test_a_slow_case_fails_and_says_by_how_much() -> None:
    assert failures(record(3.5)) == "p50 is 3.50 times the echo's, the limit is 3.3"
    quick = record(start=0.1)
    assert failures(record(start=0.36), quick) == "the median cold start takes 360 ms, the limit is 350 ms"
    assert failures(record(start=0.6), record(start=0.25)) == "", "a machine that slows the echo slows the function"
    assert failures(record(start=0.6), record(start=0.23)) == "the median cold start takes 600 ms, the limit is 575 ms"
    assert not report.quick_enough(LIMITS, (record(start=0.6), record(start=0.2)))
    assert report.quick_enough(LIMITS, (record(start=0.6), record(start=0.25)))
    assert not report.fast_enough(LIMITS, (record(3.5), record()))
    assert report.fast_enough(LIMITS, (record(2.8), record()))


def test_memory_that_grows_fails_unless_the_echo_grows_as_much() -> None:
    leaking = [60 + reading / 5 for reading in range(40)]
    assert failures(record(memory=leaking)) == "memory grows by 4.0 MiB, the limit is 2.0 MiB"
    assert failures(record(memory=leaking), record(memory=leaking)) == ""
    # An echo that shrinks takes no room away.
    assert failures(record(), record(memory=leaking[::-1])) == ""


def test_ratios_are_of_the_same_round() -> None:
    fast, slow = record(1.0).rounds[0], record(4.0).rounds[0]
    # The machine was four times slower in one round, for both: no ratio changes.
    function = replace(record(), rounds=[slow, record(8.0).rounds[0], slow])
    echo = replace(record(), rounds=[fast, record(2.0).rounds[0], fast])
    line = {one.name: one for one in report.result(CASE, function, echo, LIMITS).lines}
    assert line["p50"].ratio == pytest.approx(4.0)
    assert line["CPU per call"].ratio == pytest.approx(4.0)
    assert line["calls at 8"].ratio == pytest.approx(0.25)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert report.percentile(values, 0.99) == 99.0
    assert report.percentile(values, 0.5) == 50.0
    assert report.percentile([7.0], 0.99) == 7.0


def test_growth_ignores_warming_up_and_what_is_needed_for_a_moment() -> None:
    assert report.growth([50.0, 55, 60, 60, 60, 95, 60, 60, 60, 60, 60, 120]) == 0
    assert report.growth([50.0, 55, 60, 60, 60, 60, 63, 63, 65, 66, 66, 66]) == 6
    assert report.growth([60.0]) is None


def test_what_the_system_does_not_tell_is_shown_as_unknown_and_breaks_no_limit() -> None:
    silent = record(memory=())
    silent.rounds = [replace(one, cpu_per_call=None) for one in silent.rounds]
    found = report.result(CASE, silent, record(), LIMITS)
    assert found.failures == ()
    assert "memory growth [MiB]                    -" in report.table(found)


def test_the_table_and_the_json_show_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    slow = report.result(CASE, record(5.0), record(), LIMITS)
    assert "FAILED: p50 is 5.00" in report.table(slow)
    assert json.loads(json.dumps(report.as_json(slow)))["failures"] == list(slow.failures)
    assert bench.verdict([slow]) == 1
    assert bench.verdict([]) == 1
    assert "cnpg: p50 is 5.00" in capsys.readouterr().out
    assert bench.verdict([report.result(CASE, record(2.0), record(), LIMITS)]) == 0


def test_a_mode_that_does_not_exist_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH", "fast")
    with pytest.raises(SystemExit) as ended:
        bench.main([])
    assert ended.value.code == 2
    assert "BENCH is 'fast'; it can be quick or full or plane or local" in capsys.readouterr().err


@needs_proc
def test_real_servers_are_measured_and_gone_afterwards(case: settled.Case) -> None:
    limits = report.Limits(p50_ratio=1e6, cold_start=1e6)
    plan = Plan(rounds=1, calls=2, total=50, starts=1)
    with tempfile.TemporaryDirectory() as folder:
        function, echo = bench._records(case, plan, Path(folder), limits)
    assert function.rounds[0].per_second.keys() == set(CONCURRENCIES)
    assert function.starts[0] > echo.rounds[0].latencies[0]
    assert len(function.memory) == 2
    assert children(os.getpid()) == set()


def test_an_answer_of_another_size_is_not_measured(case: settled.Case, tmp_path: Path) -> None:
    with pytest.raises(process.ServerError, match="expected 17"):
        process.cold_start(process.Program("function"), tmp_path, case.request, 17)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        process.running(process.Program("echo", ("no-such-file",)), tmp_path) as server,
        pytest.raises(process.ServerError, match="ended with 1: FileNotFoundError"),
    ):
        server.wait_until_it_listens()


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_benchmark_that_is_stopped_leaves_no_server_and_no_file(number: signal.Signals) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in the background of a shell; children would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BENCH": "full", "TMPDIR": folder}
        command = [sys.executable, str(bench.__file__)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            assert within(PATIENCE_SECONDS, lambda: len(children(running.pid)) == 2)
            servers = children(running.pid)
            running.send_signal(number)
            running.communicate(timeout=PATIENCE_SECONDS)
        assert running.returncode not in {0, 1}
        assert within(PATIENCE_SECONDS, lambda: not any(Path(f"/proc/{server}").exists() for server in servers))
        assert number == signal.SIGKILL or list(Path(folder).iterdir()) == []


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def children(parent: int) -> set[int]:
    """Return the servers of the benchmark that the process *parent* started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            mother = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"benchmark/server.py" in command and mother == parent:
            found.add(int(folder.name))
    return found
