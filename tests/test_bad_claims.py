"""Claims that the API server refuses, each with its exact words: which field, what is wrong, what to do."""

from pathlib import Path
from typing import Any

import pytest

import catalogue
import contract_table
from rendered_claims import REJECTED, RENDERED, Desk, Patch, spec

PITR = "2026-11-24T08:59:00Z"
CHECK = {"name": "rows", "sql": "select 1"}
REFERENCE = {"compositionRef": {"name": "xdatabase-cnpg"}}

# Every rule of the contract, broken once: the rule, where it is told, the claim, and the claim before.
NAME = "name: 1 to 40 lower-case letters, digits or '-', starting with a letter; engines add suffixes"
PROTOCOL = "protocol is fixed for the life of a claim; create a new claim and move the data"
DATABASE = "the database's name is fixed for the life of a claim; create a new claim and move the data"
SERVERS = "this name belongs to the server; choose another"
VERSION = "version can only rise; to go back, restore into a new claim"
STORAGE = "storage cannot shrink; create a new claim with less and move the data with pg_dump and pg_restore"
COMPUTE = "set size or resources, not both"
CREATED = "restore can only be set when the claim is created; create a new claim"
SOURCE = "from: Claim needs claimRef, from: Backup needs backupID, from: Retained neither"
MOMENT = "pointInTime goes with Claim or Backup"
ANSWER = "give equals or atLeast, one of them"
COMPOSITION = "keep spec.crossplane.compositionRef: without it another engine could be chosen"

BROKEN: list[tuple[str, str, Patch, Patch | None]] = [
    (NAME, "", {"metadata": {"name": "1orders"}}, None),
    (NAME, "", {"metadata": {"name": "o" * 41}}, None),
    (NAME, "", {"metadata": {"name": "or.ders"}}, None),
    (SERVERS, "spec.database.name", spec(database={"name": "postgres"}), None),
    (SERVERS, "spec.database.name", spec(database={"name": "rdsadmin"}), None),
    (COMPUTE, "spec", spec(size="Small", resources={"cpu": "1", "memory": "2Gi"}), None),
    (SOURCE, "spec.restore", spec(restore={"from": "Claim"}), None),
    (SOURCE, "spec.restore", spec(restore={"from": "Backup", "claimRef": {"name": "other"}}), None),
    (SOURCE, "spec.restore", spec(restore={"from": "Claim", "claimRef": {"name": "other"}, "backupID": "b"}), None),
    (SOURCE, "spec.restore", spec(restore={"from": "Retained", "backupID": "b"}), None),
    (MOMENT, "spec.restore", spec(restore={"from": "Retained", "pointInTime": PITR}), None),
    (ANSWER, "spec.recovery.checks[0]", spec(recovery={"checks": [CHECK]}), None),
    (ANSWER, "spec.recovery.checks[0]", spec(recovery={"checks": [{**CHECK, "equals": "1", "atLeast": 1}]}), None),
    (PROTOCOL, "spec.protocol", {}, spec(protocol="mysql")),
    (DATABASE, "spec.database.name", spec(database={"name": "shop"}), {}),
    (DATABASE, "spec.database.name", {}, spec(database={"name": "shop"})),
    (VERSION, "spec.version", spec(version="16"), {}),
    (STORAGE, "spec.storage.size", spec(storage={"size": "1Gi"}), {}),
    (STORAGE, "spec.storage.size", spec(storage={"size": "1023Gi"}), spec(storage={"size": "1Ti"})),
    (CREATED, "spec", spec(restore={"from": "Backup", "backupID": "b"}), {}),
    (
        CREATED,
        "spec",
        spec(restore={"from": "Backup", "backupID": "b"}),
        spec(restore={"from": "Backup", "backupID": "c"}),
    ),
    (
        COMPOSITION,
        "spec",
        spec(crossplane={"compositionSelector": {"matchLabels": {"groundplane.dev/engine": "rds"}}}),
        spec(crossplane=REFERENCE),
    ),
]

# What the schema refuses, by its words.
WRONG: list[tuple[str, Patch]] = [
    ("spec.sise: unknown field (did you mean size?)", spec(sise="Small")),
    ("spec.replicas: unknown field", spec(replicas=3)),
    ("spec.storage.class: unknown field", spec(storage={"size": "20Gi", "class": "fast"})),
    ("spec.version: is required", spec(version=None)),
    ("spec.storage: is required", spec(storage=None)),
    ('spec.version: must be a string, not an integer; quote it: "17"', spec(version=17)),
    ('spec.storage.size: must be a string, not an integer; quote it: "20"', spec(storage={"size": 20})),
    ('spec.storage.size: "5GB" does not match ^[1-9][0-9]*(Gi|Ti)$', spec(storage={"size": "5GB"})),
    ('spec.version: "9" does not match ^[1-9][0-9]$', spec(version="9")),
    ('spec.tier: "Gold" is not one of Development, Standard, Critical', spec(tier="Gold")),
    ("spec.backup.retentionDays: must be at least 1, not 0", spec(backup={"retentionDays": 0})),
    (
        "spec.objectives.rpoSeconds: must be an integer, not a string; write it without quotes: 60",
        spec(objectives={"rpoSeconds": "60"}),
    ),
    (
        "spec.database.extensions[1]: repeats the name of spec.database.extensions[0]",
        spec(database={"extensions": [{"name": "vector"}, {"name": "vector"}]}),
    ),
    (
        "spec.database.extensions[0]: must be an object, not a string",
        spec(database={"extensions": ["vector"]}),
    ),
    ('spec.parameters.work_mem: must be a string, not an integer; quote it: "8"', spec(parameters={"work_mem": 8})),
    (
        "spec.parameters: can have at most 64 entries, not 65",
        spec(parameters={f"p{number}": "1" for number in range(65)}),
    ),
]


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
