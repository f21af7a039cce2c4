"""What was compared is printed at the end, with the seed that makes the same objects again."""

from collections import Counter
from typing import Final

import pytest

from planes.test_ownership import OBJECTS, SEED

WRITES: Final = "writes"
COMMANDS: Final = "commands"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was compared."""
    counted: Counter[str] = Counter()
    for found in terminalreporter.stats.values():
        for one in found:
            if isinstance(one, pytest.TestReport) and one.when == "call":
                counted.update({name: int(str(number)) for name, number in one.user_properties})
    accepted = counted.pop("accepted", 0)
    writes = {name: number for name, number in counted.items() if name != COMMANDS}
    told = ", ".join(f"{number} {name}" for name, number in sorted(writes.items()))
    terminalreporter.write_line(f"planes: GROUNDPLANE_FUZZ_SEED={SEED}: {OBJECTS} objects of each kind: {told or 0}")
    terminalreporter.write_line(f"planes: {counted[COMMANDS]} commands of kubectl, {accepted} of them otherwise")
