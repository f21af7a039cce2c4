"""What a claim's first data come from: a moment that was, a place where they are."""

from typing import Any

import pytest

from made_up import Manifest
from outcomes import Outcome
from worlds import fresh

BORN = "2026-11-24T09:00:00Z"
STORE: Manifest = {
    "apiVersion": "barmancloud.cnpg.io/v1",
    "kind": "ObjectStore",
    "metadata": {"name": "shop-db-3", "namespace": "team-a", "labels": {"groundplane.dev/claim": "db.shop"}},
    "spec": {"configuration": {"destinationPath": "s3://acme-backups/team-a"}},
}


def shop(environment: str = "kubernetes", /, **status: Any) -> Manifest:
    metadata = {
        "name": "shop",
        "namespace": "team-a",
        "uid": "uid-of-shop",
        "creationTimestamp": "2026-11-01T00:00:00Z",
        "labels": {"groundplane.dev/environment": environment},
    }
    return {
        "apiVersion": "groundplane.dev/v1alpha1",
        "kind": "XDatabase",
        "metadata": metadata,
        "spec": {"database": {"name": "app"}},
        "status": {"slot": "cnpg-3", **status},
    }


def copy(source: Manifest | None = None, *others: Manifest, **restore: Any) -> Outcome:
    world = fresh(restore={"from": "Claim", "claimRef": {"name": "shop"}, **restore})
    world.claim["metadata"]["creationTimestamp"] = BORN
    for one in (source or shop(), *others):
        world.put(one)
    return world.ask()


def target(outcome: Outcome) -> str:
    return str(outcome.resources["cnpg-1-cluster"]["spec"]["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-24T08:59:00Z", "2026-11-24T08:59:00Z"),
        ("2026-11-24t08:59:00z", "2026-11-24T08:59:00Z"),
        ("2026-11-24T10:59:00+02:00", "2026-11-24T08:59:00Z"),
        ("2026-11-24T08:59:00.25Z", "2026-11-24T08:59:00.25Z"),
        ("2026-11-24T08:59:00,25Z", "2026-11-24T08:59:00.25Z"),
        ("2026-11-24T03:29:00.123456789-05:30", "2026-11-24T08:59:00.123456Z"),
        ("2026-11-24T08:59:00-00:00", "2026-11-24T08:59:00Z"),
    ],
)
def test_every_form_of_a_moment_reaches_the_engine_in_utc(written: str, meant: str) -> None:
    assert target(copy(pointInTime=written)) == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-11-24T08:59:00+99:99", "is in no calendar"),
        ("0001-01-01T00:00:00+01:00", "is in no calendar"),
        ("0000-01-01T00:00:00Z", "is in no calendar"),
        ("9999-12-31T23:59:59-01:00", "is in no calendar"),
        ("2026-11-24T08:59:00x5Z", "is no time such as"),
        ("2026-11-24T08:59:00Ztomorrow", "is no time such as"),
    ],
)
def test_a_moment_that_no_calendar_has_is_refused_by_field(written: str, said: str) -> None:
    outcome = copy(pointInTime=written)
    assert outcome.reason == "NotOffered"
    assert f"spec.restore.pointInTime: '{written}' {said}" in outcome.message
    assert not outcome.resources


@pytest.mark.parametrize(
    "source", [{"from": "Claim", "claimRef": {"name": "shop"}}, {"from": "Backup", "backupID": "b"}]
)
def test_a_moment_that_is_yet_to_come_is_refused_with_both_times(source: dict[str, Any]) -> None:
    world = fresh(restore={**source, "pointInTime": "2026-11-24T10:00:00Z"})
    world.claim["metadata"]["creationTimestamp"] = BORN
    world.put(shop())
    outcome = world.ask()
    assert outcome.reason == "RestoreSourceNotFound"
    assert "restore.pointInTime: 2026-11-24T10:00:00Z is yet to come: this claim was created at" in outcome.message
    assert BORN in outcome.message
    assert not outcome.resources


def test_a_clock_may_be_a_minute_ahead() -> None:
    assert copy(pointInTime="2026-11-24T09:01:00Z").resources
    assert copy(pointInTime="2026-11-24T09:01:00.5Z").reason == "RestoreSourceNotFound"


def test_a_moment_that_passes_while_the_claim_waits_is_still_refused() -> None:
    """Or the restore would begin by itself, with the accident in it."""
    world = fresh(restore={"from": "Claim", "claimRef": {"name": "shop"}, "pointInTime": "2026-11-24T10:00:00Z"})
    world.claim["metadata"]["creationTimestamp"] = BORN
    world.put(shop())
    said = world.ask().message
    world.now = world.now.replace(year=2027)
    assert world.ask().message == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "it was created at 2026-11-01T00:00:00Z"),
        (
            {"backup": {"firstRecoverableTime": "2026-11-20T02:00:00Z"}},
            "the first that its backups hold is 2026-11-20T02:00:00Z",
        ),
    ],
)
def test_a_moment_before_the_source_is_refused_with_both_times(status: Manifest, said: str) -> None:
    outcome = copy(shop(**status), pointInTime="2026-10-31T23:59:59Z")
    assert outcome.reason == "RestoreSourceNotFound"
    assert "restore.pointInTime: 2026-10-31T23:59:59Z is before what shop holds" in outcome.message
    assert said in outcome.message


def test_a_copy_that_is_there_is_not_asked_again_what_it_was_made_of() -> None:
    world = fresh(restore={"from": "Claim", "claimRef": {"name": "shop"}, "pointInTime": "2026-11-02T00:00:00Z"})
    world.claim["metadata"]["creationTimestamp"] = BORN
    world.put(shop())
    world.reconcile()
    world.put(shop("another", backup={"firstRecoverableTime": "2026-11-20T02:00:00Z"}))
    assert world.ask().reason == ""


def test_a_copy_is_read_from_the_archive_that_its_source_names() -> None:
    """Its data may have been another claim's before, and keep that one's archive."""
    plain, taken = copy(), copy(shop(backup={"id": "shop-db-3-ffffffff"}))
    archives = [
        one.resources["cnpg-1-cluster"]["spec"]["externalClusters"][0]["plugin"]["parameters"]["serverName"]
        for one in (plain, taken)
    ]
    assert archives[0] != "shop-db-3-ffffffff"
    assert archives[1] == "shop-db-3-ffffffff"


def test_a_copy_of_a_claim_in_another_environment_is_refused_with_both_names() -> None:
    outcome = copy(shop("prod"))
    assert outcome.reason == "RestoreSourceNotFound"
    assert "restore.claimRef: shop is of environment prod, this claim of environment kubernetes" in outcome.message
    assert not outcome.resources


def test_two_environments_with_the_same_archive_are_one_place() -> None:
    assert copy(shop("prod"), STORE).resources


@pytest.mark.parametrize(
    "configuration",
    [
        {"destinationPath": "s3://elsewhere/team-a"},
        {"destinationPath": "s3://acme-backups/team-a", "endpointURL": "https://s3.example.com"},
    ],
)
def test_an_environment_that_has_another_archive_since_is_another_place(configuration: Manifest) -> None:
    outcome = copy(shop(), {**STORE, "spec": {"configuration": configuration}})
    assert outcome.reason == "RestoreSourceNotFound"
    for value in configuration.values():
        if value != "s3://acme-backups/team-a":
            assert f"of its ObjectStore is {value}, and this claim's would be" in outcome.message


def test_an_archive_of_another_slot_tells_nothing() -> None:
    other = {**STORE, "metadata": {**STORE["metadata"], "name": "shop-db-2"}, "spec": {"configuration": {}}}
    assert copy(shop(), other).resources
    assert copy(shop("prod"), other).reason == "RestoreSourceNotFound"


def test_a_copy_takes_no_more_calls_than_crossplane_allows_when_its_place_is_looked_up() -> None:
    assert copy(shop(), STORE).calls <= 5
