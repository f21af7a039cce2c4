"""A knob that is missing or wrong is named, with what it is for and who sets it; what is not read is left alone."""

from typing import Any

import pytest

import catalogue
import local_claims
from groundplane import engines
from groundplane.contracts.environment import Environment, read
from groundplane.core.capability import AtMost
from groundplane.core.refusal import Reason, Refusal
from groundplane.engines import sections
from groundplane.engines.database.cnpg import ENGINE
from worlds import fresh, ready

every_engine = pytest.mark.parametrize("engine", catalogue.engines(), ids=str)


def refusal(data: Any, model: type[Any] = ENGINE.knobs) -> str:
    with pytest.raises(Refusal) as caught:
        read(model, "prod", data)
    assert caught.value.reason is Reason.ENVIRONMENT_INCOMPLETE
    assert "EnvironmentConfig prod" in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ({"backup": {}}, ["backup.bucket is missing", "Bucket that backups go to"]),
        ({"backup": {"bucket": "ab"}}, ["backup.bucket: "]),
        ({"backup": {"bucket": "acme", "endpointURL": "s3.example.com"}}, ["backup.endpointURL: "]),
        ({"backup": {"bucket": "acme", "endpoint_url": 5}}, ["backup.endpoint"]),
        ({"backup": {"bucket": "acme", "buket": "x"}}, ["backup.buket: extra inputs are not permitted"]),
        ({"backup": {"bucket": "acme", "credentials": "keys"}}, ["backup: ", "{namespace}"]),
        ({"monitoring": {}}, ["monitoring.runbookURL is missing", "runbooks"]),
        ({"monitoring": {"runbookURL": "ftp://x"}}, ["monitoring.runbookURL: "]),
        ({"kubernetes": {"storageclass": "x"}}, ["kubernetes.storageclass: "]),
        ({"cnpg": {"operatorNamespace": ["x"]}}, ["cnpg.operatorNamespace: "]),
        ({"kubernetes": "fast"}, ["kubernetes: "]),
        ("fast", ["data: "]),
        ([], ["data: "]),
    ],
)
def test_a_wrong_knob_of_the_engine_is_named(data: Any, parts: list[str]) -> None:
    message = refusal(data)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"waivers": ["Deletion"]}, "waivers.0: "),
        ({"waivers": "Backup"}, "waivers: "),
        ({"minimum": {"rpoSeconds": 5}}, "minimum.rpoSeconds: "),
        ({"minimum": {"rposeconds": 500}}, "minimum.rposeconds: "),
        ({"minimum": {"failureTolerance": "Region"}}, "minimum.failureTolerance: "),
        ({"minimum": {"deletionPolicy": "Delete"}}, "minimum.deletionPolicy: "),
    ],
)
def test_a_wrong_knob_of_every_environment_is_named(data: Any, part: str) -> None:
    assert part in refusal(data, Environment)


def test_all_that_is_wrong_is_said_at_once() -> None:
    message = refusal({"backup": {}, "monitoring": {}})
    assert "backup.bucket" in message
    assert "monitoring.runbookURL" in message


def test_the_value_that_is_wrong_is_not_repeated() -> None:
    assert "hunter2" not in refusal({"backup": {"bucket": "acme", "endpointURL": "hunter2", "secretKey": "hunter2"}})


def test_sections_of_other_engines_are_left_alone() -> None:
    assert read(ENGINE.knobs, "prod", {"abacus": {"beads": 7}, "backup": {"bucket": "acme"}}).backup.bucket == "acme"


def test_no_data_is_no_knobs() -> None:
    assert read(Environment, "prod", None).waivers == []


def test_a_bucket_that_a_secret_opens_must_be_one_per_namespace() -> None:
    data = {"backup": {"bucket": "acme-{namespace}", "credentials": "backup-keys"}}
    assert read(ENGINE.knobs, "prod", data).backup.path("team-a") == "s3://acme-team-a/team-a"


def test_an_environment_that_does_not_exist_is_named_with_the_command_that_chooses_one() -> None:
    world = fresh()
    world.objects.pop(("EnvironmentConfig.apiextensions.crossplane.io", "kubernetes"))
    outcome = world.ask()
    assert outcome.reason == "EnvironmentIncomplete"
    assert "EnvironmentConfig kubernetes does not exist" in outcome.message
    assert "kubectl label namespace team-a groundplane.dev/environment=" in outcome.message


def test_a_claim_is_served_as_soon_as_its_environment_is_there() -> None:
    world = fresh()
    world.objects.pop(("EnvironmentConfig.apiextensions.crossplane.io", "kubernetes"))
    refused = world.reconcile()
    assert not refused.fatal, "only an answer is woken when what it asked for appears"
    assert "environment" in refused.asked.objects
    world.environment()
    assert "cnpg-1-cluster" in world.reconcile().resources


def test_an_environment_that_loses_its_backup_target_changes_nothing_of_a_living_claim() -> None:
    world = ready()
    world.environment(backup=None)
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "EnvironmentIncomplete"
    assert "backup.bucket is missing" in outcome.message


def test_a_floor_that_the_engine_cannot_hold_is_the_environments_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINE.capabilities, "backup.retentionDays", AtMost(35))
    outcome = fresh().environment(minimum={"retentionDays": 50}).ask()
    assert outcome.reason == "EnvironmentIncomplete"
    assert "the environment asks for backup.retentionDays: 50" in outcome.message
    assert "at most 35" in outcome.message
    assert "minimum in the EnvironmentConfig" in outcome.message
    outcome = fresh(backup={"retentionDays": 50}).ask()
    assert outcome.reason == "NotOffered"
    assert outcome.message.startswith("backup.retentionDays: 50 is not offered by cnpg (at most 35).")


def test_a_section_that_no_engine_reads_is_told_and_stops_nobody() -> None:
    world = ready().environment(monitorng={"runbookURL": "https://runbooks.example.com"})
    outcome = world.ask()
    assert outcome.ready
    notice = "environment kubernetes: monitorng is read by no engine of this release; did you mean monitoring?"
    assert notice in outcome.notices


@every_engine
def test_an_engine_reads_shared_sections_and_one_of_its_own_name(engine: catalogue.Engine) -> None:
    found = engines.load(engine.contract, engine.name)
    assert sections.of(found.knobs) <= sections.SHARED | {engine.name}


def test_a_shared_section_is_one_that_some_engine_reads() -> None:
    read = [sections.of(engines.load(one.contract, one.name).knobs) for one in catalogue.engines()]
    assert frozenset().union(*read) >= sections.SHARED


def test_the_section_of_an_engine_that_reads_none_is_told() -> None:
    notice = "environment local: local is read by no engine of this release"
    world = local_claims.ready()
    data = world.objects["EnvironmentConfig.apiextensions.crossplane.io", "local"]["data"]
    data["local"] = {"a": 1}
    assert world.ask().notices == (notice,)


def test_sections_of_other_engines_are_nothing_to_tell() -> None:
    outcome = ready().environment(aws={"region": "eu-central-1"}, rds={}).ask()
    assert outcome.ready
    assert outcome.notices == ()
