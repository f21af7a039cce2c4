"""Engine rds: a parameter as RDS takes it and tells it back, and which of them wait for a start of the server."""

import pytest

from groundplane.core.manifest import Manifest
from rds_claims import Case


def parameters(manifest: Manifest) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in manifest["spec"]["forProvider"]["parameter"]}


def methods(version: str, **values: str) -> dict[str, str]:
    case = Case({"version": version, "parameters": values})
    entries = case.manifest(f"parameters-{version}")["spec"]["forProvider"]["parameter"]
    return {entry["name"]: entry["applyMethod"] for entry in entries}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("work_mem", "64MB", "65536"),
        ("work_mem", "64 MB", "65536"),
        ("work_mem", "16384", "16384"),
        ("shared_buffers", "1GB", "131072"),
        ("max_wal_size", "2GB", "2048"),
        ("statement_timeout", "1min", "60000"),
        ("statement_timeout", "1500us", "2"),
        ("checkpoint_timeout", "0.25h", "900"),
        ("checkpoint_warning", "2min", "120"),
        ("log_parameter_max_length", "1kB", "1024"),
        ("autovacuum_vacuum_cost_delay", "0.5ms", "0.5"),
        ("autovacuum_vacuum_cost_delay", "500us", "0.5"),
        ("autovacuum_vacuum_cost_delay", "1.5", "1.5"),
        ("vacuum_cost_delay", "2", "2"),
        ("max_connections", " 0x64 ", "100"),
        ("log_lock_waits", "Off", "0"),
        ("jit", "yes", "1"),
        ("constraint_exclusion", "Partition", "partition"),
        ("synchronous_commit", "true", "on"),
        ("shared_buffers", "{DBInstanceClassMemory/32768}", "{DBInstanceClassMemory/32768}"),
        (
            "max_connections",
            "LEAST({DBInstanceClassMemory/9531392},5000)",
            "LEAST({DBInstanceClassMemory/9531392},5000)",
        ),
        ("log_statement", "ddl", "ddl"),
        ("log_min_duration_statement", "-1", "-1"),
    ],
)
def test_a_unit_is_told_in_numbers_which_is_all_that_rds_takes(name: str, value: str, told: str) -> None:
    assert parameters(Case({"parameters": {name: value}}).manifest("parameters-17"))[name] == told


@pytest.mark.parametrize(("name", "value"), [("some.setting", "8kB"), ("auto_explain.log_min_duration", "1.5 s")])
def test_a_unit_that_cannot_be_told_in_numbers_is_refused(name: str, value: str) -> None:
    message = Case({"parameters": {name: value}}).refused()
    assert message.startswith(f"NotOffered: parameters.{name}: rds takes a number without a unit, and {value} has one")


@pytest.mark.parametrize(
    ("version", "method"), [("15", "pending-reboot"), ("17", "pending-reboot"), ("18", "immediate")]
)
def test_what_waits_for_a_start_is_what_the_version_says(version: str, method: str) -> None:
    assert methods(version, autovacuum_max_workers="5")["autovacuum_max_workers"] == method


@pytest.mark.parametrize("name", ["Max_Connections", "wal_log_hints", "CRON.host", "rds.restrict_password_commands"])
def test_what_is_read_at_a_start_waits_for_one_in_any_case(name: str) -> None:
    assert methods("17", **{name: "1"})[name.lower()] == "pending-reboot"


def test_a_static_parameter_that_rds_never_took_is_not_taken_for_one_that_is_in_force() -> None:
    """An earlier release asked for it at once, which RDS refuses: the server runs without it."""
    case = Case({"parameters": {"autovacuum_max_workers": "5"}})
    world = case.served()
    for entry in world.object("parameters-17")["spec"]["forProvider"]["parameter"]:
        entry["applyMethod"] = "immediate"
    message = case.refused(world.seen())
    assert message.startswith("NotOffered: parameters: autovacuum_max_workers can be set on rds only when the claim is")
    assert message.endswith("Set autovacuum_max_workers to absent.")
    assert case.changed(parameters={}).refused(world.seen()) == "not refused"


def test_a_static_parameter_that_is_told_in_other_words_has_not_changed() -> None:
    """An earlier release passed names and values on as they were written."""
    case = Case({"parameters": {"Max_Connections": "0x64", "track_commit_timestamp": "ON"}})
    world = case.served()
    entries = world.object("parameters-17")["spec"]["forProvider"]["parameter"]
    written = {
        "max_connections": ("Max_Connections", "0x64"),
        "track_commit_timestamp": ("track_commit_timestamp", "ON"),
    }
    for entry in entries:
        entry["name"], entry["value"] = written.get(entry["name"], (entry["name"], entry["value"]))
    assert case.refused(world.seen()) == "not refused"
    assert case.changed(parameters={"max_connections": "100", "track_commit_timestamp": "1"}).refused(world.seen()) == (
        "not refused"
    )
    assert "max_connections" in case.changed(parameters={"track_commit_timestamp": "1"}).refused(world.seen())


def test_raising_the_version_makes_a_group_in_which_each_method_is_the_new_version_s() -> None:
    old = Case({"version": "17", "parameters": {"autovacuum_max_workers": "5"}})
    new = old.changed(version="18")
    rendered = new.render(old.served().seen()).resources
    kept, made = (rendered[f"rds-1-parameters-{version}"].manifest for version in ("17", "18"))
    assert kept["spec"]["forProvider"]["parameter"] == old.manifest("parameters-17")["spec"]["forProvider"]["parameter"]
    assert "immediate" in {entry["applyMethod"] for entry in made["spec"]["forProvider"]["parameter"]}
