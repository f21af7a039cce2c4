"""Measure RunFunction for every engine against an echo that parses the same request and returns the same answer.

Run it as `make bench`; BENCH=quick takes less than a minute, BENCH=full (the default) several: it also starts a real
control plane and counts its reconciles, which BENCH=plane does alone, and measures claims on the embedded plane, which
BENCH=local does alone. Ratios to the echo are what to quote: both meet
the same moods of the machine, turn by turn. The exit code is 1 when a limit is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from crossplane.function import logging

from benchmark import load, local, machines, process, reconciles, report, settled
from benchmark.process import Program

PLANS = {"quick": load.QUICK, "full": load.FULL}
PLANE = "plane"  # the mode that measures reconciles alone
LOCAL = "local"  # the mode that measures the embedded plane alone
BROKEN = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 0, or 1 when a limit is broken or nothing could be measured."""
    parser = argparse.ArgumentParser(description="Measure the function against its limits.")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers to FILE as well")
    text = f"claims that are reconciled at once on a control plane ({reconciles.CLAIMS})"
    parser.add_argument("--claims", metavar="N", type=int, default=reconciles.CLAIMS, help=text)
    options = parser.parse_args(arguments)
    if options.claims < 1:
        parser.error(f"--claims is {options.claims}; there must be at least 1")
    mode = os.environ.get("BENCH") or "full"
    if mode not in {*PLANS, PLANE, LOCAL}:
        parser.error(f"BENCH is {mode!r}; it can be {' or '.join((*PLANS, PLANE, LOCAL))}")
    signal.signal(signal.SIGTERM, _end)
    logging.configure(logging.Level.DISABLED)
    results: list[report.Result] = []
    try:
        for one in measured(PLANS[mode], report.Limits()) if mode in PLANS else ():
            print(report.table(one), end="\n\n", flush=True)
            results.append(one)
        on_plane = reconciled(mode, options.claims) if mode != LOCAL else []
        on_machine = embedded(mode, options.claims)
    except (
        local.LocalError,
        machines.MachineError,
        process.ServerError,
        settled.UnsettledError,
        *reconciles.ERRORS,
    ) as error:
        print(f"bench: {error}", file=sys.stderr)
        return BROKEN
    if options.json:
        found = [
            *(report.as_json(one) for one in results),
            *map(reconciles.as_json, on_plane),
            *map(local.as_json, on_machine),
        ]
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if mode in {PLANE, LOCAL} else verdict(results)


def measured(plan: load.Plan, limits: report.Limits) -> Iterator[report.Result]:
    """Yield the result of every engine that has an example.

    Raises:
        UnsettledError: an example is not a whole, settled service.
        ServerError: a server does not start or answers wrongly.
    """
    process.compile_all()
    cases = [settled.settled(*one) for one in settled.engines()]
    for case in cases:
        # The servers' logs and the answer, which holds made-up passwords, go when the folder goes.
        with tempfile.TemporaryDirectory(prefix="groundplane-bench-") as folder:
            function, echo = _records(case, plan, Path(folder), limits)
            yield report.result(case, function, echo, limits)


def reconciled(mode: str, claims: int = reconciles.CLAIMS) -> list[reconciles.Found]:
    """Measure reconciles on a real control plane and print them; where that is not done, print why."""
    why = f"BENCH={mode} does without, BENCH={PLANE} has them alone" if mode == "quick" else reconciles.impossible()
    if why:
        print(f"bench: reconciles: skipped: {why}")
        return []
    print("bench: reconciles: starting a real control plane; this takes minutes", flush=True)
    found = reconciles.measured(claims)
    print(reconciles.table(found), end="\n\n", flush=True)
    return [found]


def embedded(mode: str, claims: int = local.CLAIMS, real: int = local.REAL) -> list[local.Found]:
    """Measure claims on the embedded plane and print that, in the modes that do.

    Raises:
        LocalError: the plane does not start, or a claim does not get ready.
    """
    if mode not in {"full", LOCAL}:
        return []
    print("bench: local: starting an embedded plane for each round, and a bare one; this takes minutes", flush=True)
    found = [*local.measured(claims, min(claims, real))]
    print(local.table(found), end="\n\n", flush=True)
    return found


def verdict(results: Sequence[report.Result]) -> int:
    """Print one line about *results* and return the exit code."""
    broken = [f"{one.case.name}: {failure}" for one in results for failure in one.failures]
    if not results:
        broken = ["no engine has an example to measure"]
    print(f"bench: load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; a busy machine slows cold starts")
    print("bench: " + ("; ".join(broken) if broken else f"{len(results)} engines within all limits"))
    return BROKEN if broken else 0


def _records(case: settled.Case, plan: load.Plan, folder: Path, limits: report.Limits) -> list[load.Record]:
    answer = folder / "answer"
    answer.write_bytes(case.response)
    programs, size = (Program("function"), Program("echo", (str(answer),))), len(case.response)
    with process.running(programs[0], folder) as function, process.running(programs[1], folder) as echo:
        for server in (function, echo):
            server.wait_until_it_listens()
        enough = functools.partial(report.fast_enough, limits)
        records = asyncio.run(load.measure((function, echo), case.request, size, plan, enough))
    for batch in range(load.MOST_BATCHES):
        if batch:
            print(f"bench: {case.name}: cold starts broke their limit; measured again")
        _start_cold(programs, records, case, plan.starts, folder)
        if report.quick_enough(limits, records):
            break
    return records


def _start_cold(
    programs: Sequence[Program], records: Sequence[load.Record], case: settled.Case, starts: int, folder: Path
) -> None:
    """Start each program cold *starts* times, in turns; keep the starts of this batch if they are the quicker ones."""
    batch: list[list[float]] = [[] for _ in programs]
    for _ in range(starts):
        for program, times in zip(programs, batch, strict=True):
            times.append(process.cold_start(program, folder, case.request, len(case.response)))
    for record, times in zip(records, batch, strict=True):
        if not record.starts or statistics.median(times) < statistics.median(record.starts):
            record.starts = times


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)  # an exception, so that every server is ended on the way out


if __name__ == "__main__":
    sys.exit(main())
