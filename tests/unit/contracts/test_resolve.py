"""Tiers, what the claim writes over them, and what an environment adds or takes: the numbers of the contract."""

from typing import Any

import pytest

from groundplane import contracts
from groundplane.contracts.environment import Environment
from groundplane.contracts.resolve import NOT_YET, Effective, resolve
from groundplane.core.claim import Claim
from groundplane.core.refusal import Reason, Refusal

# contract, section 6.2, as it stands there
TIERS = {
    "Development": ("Delete", "None", 86400, None, 1, "XSmall"),
    "Standard": ("Protect", "Node", 900, 14400, 7, "Small"),
    "Critical": ("Protect", "Zone", 600, 3600, 35, "Medium"),
}
DRILL = {"Development": None, "Standard": "every 7 days", "Critical": "every day"}
ROTATION = {"Development": None, "Standard": "every 90 days", "Critical": "every 30 days"}


def of(tier: str = "Standard", environment: dict[str, Any] | None = None, name: str = "prod", **spec: Any) -> Effective:
    claim = Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, name)
    asked: Any = contracts.load("database").spec.model_validate(
        {"version": "17", "tier": tier, "storage": {"size": "1Gi"}, **spec}
    )
    return resolve("database", claim, asked, Environment.model_validate(environment or {}))


def refusal(**more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        of(**more)
    return caught.value


def values(found: Effective) -> tuple[Any, ...]:
    return (
        found.deletion_policy,
        found.failure_tolerance,
        found.rpo_seconds,
        found.rto_seconds,
        found.retention_days,
        found.size,
    )


def origin(found: Effective, path: str) -> str:
    return {demand.path: demand.origin for demand in found.demands}[path]


def waived(found: Effective) -> dict[str, tuple[str, str]]:
    return {str(entry.guarantee): (entry.asked, entry.given) for entry in found.waived}


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_the_contracts_numbers(tier: str) -> None:
    assert values(of(tier)) == TIERS[tier]


@pytest.mark.parametrize("tier", TIERS)
def test_what_a_tier_asks_and_no_release_does_yet_is_listed_as_not_yet(tier: str) -> None:
    expected = {}
    if DRILL[tier]:
        expected = {
            "ScheduledDrill": (DRILL[tier], "NotYet"),
            "CredentialRotation": (ROTATION[tier], "NotYet"),
        }
    assert waived(of(tier)) == expected


def test_no_tier_written_is_standard() -> None:
    spec: Any = contracts.load("database").spec.model_validate({"version": "17", "storage": {"size": "1Gi"}})
    assert spec.tier == "Standard"


@pytest.mark.parametrize(
    ("spec", "path", "place", "value"),
    [
        ({"deletionPolicy": "Delete"}, "deletionPolicy", 0, "Delete"),
        ({"objectives": {"failureTolerance": "Zone"}}, "objectives.failureTolerance", 1, "Zone"),
        ({"objectives": {"failureTolerance": "None"}}, "objectives.failureTolerance", 1, "None"),
        ({"objectives": {"rpoSeconds": 60}}, "objectives.rpoSeconds", 2, 60),
        ({"objectives": {"rtoSeconds": 100000}}, "objectives.rtoSeconds", 3, 100000),
        ({"backup": {"retentionDays": 3}}, "backup.retentionDays", 4, 3),
    ],
)
def test_each_value_of_a_tier_can_be_written_singly(spec: dict[str, Any], path: str, place: int, value: Any) -> None:
    found = of(**spec)
    expected = list(TIERS["Standard"])
    expected[place] = value
    assert values(found) == tuple(expected)
    assert origin(found, path) == "claim"
    assert {demand.origin for demand in found.demands if demand.path != path} == {"tier"}


def test_a_size_written_replaces_the_tiers() -> None:
    assert of(size="XLarge").size == "XLarge"


FLOORS = {"failureTolerance": "Node", "rpoSeconds": 300, "rtoSeconds": 7200, "retentionDays": 14}


def test_an_environments_floor_strengthens_what_is_weaker() -> None:
    found = of("Development", {"minimum": FLOORS})
    assert values(found) == ("Delete", "Node", 300, 7200, 14, "XSmall")
    for path in ("objectives.failureTolerance", "objectives.rpoSeconds", "backup.retentionDays"):
        assert origin(found, path) == "environment"
    assert origin(found, "deletionPolicy") == "tier"


def test_an_environments_floor_never_weakens_what_is_stronger() -> None:
    found = of("Critical", {"minimum": {**FLOORS, "rpoSeconds": 100000, "rtoSeconds": 100000}})
    assert values(found) == TIERS["Critical"]
    assert {demand.origin for demand in found.demands} == {"tier"}


def test_an_environments_floor_strengthens_what_the_claim_wrote() -> None:
    found = of(environment={"minimum": FLOORS}, objectives={"failureTolerance": "None", "rpoSeconds": 600})
    assert (found.failure_tolerance, found.rpo_seconds) == ("Node", 300)


def test_a_waived_failure_tolerance_is_given_as_none_and_said() -> None:
    found = of(environment={"waivers": ["FailureTolerance"]})
    assert found.failure_tolerance == "None"
    assert waived(found)["FailureTolerance"] == ("Node", "None")
    assert values(found)[2:] == TIERS["Standard"][2:]
    assert "FailureTolerance" not in waived(of("Development", {"waivers": ["FailureTolerance"]}))


def test_a_waived_drill_is_said_to_be_given_never() -> None:
    assert waived(of(environment={"waivers": ["ScheduledDrill"]}))["ScheduledDrill"] == ("every 7 days", "Never")


def test_backups_are_waived_for_development_only() -> None:
    found = of("Development", {"waivers": ["Backup"]})
    assert not found.backups
    assert found.retention_days is None
    assert waived(found)["Backup"] == ("rpoSeconds 86400, retentionDays 1", "None")
    for tier in ("Standard", "Critical"):
        found = of(tier, {"waivers": ["Backup"]})
        assert found.backups
        assert "Backup" not in waived(found)


def test_deletion_cannot_be_waived_or_weakened_by_an_environment() -> None:
    everything = ["FailureTolerance", "TransportEncryption", "ScheduledDrill", "Backup"]
    assert of(environment={"waivers": everything}).deletion_policy == "Protect"


def test_every_value_in_force_is_a_demand_that_an_engine_must_hold() -> None:
    assert {demand.path: demand.value for demand in of().demands} == {
        "deletionPolicy": "Protect",
        "objectives.failureTolerance": "Node",
        "objectives.rpoSeconds": 900,
        "objectives.rtoSeconds": 14400,
        "backup.retentionDays": 7,
    }


@pytest.mark.parametrize("tier", ["Standard", "Critical"])
def test_the_default_environment_serves_development_only(tier: str) -> None:
    assert of("Development", name="default").tier == "Development"
    refused = refusal(tier=tier, name="default")
    assert refused.reason is Reason.ENVIRONMENT_INCOMPLETE
    assert f"tier: {tier} is not served in namespace team-a" in refused.message
    assert "tier: Development" in refused.message
    assert "kubectl label namespace team-a groundplane.dev/environment=" in refused.message


WRITTEN: dict[str, Any] = {
    "recovery.drill": {"policy": "Never"},
    "recovery.checks": [{"name": "has-rows", "sql": "select 1", "equals": "1"}],
    "credentials.rotationDays": 30,
    "migration.approvedSlot": "cnpg-2",
    "migration.keepSourceDays": 5,
    "migration.maxWritePauseSeconds": 0,
}


@pytest.mark.parametrize("path", WRITTEN)
def test_a_field_that_no_release_carries_out_yet_is_refused_by_name(path: str) -> None:
    section, _, field = path.partition(".")
    refused = refusal(**{section: {field: WRITTEN[path]}})
    assert refused.reason is Reason.NOT_OFFERED
    assert refused.message.startswith(f"{path}: ")
    assert "Remove it" in refused.message


def test_no_field_that_is_not_carried_out_is_forgotten_here() -> None:
    assert set(WRITTEN) == set(NOT_YET)
