"""Engine rds and extensions: the libraries that they need are loaded at birth, and what RDS has not is refused."""

import pytest

from groundplane.core.observation import Observation
from rds_claims import Case


def asking(*names: str, **spec: object) -> Case:
    return Case({"database": {"extensions": [{"name": name} for name in names]}, **spec})


def parameters(case: Case, seen: Observation | None = None) -> dict[str, str]:
    entries = case.manifest(f"parameters-{case.ask().spec.version}", seen)["spec"]["forProvider"]["parameter"]
    return {entry["name"]: entry["value"] for entry in entries}


@pytest.mark.parametrize(
    ("names", "loaded"),
    [
        ((), None),
        (("vector", "pg_trgm"), None),
        (("pg_stat_statements",), None),
        (("pg_partman",), None),
        (("pg_cron",), "pg_stat_statements,pg_cron"),
        (("pgaudit", "pg_cron"), "pg_stat_statements,pg_cron,pgaudit"),
    ],
)
def test_a_library_that_an_extension_needs_is_loaded_beside_what_rds_loads_anyway(
    names: tuple[str, ...], loaded: str | None
) -> None:
    assert parameters(asking(*names)).get("shared_preload_libraries") == loaded


def test_what_is_loaded_at_a_start_waits_for_one() -> None:
    entries = asking("pgaudit").manifest("parameters-17")["spec"]["forProvider"]["parameter"]
    methods = {entry["name"]: entry["applyMethod"] for entry in entries}
    assert methods["shared_preload_libraries"] == "pending-reboot"


def test_cron_runs_in_the_claims_own_database_unless_the_claim_says_where() -> None:
    assert parameters(asking("pg_cron"))["cron.database_name"] == "app"
    chosen = asking("pg_cron", parameters={"cron.database_name": "postgres"})
    assert parameters(chosen)["cron.database_name"] == "postgres"
    assert "cron.database_name" not in parameters(asking("pgaudit"))


def test_libraries_that_the_claim_writes_keep_their_order_and_get_what_is_missing() -> None:
    written = asking("pgaudit", parameters={"shared_preload_libraries": "pg_hint_plan, pg_stat_statements"})
    assert parameters(written)["shared_preload_libraries"] == "pg_hint_plan,pg_stat_statements,pgaudit"


@pytest.mark.parametrize(
    "name", ["timescaledb", "citus", "set_user", "pg_stat_kcache", "plpython3u", "plperlu", "file_fdw", "adminpack"]
)
def test_an_extension_that_rds_has_not_is_refused_before_anything_is_made(name: str) -> None:
    message = asking("vector", name).refused()
    assert message.startswith(f"NotOffered: database.extensions: {name} cannot be had on Amazon RDS")
    assert message.endswith("Remove it, or use an engine that has it.")


def test_a_running_server_is_not_asked_to_load_what_it_did_not_load_at_its_start() -> None:
    seen = asking("vector").served().seen()
    message = asking("vector", "pg_cron").refused(seen)
    assert message.startswith("NotOffered: database.extensions: the server loads pg_cron only when it starts")
    assert asking("vector", "pg_stat_statements").refused(seen) == "not refused"


def test_it_may_come_with_a_higher_version_whose_server_is_yet_to_start() -> None:
    seen = asking("vector", version="16").served().seen()
    case = asking("vector", "pg_cron", version="17")
    assert case.refused(seen) == "not refused"
    assert parameters(case, seen)["shared_preload_libraries"] == "pg_stat_statements,pg_cron"


def test_what_a_running_server_loads_stays_when_its_extension_is_given_up() -> None:
    seen = asking("vector", "pgaudit").served().seen()
    case = asking("vector", migration={"retiredEntries": ["extensions/pgaudit"]})
    assert case.refused(seen) == "not refused"
    assert parameters(case, seen)["shared_preload_libraries"] == "pg_stat_statements,pgaudit"
