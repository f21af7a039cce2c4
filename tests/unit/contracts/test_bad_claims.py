"""Claims that the API server refuses, each with its exact words: which field, what is wrong, what to do."""

from pathlib import Path
from typing import Any

import pytest

import catalogue
import contract_table
from broken_claims import BROKEN, REFERENCE, WRONG
from rendered_claims import REJECTED, RENDERED, Desk, Patch, spec


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, catalogue.engines()[0])


@pytest.mark.parametrize(("message", "where", "claim", "before"), BROKEN)
def test_a_rule_that_is_broken_says_what_to_do(
    desk: Desk, message: str, where: str, claim: Patch, before: Patch | None
) -> None:
    shown = desk.render(claim, before=before)
    place = f"{where}: " if where else ""
    assert shown.err.splitlines() == [f"claim.yaml: {place}{message}"]
    assert (shown.code, shown.out) == (REJECTED, "")


def test_every_rule_of_the_contract_is_broken_above() -> None:
    assert {message for message, *_ in BROKEN} == {message for _, _, message in contract_table.RULES}


def test_a_rule_about_changes_is_silent_about_a_claim_that_does_not_change(desk: Desk) -> None:
    for claim in ({}, spec(restore={"from": "Backup", "backupID": "b"}), spec(crossplane=REFERENCE)):
        assert "spec" not in desk.render(claim, before=claim).err


def test_what_may_change_may_change(desk: Desk) -> None:
    grown = spec(version="18", storage={"size": "1Ti"}, database={"extensions": [{"name": "vector"}]})
    assert desk.render(grown, before={}).code == RENDERED
    assert desk.render({}, before=spec(restore={"from": "Backup", "backupID": "b"})).code == RENDERED


@pytest.mark.parametrize(("message", "claim"), WRONG)
def test_a_field_of_the_wrong_shape_is_named_with_its_path(desk: Desk, message: str, claim: Patch) -> None:
    shown = desk.render(claim)
    assert shown.err.splitlines() == [f"claim.yaml: {message}"]
    assert (shown.code, shown.out) == (REJECTED, "")


def test_several_faults_are_told_at_once(desk: Desk) -> None:
    shown = desk.render(spec(sise="Small", version=17, tier="Gold"))
    assert len(shown.err.splitlines()) == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "XDatabse"}, "Did you mean XDatabase? Claims are: XDatabase (groundplane.dev/v1alpha1)"),
        ({"apiVersion": "groundplane.dev/v1"}, "XDatabase of groundplane.dev/v1 is no kind of claim."),
        ({"apiVersion": "v1", "kind": "Secret"}, "Secret of v1 is no kind of claim."),
        ({"kind": None}, "kind: missing or no string"),
        ({"metadata": None}, "metadata.name: missing or no string; give the object's name"),
    ],
)
def test_what_is_no_claim_is_told_what_is(desk: Desk, changed: Patch, message: str) -> None:
    shown = desk.render(changed)
    assert shown.code == REJECTED
    assert message in shown.err


@pytest.mark.parametrize(
    "claim",
    [
        {"metadata": {"annotations": {"note": "x" * 1_000_000}}},
        spec(parameters={"work_mem": "x" * 1_000_000}),
        spec(consumers=[{"namespace": f"team-{number:058}"} for number in range(12_000)]),
    ],
)
def test_a_claim_of_a_megabyte_is_refused_in_a_few_words(desk: Desk, claim: Any) -> None:
    shown = desk.render(claim)
    assert shown.code == REJECTED
    assert 0 < len(shown.err) < 1_000
