"""The tables of the documents say what the engines do."""

import pytest

import catalogue
from groundplane import engines
from groundplane.contracts.environment import Knobs
from groundplane.contracts.resolve import Demand
from groundplane.contracts.tiers import PRESETS
from groundplane.core.refusal import Refusal
from groundplane.engines.interface import check_capabilities
from groundplane.generate import doc_tables


def cells(contract: str) -> dict[tuple[str, str], str]:
    """Return the cells of the tier table, by tier and engine."""
    header, _, *rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in doc_tables.tier_table(contract).splitlines()
    ]
    return {(row[0].strip("`"), engine): cell for row in rows for engine, cell in zip(header[1:], row[1:], strict=True)}


@pytest.mark.parametrize("one", catalogue.engines(), ids=str)
def test_the_tier_table_says_holds_exactly_where_the_engine_is_not_refused(one: catalogue.Engine) -> None:
    engine, found = engines.load(one.contract, one.name), cells(one.contract)
    for tier, preset in PRESETS[one.contract].items():
        values = {
            "deletionPolicy": preset.deletion_policy,
            "objectives.failureTolerance": preset.failure_tolerance,
            "objectives.rpoSeconds": preset.rpo_seconds,
            "backup.retentionDays": preset.retention_days,
        }
        demands = tuple(Demand(path, value, "tier") for path, value in values.items() if value is not None)
        try:
            check_capabilities(one.contract, engine, Knobs(), demands)
        except Refusal as refusal:
            lacking = refusal.message.split(" asks for ")[1].split(",")[0]
            path, value = lacking.split(": ")
            assert f"`{path}` {value}" in found[tier, one.name]
        else:
            assert found[tier, one.name] == "holds"


def test_a_tier_is_lacked_somewhere_or_the_table_shows_nothing() -> None:
    assert any(cell.startswith("lacks") for cell in cells("database").values())
