"""Claims that come back with another uid: their data are refused, or taken over whole, whichever way they are found."""

from copy import deepcopy
from typing import Any

import pytest

from groundplane.core.claim import Claim
from groundplane.core.manifest import digest
from groundplane.core.observation import Observed
from made_up import UID
from outcomes import Outcome
from worlds import World, fresh, ready

NEW, NEWER = "uid-of-the-claim-that-came-back", "uid-of-the-third"
MARK, ORIGIN = "groundplane.dev/claim-uid", "groundplane.dev/data-uid"
CONSENT = "groundplane.dev/takeover-from"


@pytest.fixture(params=["compose", "edge"])
def through(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def came_back(through: str, uid: str = NEW) -> World:
    """Return a world whose claim was deleted without its objects, and created again from a backup of the cluster."""
    world = ready(through)
    world.claim["metadata"]["uid"] = uid
    world.claim.pop("status")
    return world


def consented(world: World, uid: str = UID) -> World:
    world.of("cnpg-1-cluster")["metadata"]["annotations"][CONSENT] = uid
    return world


def archive(outcome: Outcome) -> str:
    plugins = outcome.resources["cnpg-1-cluster"]["spec"]["plugins"]
    return str(plugins[0]["parameters"]["serverName"])


def keeping_users_annotations(world: World) -> None:
    """Apply what is said as Crossplane does: what another manager wrote stays."""
    before = deepcopy(world.of("cnpg-1-cluster")["metadata"]["annotations"])
    world.reconcile()
    now = world.of("cnpg-1-cluster")["metadata"]["annotations"]
    now |= {key: value for key, value in before.items() if key == CONSENT}


def test_data_that_are_referenced_are_not_taken_over_silently(through: str) -> None:
    outcome = came_back(through).ask()
    assert outcome.fatal
    assert outcome.reason == "RetainedDataExists"
    assert "Cluster orders-db-1 in namespace team-a was left by an earlier claim of this name" in outcome.message
    assert f"{CONSENT}={UID}" in outcome.message
    assert not outcome.resources


def test_nor_data_that_are_found_by_name(through: str) -> None:
    world = came_back(through)
    world.lose_references()
    outcome = world.ask()
    assert outcome.reason == "RetainedDataExists"
    assert not outcome.fatal  # nothing of this claim exists
    assert not outcome.resources


def test_nor_are_data_that_only_their_label_tells_of_hidden_by_an_empty_service(through: str) -> None:
    world = came_back(through)
    world.lose_references()
    cluster = world.objects.pop(("Cluster.postgresql.cnpg.io", "orders-db-1"))
    cluster["metadata"]["name"] = "orders-db-7"
    world.put(cluster)
    for name in ("orders-db-1", "orders-db-1-login-a"):
        for key in [key for key in world.objects if key[1] == name]:
            del world.objects[key]
    outcome = world.ask()
    assert outcome.reason == "RetainedDataExists"
    assert "Cluster orders-db-7" in outcome.message
    assert not outcome.resources


def test_with_consent_on_the_data_they_are_taken_over_whole(through: str) -> None:
    before = archive(ready(through).ask())
    world = consented(came_back(through))
    world.of("cnpg-1-secret-a")["metadata"]["annotations"][MARK] = UID
    outcome = world.ask()
    assert outcome.reason == ""
    assert archive(outcome) == before
    for manifest in outcome.resources.values():
        assert manifest["metadata"]["annotations"][MARK] == NEW
        assert manifest["metadata"]["annotations"][ORIGIN] == UID
    assert "binding" in outcome.resources


def test_nothing_that_derives_from_the_uid_moves_under_living_data(through: str) -> None:
    living = ready(through)
    before = living.ask().resources
    world = consented(came_back(through))
    keeping_users_annotations(world)
    after = world.ask().resources
    for name in before:
        strip(before[name])
        strip(after[name])
    assert after == before


def strip(manifest: Any) -> None:
    for key in (MARK, ORIGIN):
        manifest["metadata"]["annotations"].pop(key, None)


def test_taken_over_data_stay_so_and_the_consent_never_fires_again(through: str) -> None:
    world = consented(came_back(through))
    before = archive(world.ask())
    keeping_users_annotations(world)
    assert archive(world.ask()) == before
    world.claim["metadata"]["uid"] = NEWER
    outcome = world.ask()
    assert outcome.reason == "RetainedDataExists"
    assert f"{CONSENT}={NEW}" in outcome.message
    consented(world, NEW)
    assert archive(world.ask()) == before


def test_data_found_by_name_are_taken_over_with_everything_that_still_carries_the_old_uid(through: str) -> None:
    world = consented(came_back(through))
    world.lose_references()
    outcome = world.ask()
    assert outcome.reason == ""
    assert archive(outcome).endswith(digest(UID))
    assert "cnpg-1-secret-a" in outcome.resources


def test_what_was_only_half_written_is_finished(through: str) -> None:
    world = consented(came_back(through))
    cluster = deepcopy(world.of("cnpg-1-cluster"))
    cluster["metadata"]["annotations"] |= {MARK: NEW, ORIGIN: UID}
    world.put(cluster)
    world.lose_references()
    outcome = world.ask()
    assert outcome.reason == ""
    assert archive(outcome).endswith(digest(UID))


@pytest.mark.parametrize("consent", ["", NEW, "somebody", f"{UID} "])
def test_a_consent_that_does_not_name_the_uid_of_the_data_is_none(through: str, consent: str) -> None:
    assert consented(came_back(through), consent).ask().reason == "RetainedDataExists"


def test_the_consent_of_the_claim_itself_is_none(through: str) -> None:
    """Whoever may create claims would otherwise take over what others left."""
    world = came_back(through)
    world.claim["metadata"]["annotations"] = {CONSENT: UID}
    assert world.ask().reason == "RetainedDataExists"


def test_an_object_that_lost_its_mark_is_told_by_its_controller() -> None:
    claim = Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, "prod")
    owner = {"kind": "XDatabase", "name": "orders", "uid": "uid-1", "controller": True}
    assert Observed.of({"metadata": {"ownerReferences": [owner]}}).same_life(claim)
    assert not Observed.of({"metadata": {"ownerReferences": [{**owner, "controller": False}]}}).same_life(claim)
    assert not Observed.of({"metadata": {"ownerReferences": [{**owner, "uid": "uid-2"}]}}).same_life(claim)
    assert not Observed.of({"metadata": {}}).same_life(claim)


def test_an_orphan_without_a_mark_is_refused_too(through: str) -> None:
    world = ready(through)
    world.of("cnpg-1-cluster")["metadata"]["annotations"].pop(MARK)
    assert world.ask().reason == "RetainedDataExists"


def test_a_claim_of_its_own_life_says_nothing_of_another() -> None:
    for manifest in fresh().ask().resources.values():
        assert ORIGIN not in manifest["metadata"]["annotations"]
