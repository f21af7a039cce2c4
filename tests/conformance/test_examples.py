"""What our offline render shows of every example is what Crossplane's own reconciler and command line make of it."""

import pytest

from conformance.command_line import CommandLine
from conformance.examples import Example, examples
from conformance.judge import Judge

every_example = pytest.mark.parametrize("example", examples(), ids=str)


@every_example
def test_the_offline_render_of_an_example_is_crossplanes(example: Example, judge: Judge) -> None:
    asked, _ = example.asked()
    judge.agreed(asked)


@every_example
def test_the_offline_render_of_an_example_is_the_command_lines_defaults_included(
    example: Example, command_line: CommandLine
) -> None:
    asked, bare = example.asked()
    command_line.agreed(asked, claim=bare)
