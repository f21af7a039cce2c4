"""Engine cnpg: a copy recovers with enough of what its source had, and has its own settings afterwards.

The operator (1.30, pkg/management/postgres/restore.go) recovers with the greater of what pg_controldata tells of the
base backup and what the Cluster says. What the source was raised to after that backup neither of them tells, so the
Cluster says it until the first server is up. From then on the operator lowers the settings, server after server.
"""

from typing import Any

from database_parameters import render, source, told
from groundplane.core.manifest import Manifest

RESTORE = {"from": "Claim", "claimRef": {"name": "orders-old"}}
SOURCE = {"Max_Connections": " 0x12c ", "max_prepared_transactions": "20", "work_mem": "64MB", "max_wal_senders": "5"}


def copied(spec: Manifest, origin: Any, **seen: Manifest) -> dict[str, str]:
    resources = render("cnpg", {"restore": RESTORE, **spec}, origin, **seen)
    found = told("cnpg", resources)
    found.pop("archive_timeout")
    return found


def cluster(parameters: dict[str, str], **status: str) -> Manifest:
    made = render("cnpg", {"restore": RESTORE}, source())["cluster"]
    made["spec"]["postgresql"]["parameters"] = parameters
    return {**made, "status": status}


def test_a_copy_recovers_with_what_its_source_has_now() -> None:
    own = {"max_connections": "50", "max_wal_senders": "8", "log_lock_waits": "on"}
    assert copied({"parameters": own}, source(parameters=SOURCE)) == {
        "max_connections": "300",
        "max_prepared_transactions": "20",
        "max_wal_senders": "8",
        "log_lock_waits": "on",
    }


def test_while_it_recovers_nothing_is_lowered_though_its_source_is_gone() -> None:
    seen = cluster({"max_connections": "300", "max_prepared_transactions": "20", "work_mem": "1MB"})
    assert copied({"parameters": {"max_connections": "50"}}, None, cluster=seen) == {
        "max_connections": "300",
        "max_prepared_transactions": "20",
    }


def test_once_it_has_recovered_it_has_what_its_claim_says() -> None:
    seen = cluster({"max_connections": "300"}, currentPrimary="orders-db-1-1")
    assert copied({"parameters": {"max_connections": "50"}}, source(parameters=SOURCE), cluster=seen) == {
        "max_connections": "50"
    }


def test_a_database_that_is_no_copy_has_what_its_claim_says_from_the_beginning() -> None:
    resources = render("cnpg", {"parameters": {"max_connections": "50"}}, None)
    assert told("cnpg", resources)["max_connections"] == "50"


def test_what_the_operator_compares_as_a_number_is_told_in_digits() -> None:
    """It reads these five with strconv.Atoi, in the recovery and before a replica starts, and fails on the rest."""
    assert copied({"parameters": {"max_connections": " 3e2 "}}, source(parameters={})) == {"max_connections": "300"}


def test_what_no_server_takes_a_copy_does_not_take_over() -> None:
    told_so = {"max_connections": "99999999999", "max_wal_senders": "many", "max_worker_processes": "-1"}
    assert copied({"parameters": {}}, source(parameters=told_so)) == {}
