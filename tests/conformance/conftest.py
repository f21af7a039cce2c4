"""Crossplane's programs, and the function that they call; how much was compared is printed at the end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from crossplane.function import logging

from bareplane import binaries
from conformance.command_line import CommandLine
from conformance.judge import Judge
from conformance.names import Names
from conformance.reconciler import Moment, Reconciler, made
from groundplane.function.fn import FunctionRunner

CORE: Final = "crossplane-core"
CLI: Final = "crossplane-cli"
RECONCILER: Final = "reconciles by Crossplane's own reconciler"
COMMAND: Final = "renders by Crossplane's command line"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Build what is missing once, before several workers would."""
    if hasattr(session.config, "workerinput") or binaries.missing(CORE, CLI):
        return
    try:
        for name in (CORE, CLI):
            binaries.need(name)
    except binaries.BinariesError as error:
        pytest.exit(str(error), returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was compared."""
    reports = [one for found in terminalreporter.stats.values() for one in found]
    counted = [
        counted
        for one in reports
        if isinstance(one, pytest.TestReport) and one.when == "teardown"
        for counted in one.user_properties
    ]
    for what in (RECONCILER, COMMAND):
        number = sum(int(str(count)) for name, count in counted if name == what)
        terminalreporter.write_line(f"conformance: compared {number} {what}")


def _program(name: str) -> Path:
    if why := binaries.missing(name):
        pytest.skip(why)
    return binaries.need(name)


@pytest.fixture(scope="session")
def core() -> Path:
    return _program(CORE)


@pytest.fixture(scope="session")
def cli() -> Path:
    return _program(CLI)


@pytest.fixture(scope="session")
def reconciler(core: Path) -> Iterator[Reconciler]:
    """Crossplane's reconciler with our function."""
    logging.configure(logging.Level.DISABLED)
    moment = Moment()
    runner = FunctionRunner(clock=lambda: moment.now, make_password=lambda: moment.password)
    with made(core, runner, moment) as found:
        yield found


@pytest.fixture(scope="session")
def names() -> Names:
    """What all tests of a session learn of names together."""
    return Names()


@pytest.fixture
def judge(request: pytest.FixtureRequest, reconciler: Reconciler, names: Names) -> Iterator[Judge]:
    found = Judge(reconciler, names)
    yield found
    request.node.user_properties.append((RECONCILER, found.compared))


@pytest.fixture
def command_line(
    request: pytest.FixtureRequest, cli: Path, reconciler: Reconciler, tmp_path: Path
) -> Iterator[CommandLine]:
    found = CommandLine(cli, reconciler, tmp_path)
    yield found
    request.node.user_properties.append((COMMAND, found.compared))
