"""Claims on a real API server and a real Crossplane, from kubectl apply to the binding."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from bareplane.kubectl import KubectlError
from broken_claims import BROKEN, WRONG
from controlplane.cluster import Cluster, Manifest, Team, condition, example, is_true, orders, refused, served, told
from scenarios import merged

_KEYS = "type provider host port database username password uri sslmode sslrootcert certificates root.crt"
BINDING = set(_KEYS.split(" "))
# Those whose claim before could not be stored: its protocol is none that the contract has.
STORABLE = [row for row in BROKEN if "protocol" not in ((row[3] or {}).get("spec") or {})]
STRING = "in body must be of type string"
# What kubectl says where the offline render says the first: the client's own validation, or the API server.
TOLD = {
    "spec.sise: unknown field (did you mean size?)": 'ValidationError(XDatabase.spec): unknown field "sise"',
    "spec.replicas: unknown field": 'ValidationError(XDatabase.spec): unknown field "replicas"',
    "spec.storage.class: unknown field": 'ValidationError(XDatabase.spec.storage): unknown field "class"',
    "spec.version: is required": 'ValidationError(XDatabase.spec): missing required field "version"',
    "spec.storage: is required": 'ValidationError(XDatabase.spec): missing required field "storage"',
    'spec.version: must be a string, not an integer; quote it: "17"': f"spec.version {STRING}",
    'spec.storage.size: must be a string, not an integer; quote it: "20"': f"spec.storage.size {STRING}",
    'spec.storage.size: "5GB" does not match ^[1-9][0-9]*(Gi|Ti)$': (
        "spec.storage.size in body should match '^[1-9][0-9]*(Gi|Ti)$'"
    ),
    'spec.version: "9" does not match ^[1-9][0-9]$': "spec.version in body should match '^[1-9][0-9]$'",
    'spec.tier: "Gold" is not one of Development, Standard, Critical': (
        'spec.tier: Unsupported value: "Gold": supported values: "Development", "Standard", "Critical"'
    ),
    "spec.backup.retentionDays: must be at least 1, not 0": (
        "spec.backup.retentionDays in body should be greater than or equal to 1"
    ),
    "spec.objectives.rpoSeconds: must be an integer, not a string; write it without quotes: 60": (
        'XDatabase.spec.objectives.rpoSeconds: got "string", expected "integer"'
    ),
    "spec.database.extensions[1]: repeats the name of spec.database.extensions[0]": (
        'spec.database.extensions[1]: Duplicate value: {"name":"vector"}'
    ),
    "spec.database.extensions[0]: must be an object, not a string": (
        'XDatabase.spec.database.extensions: got "string", expected "map"'
    ),
    'spec.parameters.work_mem: must be a string, not an integer; quote it: "8"': f"spec.parameters.work_mem {STRING}",
    "spec.parameters: can have at most 64 entries, not 65": "spec.parameters: Too many: 65: must have at most 64 items",
}
# An embedded plane serves no OpenAPI v2, by which kubectl would look at a list itself: the API server tells these, too.
TOLD_BY_SERVER = TOLD | {
    "spec.sise: unknown field (did you mean size?)": 'unknown field "spec.sise"',
    "spec.replicas: unknown field": 'unknown field "spec.replicas"',
    "spec.storage.class: unknown field": 'unknown field "spec.storage.class"',
    "spec.version: is required": "spec.version: Required value",
    "spec.storage: is required": "spec.storage: Required value",
    "spec.objectives.rpoSeconds: must be an integer, not a string; write it without quotes: 60": (
        "spec.objectives.rpoSeconds in body must be of type integer"
    ),
    "spec.database.extensions[0]: must be an object, not a string": (
        "spec.database.extensions[0] in body must be of type object"
    ),
}
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
    passed: list[Manifest] = []

    def arrived(it: Manifest) -> bool:
        passed.append(it)
        return served(it)

    stored = team.wait(arrived, called)
    assert [told(one) for one in passed if is_true(one, "Serving") and "binding" not in one["status"]] == []
    assert stored["status"]["engine"] == engine
    assert stored["status"]["binding"]["name"] == f"{called}-db-binding"
    secret = team.binding(called)
    assert secret["type"] == "servicebinding.io/postgresql"
    assert set(secret["data"]) == BINDING
    assert all(secret["data"].values())


def test_a_copy_of_a_living_claim_is_restored_from_it(team: Team) -> None:
    team.apply(orders())
    source = team.ready()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")  # its backups go back a week
    copy = example("claims/restore")
    copy["spec"]["restore"]["pointInTime"] = yesterday
    team.apply(copy)
    name = copy["metadata"]["name"]
    team.ready(name)
    cluster = team.composed(name)["cnpg-1-cluster"]
    assert "recovery" in cluster["spec"]["bootstrap"]
    (origin,) = cluster["spec"]["externalClusters"]
    assert origin["plugin"]["parameters"]["serverName"] == source["status"]["backup"]["id"]
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
    assert before is not None or not team.get("xdatabases")


@pytest.mark.parametrize(("message", "claim"), WRONG)
def test_a_claim_of_the_wrong_shape_is_refused_by_the_api_and_nothing_is_created(
    team: Team, message: str, claim: Manifest
) -> None:
    with pytest.raises(KubectlError) as refusal:
        team.apply(merged(orders(), claim))
    told = TOLD if team.roles else TOLD_BY_SERVER
    assert told[message] in str(refusal.value)
    assert not team.get("xdatabases")


@pytest.mark.parametrize(
    ("spec", "environment", "words"),
    [
        ({"backup": {"retentionDays": 60}}, "aws", "backup.retentionDays: 60 is not offered by rds (at most 35)"),
        ({"version": "14"}, "kubernetes", "version: 14 is not offered by cnpg (15, 16, 17, 18)"),
        ({"deletionPolicy": "Retain"}, "kubernetes", "deletionPolicy: Retain is not offered by cnpg (Protect, Delete)"),
        ({"restore": {"from": "Retained"}}, "kubernetes", "restore.from: Retained is not offered by cnpg"),
        ({"parameters": {"ssl": "off"}}, "kubernetes", "parameters: ssl"),
        ({"credentials": {"rotationDays": 9}}, "kubernetes", "credentials.rotationDays"),
        (
            {"maintenanceWindow": {"day": "Sunday", "startHour": 3}},
            "kubernetes",
            "the operator has no time window",
        ),
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
