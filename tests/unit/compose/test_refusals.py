"""Every reason of the contract is given by some input, and says which field or object, what is wrong and what to do."""

from collections.abc import Callable
from typing import Any

import pytest

import second_engine
from groundplane.core.capability import Never
from groundplane.core.refusal import Reason
from made_up import Manifest
from outcomes import Outcome
from worlds import World, fresh, half_ready, ready

ENVIRONMENT = {"groundplane.dev/environment": "kubernetes"}
SHOP: Manifest = {
    "apiVersion": "groundplane.dev/v1alpha1",
    "kind": "XDatabase",
    "metadata": {"name": "shop", "namespace": "team-a", "uid": "uid-of-shop", "labels": ENVIRONMENT},
    "spec": {"database": {"name": "app"}},
    "status": {"slot": "cnpg-1"},
}


@pytest.fixture(params=["compose", "edge"])
def through(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def copy(source: Manifest | None, **spec: Any) -> Callable[[str], World]:
    def make(through: str) -> World:
        world = fresh(through, **{"restore": {"from": "Claim", "claimRef": {"name": "shop"}}, **spec})
        if source:
            world.put(source)
        return world

    return make


def restore(**fields: Any) -> Callable[[str], World]:
    return lambda through: fresh(through, restore=fields)


def changed(**spec: Any) -> Callable[[str], World]:
    def make(through: str) -> World:
        world = ready(through, database={"name": "app", "extensions": [{"name": "vector"}]})
        world.claim["spec"] |= spec
        return world

    return make


def without_environment(through: str) -> World:
    world = fresh(through)
    world.objects.pop(("EnvironmentConfig.apiextensions.crossplane.io", "kubernetes"))
    return world


def without_backup_keys(through: str) -> World:
    world = fresh(through)
    world.environment(backup={"bucket": "acme-{namespace}", "credentials": "backup-keys"})
    return world


def without_the_operator(through: str) -> World:
    world = fresh(through)
    world.installed = {crd for crd in world.installed if "cnpg" not in crd}
    return world


def without_a_password(through: str) -> World:
    world = ready(through)
    world.of("cnpg-1-secret-a")["data"].pop("password")
    return world


def without_the_data(through: str) -> World:
    world = half_ready(through)
    world.reconcile()
    world.objects.pop(world.composed.pop("cnpg-1-cluster"))
    return world


def left_behind(**metadata: Any) -> Callable[[str], World]:
    def make(through: str) -> World:
        world = fresh(through)
        cluster = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster"}
        world.put({**cluster, "metadata": {"name": "orders-db-1", **metadata}})
        return world

    return make


def on_another_engine(through: str) -> World:
    world = ready(through)
    world.engine = "paper"
    world.installed.add("sheets.paper.example.org")
    return world


OTHER_DATABASE = {**SHOP, "spec": {"database": {"name": "shop"}}}
OTHER_VERSION = {**SHOP, "spec": {"database": {"name": "app"}, "version": "16"}}
LOWERED = {"tier": "Development"}

# reason, who, and the words that say: which field or object, what is wrong, what to do
CASES: list[tuple[Reason, Callable[[str], World], list[str]]] = [
    (
        Reason.NOT_OFFERED,
        lambda t: fresh(t, version="14"),
        ["version: 14", "is not offered", "15, 16, 17, 18", "Change"],
    ),
    (Reason.NOT_OFFERED, lambda t: fresh(t, deletionPolicy="Retain"), ["deletionPolicy: Retain", "Protect, Delete"]),
    (Reason.NOT_OFFERED, restore(**{"from": "Retained"}), ["restore.from: Retained", "Claim, Backup", "Change"]),
    (
        Reason.NOT_OFFERED,
        lambda t: fresh(t, maintenanceWindow={"day": "Sunday", "startHour": 3}),
        ["maintenanceWindow", "no time window"],
    ),
    (Reason.NOT_OFFERED, lambda t: fresh(t, parameters={"ssl": "off"}), ["parameters: ssl", "CloudNativePG", "Remove"]),
    (
        Reason.NOT_OFFERED,
        lambda t: fresh(t, credentials={"rotationDays": 9}),
        ["credentials.rotationDays", "Remove it"],
    ),
    (Reason.NOT_OFFERED, lambda t: fresh(t, colour="blue"), ["spec.colour", "correct the field"]),
    (Reason.NOT_OFFERED, lambda t: fresh(t, storage={}), ["spec.storage.size", "correct the field"]),
    (
        Reason.UNSAFE_CHANGE,
        changed(database={"name": "app"}),
        ["database.extensions: vector", "removed", "extensions/vector", "DROP EXTENSION"],
    ),
    (Reason.UNSAFE_CHANGE, changed(**LOWERED), ["tier: ", "deletionPolicy", "from Protect to Delete", "Write"]),
    (
        Reason.UNSAFE_CHANGE,
        changed(**LOWERED, deletionPolicy="Protect"),
        ["tier: ", "backup.retentionDays", "from 7 to 1", "Write backup.retentionDays: 7"],
    ),
    (Reason.WOULD_LOSE_DATA, without_the_data, ["slot cnpg-1", "orders-db-1", "cannot be found", "Bring the object"]),
    (Reason.WOULD_LOSE_DATA, without_a_password, ["Secret orders-db-1-login-a", "no entry password", "Put the Secret"]),
    (
        Reason.SWAP_NOT_APPROVED,
        on_another_engine,
        ["cnpg-1", "spec.migration.retiredSlots", "compositionRef.name back"],
    ),
    (Reason.ENVIRONMENT_INCOMPLETE, without_environment, ["EnvironmentConfig kubernetes", "does not exist", "label"]),
    (
        Reason.ENVIRONMENT_INCOMPLETE,
        without_backup_keys,
        ["Secret backup-keys in namespace team-a", "does not exist", "access-key-id and secret-access-key", "Ask"],
    ),
    (
        Reason.ENVIRONMENT_INCOMPLETE,
        lambda t: fresh(t, "").environment("default"),
        ["tier: Standard", "namespace team-a", "tier: Development", "kubectl label namespace"],
    ),
    (Reason.ENGINE_NOT_INSTALLED, without_the_operator, ["CloudNativePG", "clusters.postgresql.cnpg.io", "Ask"]),
    (
        Reason.NOT_PERMITTED,
        lambda t: fresh(t).granted("secrets"),
        ["may not manage", "clusters.postg", "kubectl apply"],
    ),
    (
        Reason.NAME_TAKEN,
        left_behind(),
        ["Cluster orders-db-1 in namespace team-a", "does not belong", "Remove or rename"],
    ),
    (
        Reason.RETAINED_DATA_EXISTS,
        left_behind(labels={"groundplane.dev/claim": "db.orders"}),
        ["Cluster orders-db-1 in namespace team-a", "earlier claim", "another name, or delete"],
    ),
    (
        Reason.RESTORE_SOURCE_NOT_FOUND,
        copy(None),
        ["restore.claimRef", "no XDatabase shop in namespace team-a", "Correct"],
    ),
    (Reason.RESTORE_SOURCE_NOT_FOUND, copy({**SHOP, "status": {}}), ["restore.claimRef: shop has no data yet", "wait"]),
    (
        Reason.RESTORE_SOURCE_NOT_FOUND,
        copy({**SHOP, "status": {"slot": "paper-1"}}),
        ["restore.claimRef: shop is served by paper", "Name another claim"],
    ),
    (Reason.RESTORE_SOURCE_NOT_FOUND, copy(OTHER_DATABASE), ["restore.claimRef: a copy", "Set database.name to shop"]),
    (Reason.RESTORE_SOURCE_NOT_FOUND, copy(OTHER_VERSION), ["restore.claimRef: a copy", "Set version to 16"]),
]


@pytest.mark.parametrize(
    ("reason", "make", "words"), CASES, ids=[f"{reason}-{'-'.join(words[:2])}" for reason, _, words in CASES]
)
def test_a_refusal_says_what_is_wrong_where_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, through: str, reason: Reason, make: Callable[[str], World], words: list[str]
) -> None:
    second_engine.register(monkeypatch)
    outcome = make(through).ask()
    assert outcome.reason == reason
    for word in words:
        assert word in outcome.message
    assert outcome.says("Accepted") == f"False/{reason}"
    assert outcome.conditions["Accepted"][2] == outcome.message
    assert outcome.ttl == (0 if outcome.fatal else 30)  # nothing wakes a claim when a kind is installed
    assert readable(outcome)


def readable(outcome: Outcome) -> bool:
    """Whether the message is whole sentences without the words of a programming language."""
    message = outcome.message
    strange = ("Traceback", "None", "{'", "['", "object at", "Error(", "  ", "\n")
    return message.endswith((".", ";", ">", "companion")) and not any(word in message for word in strange)


def test_every_reason_of_the_contract_is_given_by_some_input() -> None:
    contract = (
        "NotOffered UnsafeChange WouldLoseData SwapNotApproved EnvironmentIncomplete EngineNotInstalled NotPermitted"
        " NameTaken RetainedDataExists RestoreSourceNotFound"
    )
    assert {str(reason) for reason in Reason} == set(contract.split())
    assert {reason for reason, _, _ in CASES} == set(Reason)


def test_the_same_refusal_is_said_in_the_same_words_every_time(through: str) -> None:
    for make in (without_the_data, without_the_operator, without_environment):
        world = make(through)
        first = world.reconcile()
        again = world.reconcile()
        assert (first.reason, first.message) == (again.reason, again.message)


def test_an_engine_is_named_from_what_is_asked_and_never_by_heart(
    monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    second_engine.register(monkeypatch)
    for spoil in ("kind", "grant", "data"):
        world = fresh(through, tier="Development")
        world.engine = "paper"
        if spoil != "kind":
            world.installed.add("sheets.paper.example.org")
        if spoil == "grant":
            world.granted("secrets")
        if spoil == "data":
            world.claim["status"] = {"engine": "paper", "slot": "paper-1"}
        message = world.ask().message
        assert "paper" in message.lower()
        assert "cnpg" not in message.lower()
        assert "postgres" not in message.lower()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"deletionPolicy": "Retain"}, "deletionPolicy: Retain is not offered by paper (Protect, Delete)."),
        ({"restore": {"from": "Retained"}}, "restore.from: Retained is not offered by paper (Claim, Backup)."),
    ],
)
def test_what_is_dangerous_is_not_offered_by_an_engine_that_says_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, through: str, spec: dict[str, Any], words: str
) -> None:
    second_engine.register(monkeypatch)
    world = fresh(through, tier="Development", **spec)
    world.engine = "paper"
    world.installed.add("sheets.paper.example.org")
    outcome = world.ask()
    assert outcome.reason == "NotOffered"
    assert outcome.message.startswith(words)


def test_a_field_inside_a_list_is_refused_like_any_other(monkeypatch: pytest.MonkeyPatch, through: str) -> None:
    second_engine.register(monkeypatch)
    monkeypatch.setattr(second_engine.Paper, "capabilities", {"database.extensions[].name": Never("it has no ink")})
    world = fresh(through, tier="Development", database={"extensions": [{"name": "hstore"}]})
    world.engine = "paper"
    world.installed.add("sheets.paper.example.org")
    outcome = world.ask()
    assert outcome.reason == "NotOffered"
    assert outcome.message.startswith("database.extensions[].name: hstore is not offered by paper (it has no ink).")
