"""The arithmetic of the benchmark, its limits, and the table a person reads. Times are seconds, memory is MiB."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmark.load import CONCURRENCIES, Record
from benchmark.settled import Case


@dataclass(frozen=True, slots=True)
class Limits:
    """What must hold; a limit that is met exactly holds."""

    p50_ratio: float = 3.3  # of the function to the echo, which has some 50 KB to parse
    cold_start: float = 0.35  # seconds, median
    slow_machine: float = 2.5  # times the echo's own cold start, where that is more: a slow machine slows both
    growth: float = 2.0  # beyond what the echo, which keeps nothing, grows too


@dataclass(frozen=True, slots=True)
class Line:
    """One measured quantity: of the function, of the echo, and their ratio where it means something."""

    name: str
    unit: str
    function: float | None  # None where this system does not tell
    echo: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Everything measured of one case, and the limits it breaks."""

    case: Case
    lines: tuple[Line, ...]
    failures: tuple[str, ...]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of *values* that at least *share* of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]


def growth(memory: Sequence[float]) -> float | None:
    """Return how much more memory the last quarter of the readings keeps than the second; the first is warming up.

    The lowest reading of each counts: what is above it was needed for a moment.
    """
    quarter = len(memory) // 4
    return min(memory[-quarter:]) - min(memory[quarter : 2 * quarter]) if quarter else None


def result(case: Case, function: Record, echo: Record, limits: Limits) -> Result:
    """Return what two records of the same rounds say about *case*."""

    def both(of: Callable[[Record], float | None]) -> tuple[float | None, float | None]:
        return of(function), of(echo)

    cpu = _by_round(function, echo, lambda record: [one.cpu_per_call for one in record.rounds])
    lines = (
        _timed("p50", *_p50(function, echo)),
        _timed("p99", *_p99(function, echo)),
        *(Line(f"calls at {number}", "1/s", *_speed(function, echo, number)) for number in CONCURRENCIES),
        _timed("CPU per call", *cpu),
        Line("memory after 1 call", "MiB", *both(lambda record: _at(record.memory, 0))),
        Line(f"memory after {function.weighed:,}", "MiB", *both(lambda record: _at(record.memory, -1))),
        Line("memory growth", "MiB", *both(lambda record: growth(record.memory))),
        _timed("cold start, best", *both(lambda record: min(record.starts))),
        _timed("cold start, median", *both(lambda record: statistics.median(record.starts))),
    )
    return Result(case, lines, tuple(failures(lines, limits)))


def fast_enough(limits: Limits, records: Sequence[Record]) -> bool:
    """Whether the rounds of function and echo in *records* keep the limit on their ratio."""
    ratio = _p50(*records)[2]
    return ratio is not None and ratio <= limits.p50_ratio


def quick_enough(limits: Limits, records: Sequence[Record]) -> bool:
    """Whether the cold starts of function and echo in *records* keep their limit."""
    function, echo = (statistics.median(record.starts) for record in records)
    return function <= max(limits.cold_start, limits.slow_machine * echo)


def failures(lines: Sequence[Line], limits: Limits) -> list[str]:
    """Return a sentence for each limit that *lines* break."""
    line = {one.name: one for one in lines}
    found = []
    ratio, start, own = line["p50"].ratio, line["cold start, median"].function, line["cold start, median"].echo
    if ratio is None or ratio > limits.p50_ratio:
        found.append(f"p50 is {_number(ratio)} times the echo's, the limit is {limits.p50_ratio}")
    most = max(_ms(limits.cold_start), limits.slow_machine * (own or 0.0))
    if start is None or start > most:
        found.append(f"the median cold start takes {_number(start)} ms, the limit is {most:.0f} ms")
    grown, noise = line["memory growth"].function, line["memory growth"].echo
    allowed = limits.growth + max(0.0, noise or 0.0)
    if grown is not None and grown > allowed:
        found.append(f"memory grows by {grown:.1f} MiB, the limit is {allowed:.1f} MiB")
    return found


def table(found: Result) -> str:
    """Return *found* as a person reads it."""
    case = found.case
    size = f"request {len(case.request) / 1024:.0f} KB, response {len(case.response) / 1024:.0f} KB"
    title = f"{case.name}: {size}, {case.resources} resources"
    return "\n".join([title, *rows(found.lines), *(f"  FAILED: {one}" for one in found.failures)])


def rows(lines: Sequence[Line]) -> list[str]:
    """Return the rows of a table of *lines*, its head first."""
    made = [f"  {'':28}{'function':>12}{'echo':>12}{'ratio':>9}"]
    for line in lines:
        name = f"{line.name} [{line.unit}]"
        made.append(f"  {name:28}{_number(line.function):>12}{_number(line.echo):>12}{_number(line.ratio, ''):>9}")
    return made


def as_json(found: Result) -> dict[str, object]:
    """Return *found* as plain data; a name with its unit is the key of each quantity."""
    return {
        "case": found.case.name,
        "request_bytes": len(found.case.request),
        "response_bytes": len(found.case.response),
        "resources": found.case.resources,
        "measured": measured(found.lines),
        "failures": list(found.failures),
    }


def measured(lines: Sequence[Line]) -> dict[str, dict[str, float | None]]:
    """Return *lines* as plain data."""
    return {
        f"{line.name} [{line.unit}]": {"function": line.function, "echo": line.echo, "ratio": line.ratio}
        for line in lines
    }


def _by_round(
    function: Record, echo: Record, of: Callable[[Record], Sequence[float | None]]
) -> tuple[float | None, float | None, float | None]:
    """Return the medians over all rounds, and the median of the ratios within each round."""
    pairs = [(ours, theirs) for ours, theirs in zip(of(function), of(echo), strict=True) if ours and theirs]
    if not pairs:
        return None, None, None
    ours, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
    return ours, theirs, statistics.median(one / other for one, other in pairs)


def _p50(function: Record, echo: Record) -> tuple[float | None, float | None, float | None]:
    return _by_round(function, echo, lambda record: [statistics.median(one.latencies) for one in record.rounds])


def _speed(function: Record, echo: Record, concurrency: int) -> tuple[float | None, float | None, float | None]:
    return _by_round(function, echo, lambda record: [one.per_second[concurrency] for one in record.rounds])


def _p99(function: Record, echo: Record) -> tuple[float, float, float]:
    ours, theirs = (
        percentile([took for one in record.rounds for took in one.latencies], 0.99) for record in (function, echo)
    )
    return ours, theirs, ours / theirs


def _timed(name: str, function: float | None, echo: float | None, ratio: float | None = None) -> Line:
    """Return a line in milliseconds of times in seconds."""
    ours, theirs = (None if value is None else _ms(value) for value in (function, echo))
    return Line(name, "ms", ours, theirs, ratio)


def _at(values: Sequence[float], index: int) -> float | None:
    return values[index] if values else None


def _ms(seconds: float) -> float:
    return seconds * 1000


def _number(value: float | None, nothing: str = "-") -> str:
    if value is None:
        return nothing
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"  # noqa: PLR2004  # Three digits are enough to read.
