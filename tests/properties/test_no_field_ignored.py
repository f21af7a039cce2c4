"""No field of a claim is ignored: changing it changes an object, a condition or the status, or it is refused.

The echo of the claim in ``status.effective`` does not count.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

import catalogue
import contract_table
from answering import answer, claim_of, observed, signature
from catalogue import Manifest
from scenarios import merged


@dataclass(frozen=True)
class Change:
    """Two valid specs that differ in one leaf, as patches over a claim that the engine serves."""

    one: Manifest
    other: Manifest
    already: Manifest | None = None  # a spec whose objects are observed first


EXTENSION = {"extensions": [{"name": "pgcrypto"}]}
SOURCE = {
    "apiVersion": "groundplane.dev/v1alpha1",
    "kind": "XDatabase",
    "spec": {"version": "17", "database": {"name": "app"}},
}


def restore(**fields: Any) -> Manifest:
    return {"restore": {"from": "Claim", "claimRef": {"name": "first"}, **fields}}


def drill(**fields: Any) -> Manifest:
    return {"recovery": {"drill": fields}}


def check(**fields: Any) -> Manifest:
    return {"recovery": {"checks": [{"name": "rows", "sql": "select 1", "atLeast": 1, **fields}]}}


# Every leaf of the contract's table. A leaf without an entry fails.
CHANGES: dict[str, dict[str, Change]] = {
    "database": {
        "version": Change({"version": "16"}, {"version": "17"}),
        "size": Change({"size": "Medium"}, {"size": "Large"}),
        "resources.cpu": Change(
            {"resources": {"cpu": "1", "memory": "2Gi"}}, {"resources": {"cpu": "8", "memory": "2Gi"}}
        ),
        "resources.memory": Change(
            {"resources": {"cpu": "1", "memory": "2Gi"}}, {"resources": {"cpu": "1", "memory": "64Gi"}}
        ),
        "storage.size": Change({"storage": {"size": "64Gi"}}, {"storage": {"size": "65Gi"}}),
        "database.name": Change({"database": {"name": "app"}}, {"database": {"name": "shop"}}),
        "database.extensions[].name": Change({"database": {}}, {"database": EXTENSION}),
        "parameters{}": Change({"parameters": {"work_mem": "8MB"}}, {"parameters": {"work_mem": "16MB"}}),
        "tier": Change({"tier": "Standard"}, {"tier": "Critical"}),
        "deletionPolicy": Change({"deletionPolicy": "Protect"}, {"deletionPolicy": "Delete"}),
        "objectives.failureTolerance": Change(
            {"objectives": {"failureTolerance": "None"}}, {"objectives": {"failureTolerance": "Zone"}}
        ),
        "objectives.rpoSeconds": Change({"objectives": {"rpoSeconds": 1200}}, {"objectives": {"rpoSeconds": 599}}),
        "objectives.rtoSeconds": Change({"objectives": {"rtoSeconds": 60}}, {"objectives": {"rtoSeconds": 604800}}),
        "backup.retentionDays": Change({"backup": {"retentionDays": 8}}, {"backup": {"retentionDays": 9}}),
        "recovery.drill.policy": Change({}, drill(policy="Never")),
        "recovery.drill.intervalDays": Change({}, drill(intervalDays=3)),
        "recovery.checks[].name": Change({}, check(name="other")),
        "recovery.checks[].sql": Change({}, check(sql="select 2")),
        "recovery.checks[].equals": Change({}, check(atLeast=None, equals="1")),
        "recovery.checks[].atLeast": Change({}, check(atLeast=2)),
        "restore.from": Change(restore(), {"restore": {"from": "Retained"}}),
        "restore.claimRef.name": Change(restore(), restore(claimRef={"name": "second"})),
        "restore.backupID": Change(
            {"restore": {"from": "Backup", "backupID": "one"}}, {"restore": {"from": "Backup", "backupID": "two"}}
        ),
        "restore.pointInTime": Change(
            restore(pointInTime="2026-11-24T08:00:00Z"), restore(pointInTime="2026-11-24T09:00:00Z")
        ),
        "credentials.rotationDays": Change({}, {"credentials": {"rotationDays": 30}}),
        "consumers[].namespace": Change(
            {"consumers": [{"namespace": "team-x"}]}, {"consumers": [{"namespace": "team-y"}]}
        ),
        "maintenanceWindow.day": Change(
            {"maintenanceWindow": {"day": "Sunday", "startHour": 3}},
            {"maintenanceWindow": {"day": "Monday", "startHour": 3}},
        ),
        "maintenanceWindow.startHour": Change(
            {"maintenanceWindow": {"day": "Sunday", "startHour": 3}},
            {"maintenanceWindow": {"day": "Sunday", "startHour": 4}},
        ),
        "migration.approvedSlot": Change({}, {"migration": {"approvedSlot": "other-2"}}),
        "migration.retiredSlots[]": Change({}, {"migration": {"retiredSlots": ["other-1"]}}),
        "migration.retiredEntries[]": Change(
            {}, {"migration": {"retiredEntries": ["extensions/pgcrypto"]}}, already={"database": EXTENSION}
        ),
        "migration.keepSourceDays": Change({}, {"migration": {"keepSourceDays": 3}}),
        "migration.maxWritePauseSeconds": Change({}, {"migration": {"maxWritePauseSeconds": 3}}),
    }
}

# Fields that have one value only.
CONSTANT = {"database": {"protocol"}}


@dataclass(frozen=True)
class Excuse:
    """A field that nothing follows from, and why that is right."""

    path: str
    reason: str
    engines: frozenset[str] = field(default_factory=frozenset)  # none: every engine


EXCUSES = (
    Excuse("objectives.rtoSeconds", "measured by recovery drills, which are not carried out yet"),
    Excuse(
        "consumers[].namespace",
        "the boundary of a service in a cloud account is its network, which does not know namespaces",
        frozenset({"rds"}),
    ),
    Excuse(
        "consumers[].namespace",
        "on one machine all namespaces share loopback, and nothing stands between them",
        frozenset({"local"}),
    ),
)


def excused(engine: catalogue.Engine, path: str) -> bool:
    return any(one.path == path and engine.name in (one.engines or {engine.name}) for one in EXCUSES)


def heard_of(engine: catalogue.Engine, path: str, change: Change) -> bool:
    """Whether the two specs of *change* get different answers, or the field is refused."""
    claim = claim_of(engine)
    base = {key: value for key, value in claim["spec"].items() if key != "restore"}
    metadata = {"namespace": claim["metadata"]["namespace"], "labels": claim["metadata"]["labels"]}
    sources = [
        {
            **SOURCE,
            "metadata": {**metadata, "name": name, "uid": name},
            "status": {"slot": f"{engine.name}-1"},
        }
        for name in ("first", "second")
    ]
    there = None
    if change.already is not None:
        there = observed(answer(engine, claim_of(engine, merged(base, change.already))))
    one, other = (
        answer(engine, claim_of(engine, merged(base, patch)), there, sources) for patch in (change.one, change.other)
    )
    refused = other.refusal is not None and path.partition(".")[0] in other.refusal[1]
    return refused or signature(one) != signature(other)


def leaves(contract: str) -> set[str]:
    assert contract == "database", "the contract's table is typed in contract_table"
    paths = [path for path in contract_table.SPEC if path]
    return {path for path in paths if not any(_inside(other, path) for other in paths)}


def _inside(path: str, parent: str) -> bool:
    return path.startswith((f"{parent}.", f"{parent}[", f"{parent}{{"))


@pytest.mark.parametrize("contract", catalogue.contracts())
def test_every_leaf_of_the_contract_is_tried(contract: str) -> None:
    assert CHANGES[contract].keys() | CONSTANT[contract] == leaves(contract)


@pytest.mark.parametrize(
    ("engine", "path"),
    [(engine, path) for engine in catalogue.engines() for path in CHANGES[engine.contract]],
    ids=str,
)
def test_no_leaf_of_the_spec_is_ignored(engine: catalogue.Engine, path: str) -> None:
    heard = heard_of(engine, path, CHANGES[engine.contract][path])
    assert heard != excused(engine, path), "an excuse nobody needs any more" if heard else "nothing follows from it"


def test_an_excuse_is_for_an_engine_and_a_field_there_are() -> None:
    for one in EXCUSES:
        assert one.reason
        assert one.engines <= {engine.name for engine in catalogue.engines()}
        assert any(one.path in changes for changes in CHANGES.values())
