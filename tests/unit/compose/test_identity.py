"""Names and what they stand for: nothing of ours changes what it is, and nothing of others is taken."""

from typing import Any

import pytest

from made_up import UID, Manifest, key_of
from outcomes import Outcome
from worlds import fresh, ready

ROLES = (
    *("alerts", "backup", "cluster", "database", "login-a", "login-b"),
    *("monitor", "network", "owner", "secret-a", "store"),
)


@pytest.fixture(params=["compose", "edge"])
def through(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def would_lose_data(outcome: Outcome) -> bool:
    return outcome.fatal and outcome.reason == "WouldLoseData" and not outcome.resources and outcome.ttl == 0


def without_identity(manifest: Manifest) -> Manifest:
    """Return *manifest* as somebody else would have made it."""
    return {**manifest, "metadata": {"name": manifest["metadata"]["name"]}}


def test_every_composed_object_says_whose_it_is_and_of_which_life(through: str) -> None:
    resources = ready(through).ask().resources
    assert set(resources) == {"binding", *(f"cnpg-1-{role}" for role in ROLES)}
    for manifest in resources.values():
        assert manifest["metadata"]["labels"]["groundplane.dev/claim"] == "db.orders"
        assert manifest["metadata"]["annotations"]["groundplane.dev/claim-uid"] == UID


def test_labels_of_an_environment_never_replace_the_claims_own(through: str) -> None:
    world = fresh(through)
    labels = {"groundplane.dev/claim": "db.other", "release": "prometheus"}
    world.environment(monitoring={"runbookURL": "https://r.example.com", "labels": labels})
    worn = world.ask().resources["cnpg-1-monitor"]["metadata"]["labels"]
    assert worn == {"groundplane.dev/claim": "db.orders", "release": "prometheus"}


@pytest.mark.parametrize("role", ROLES)
def test_an_object_of_somebody_else_is_never_taken_over(through: str, role: str) -> None:
    wanted = fresh(through).ask().resources[f"cnpg-1-{role}"]
    world = fresh(through)
    world.put(without_identity(wanted))
    outcome = world.ask()
    assert outcome.reason == "NameTaken"
    assert not outcome.resources
    assert not outcome.fatal
    assert f"{wanted['kind']} {wanted['metadata']['name']}" in outcome.message


@pytest.mark.parametrize("role", ROLES)
def test_an_object_of_somebody_else_is_never_taken_over_later_either(through: str, role: str) -> None:
    """As after an optional kind was installed, or an object of ours was deleted and another one made in its place."""
    world = ready(through)
    gone = world.of(f"cnpg-1-{role}")
    world.composed.pop(f"cnpg-1-{role}")
    world.put(without_identity(gone))
    outcome = world.ask()
    assert outcome.reason == "NameTaken"
    assert outcome.fatal
    assert not outcome.resources


def test_somebody_elses_secret_with_the_bindings_name_is_refused_before_anything_is_made(through: str) -> None:
    world = fresh(through)
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "orders-db-binding"}, "data": {}})
    outcome = world.ask()
    assert outcome.reason == "NameTaken"
    assert "orders-db-binding" in outcome.message
    assert not outcome.resources
    assert not outcome.fatal


def test_an_object_of_another_claim_with_the_same_name_and_another_kind_is_refused(through: str) -> None:
    wanted = fresh(through).ask().resources["cnpg-1-network"]
    wanted["metadata"]["labels"]["groundplane.dev/claim"] = "queue.orders"
    world = fresh(through)
    world.put(wanted)
    assert world.ask().reason == "NameTaken"


def test_a_guarded_object_of_an_earlier_life_is_retained_data_and_another_one_is_replaced(through: str) -> None:
    for role, reason in (("secret-a", "RetainedDataExists"), ("network", "")):
        wanted = fresh(through).ask().resources[f"cnpg-1-{role}"]
        wanted["metadata"]["annotations"]["groundplane.dev/claim-uid"] = "earlier"
        world = fresh(through)
        world.put(wanted)
        assert world.ask().reason == reason


def test_a_missing_stateful_object_beside_observed_ones_is_refused(through: str) -> None:
    world = ready(through)
    world.objects.pop(world.composed.pop("cnpg-1-cluster"))
    outcome = world.ask()
    assert would_lose_data(outcome)
    assert "orders-db-1" in outcome.message


def test_a_resource_that_no_engine_desires_any_more_is_refused_and_named(through: str) -> None:
    world = ready(through)
    stranger = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orders-db-1-x"}}
    world.put(stranger)
    world.composed["cnpg-1-forgotten"] = key_of(stranger)
    outcome = world.ask()
    assert would_lose_data(outcome)
    assert "ConfigMap orders-db-1-x (cnpg-1-forgotten)" in outcome.message


def test_a_binding_that_would_vanish_is_refused(through: str) -> None:
    world = ready(through)
    world.of("binding")["data"].pop("host")
    world.of("binding")["data"].pop("certificates")
    world.objects.pop(("Secret.", "orders-db-1-ca"))
    outcome = world.ask()
    assert would_lose_data(outcome)
    assert "orders-db-binding" in outcome.message


def test_another_functions_resource_is_its_own_business(through: str) -> None:
    world = ready(through)
    stranger = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}}
    world.put(stranger)
    world.composed["notes"] = key_of(stranger)
    assert not world.ask().fatal


@pytest.mark.parametrize("role", ROLES)
def test_another_kind_under_the_same_name_is_refused(through: str, role: str) -> None:
    world = ready(through)
    world.of(f"cnpg-1-{role}")["kind"] = "Other"
    outcome = world.ask()
    assert would_lose_data(outcome)
    assert "kind" in outcome.message
    assert "Other" in outcome.message


def test_another_group_is_another_kind_and_another_version_is_not(through: str) -> None:
    world = ready(through)
    world.of("cnpg-1-cluster")["apiVersion"] = "postgresql.cnpg.io/v2"
    assert not world.ask().fatal
    world.of("cnpg-1-cluster")["apiVersion"] = "example.org/v1"
    assert would_lose_data(world.ask())


@pytest.mark.parametrize("name", [*(f"cnpg-1-{role}" for role in ROLES), "binding"])
def test_another_name_of_the_object_is_refused(through: str, name: str) -> None:
    world = ready(through)
    world.of(name)["metadata"]["name"] = "renamed"
    outcome = world.ask()
    assert would_lose_data(outcome)
    assert "renamed" in outcome.message


@pytest.mark.parametrize(
    ("section", "value"),
    [("bucket", "elsewhere"), ("endpointURL", "https://s3.example.com")],
)
def test_another_place_for_backups_is_another_archive_and_refused(through: str, section: str, value: Any) -> None:
    world = ready(through)
    world.environment(backup={"bucket": "acme-backups", "region": "eu-central-1", section: value})
    outcome = world.ask()
    assert would_lose_data(outcome)
    assert "configuration" in outcome.message
    assert value in outcome.message


@pytest.mark.parametrize("name", ["web-1-frontend", "another", "cnpg1-cluster"])
def test_what_another_function_composes_is_its_own_business(through: str, name: str) -> None:
    world = ready(through)
    page = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page", "namespace": "team-a"}}
    world.put(page)
    world.composed[name] = key_of(page)
    outcome = world.ask()
    assert outcome.ready
    assert not outcome.fatal


def test_a_resource_of_an_engine_this_release_does_not_have_is_not_forgotten(through: str) -> None:
    world = ready(through)
    labels = {"groundplane.dev/claim": "db.orders"}
    old = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "old", "namespace": "team-a", "labels": labels},
    }
    world.put(old)
    world.composed["gone-1-data"] = key_of(old)
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "WouldLoseData"
