"""Claims on a real API server and a real Crossplane, from kubectl apply to the binding."""

import uuid

import pytest

from bareplane.kubectl import KubectlError
from controlplane.cluster import Cluster, Manifest, Team, condition, example, is_true, orders, refused
from scenarios import merged
from test_bad_claims import BROKEN, WRONG

_KEYS = "type provider host port database username password uri jdbc-url r2dbc-url sslmode sslrootcert certificates"
BINDING = set(_KEYS.split(" "))
# Those whose claim before could not be stored: its protocol is none that the contract has.
STORABLE = [row for row in BROKEN if "protocol" not in ((row[3] or {}).get("spec") or {})]
SERVED = [
    ("database/cnpg", "kubernetes", "cnpg"),
    ("database/rds", "aws", "rds"),
    ("claims/development", "kubernetes", "cnpg"),
    ("claims/development", "aws", "rds"),
    ("claims/standard", "kubernetes", "cnpg"),
    ("claims/standard", "aws", "rds"),
    ("claims/critical", "kubernetes", "cnpg"),
    ("claims/critical", "aws", "rds"),
]


@pytest.mark.parametrize(("name", "environment", "engine"), SERVED)
def test_an_example_claim_provisions_becomes_ready_and_has_a_complete_binding(
    cluster: Cluster, name: str, environment: str, engine: str
) -> None:
    team, claim = cluster.team(environment), example(name)
    called = claim["metadata"]["name"]
    team.apply(claim)
    team.wait(lambda it: condition(it, "Serving")["reason"] == "Provisioning" and not is_true(it, "Ready"), called)
    stored = team.ready(called)
    assert stored["status"]["engine"] == engine
    assert stored["status"]["binding"]["name"] == f"{called}-db-binding"
    secret = team.binding(called)
    assert secret["type"] == "servicebinding.io/postgresql"
    assert set(secret["data"]) == BINDING
    assert all(secret["data"].values())


def test_a_copy_of_a_living_claim_is_restored_from_it(team: Team) -> None:
    team.apply(orders())
    team.ready()
    copy = example("claims/restore")
    team.apply(copy)
    name = copy["metadata"]["name"]
    team.ready(name)
    cluster = team.composed(name)["cnpg-1-cluster"]
    assert "recovery" in cluster["spec"]["bootstrap"]
    assert team.composed()["cnpg-1-cluster"]["metadata"]["uid"] != cluster["metadata"]["uid"]


@pytest.mark.parametrize(("message", "where", "claim", "before"), STORABLE)
def test_a_claim_that_breaks_a_rule_is_refused_by_the_api_with_its_message(
    team: Team, message: str, where: str, claim: Manifest, before: Manifest | None
) -> None:
    name = f"orders-{uuid.uuid4().hex[:6]}"
    base = {**orders(), "metadata": {"name": name}}
    if before is not None:
        team.apply(merged(base, before))
    with pytest.raises(KubectlError) as refusal:
        team.apply(merged(base, claim))
    assert message in str(refusal.value)
    assert where in str(refusal.value)


@pytest.mark.parametrize(("message", "claim"), WRONG)
def test_a_claim_of_the_wrong_shape_is_refused_by_the_api_and_nothing_is_created(
    team: Team, message: str, claim: Manifest
) -> None:
    field = message.partition(":")[0]
    with pytest.raises(KubectlError) as refusal:
        team.apply(merged(orders(), claim))
    assert field.rpartition(".")[2] in str(refusal.value)
    assert not team.get("xdatabases")


@pytest.mark.parametrize(
    ("spec", "environment", "words"),
    [
        ({"backup": {"retentionDays": 60}}, "aws", "backup.retentionDays: 60 is not offered by rds (at most 35)"),
    ],
)
def test_a_demand_that_the_engine_cannot_hold_is_refused_by_the_function_and_nothing_is_created(
    cluster: Cluster, spec: Manifest, environment: str, words: str
) -> None:
    team = cluster.team(environment)
    before = set(team.everything())
    team.apply(orders(**spec))
    claim = team.wait(lambda it: refused(it, "NotOffered"))
    assert words in condition(claim, "Accepted")["message"]
    assert not is_true(claim, "Ready")
    created = set(team.everything()) - before
    assert [name for name in created if not name.startswith("XDatabase")] == []
