"""Claims that the API server refuses: every rule of the contract broken once, and what the schema does not take."""

from rendered_claims import Patch, spec

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
