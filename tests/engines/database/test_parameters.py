"""Parameters on every engine: names in any case, values that PostgreSQL takes, and what no engine lets be changed."""

import pytest

from database_parameters import passed_on, refused
from groundplane.engines.database import _pg_settings
from groundplane.engines.database.cnpg._cluster import MANAGED_PARAMETERS as OF_CNPG
from groundplane.engines.database.local._server import MANAGED_PARAMETERS as OF_LOCAL
from groundplane.engines.database.rds._parameters import MANAGED as OF_RDS

ENGINES = {"cnpg": "CloudNativePG", "rds": "Amazon RDS", "local": "PostgreSQL on this machine"}
MANAGED = {"cnpg": OF_CNPG, "rds": OF_RDS, "local": OF_LOCAL}
every_engine = pytest.mark.parametrize("engine", ENGINES)


@every_engine
def test_a_name_is_understood_in_any_case_and_passed_on_in_small_letters(engine: str) -> None:
    told = passed_on(engine, {"Work_Mem": "8MB", "INTERVALSTYLE": "iso_8601", "PgAudit.Log": "ddl"})
    assert {"work_mem", "intervalstyle", "pgaudit.log"} <= told.keys()
    assert {"Work_Mem", "INTERVALSTYLE", "IntervalStyle", "PgAudit.Log"}.isdisjoint(told)


@every_engine
def test_what_an_engine_manages_it_manages_in_any_case(engine: str) -> None:
    for name in (*MANAGED[engine], *_pg_settings.UNSAFE):
        spelling = name.title()
        message = refused(engine, {spelling: "on"})
        product = ENGINES[engine]
        assert message == (
            f"NotOffered: parameters: {spelling} cannot be set on {product}, which manages it itself. Remove it."
        )


@every_engine
def test_one_setting_written_twice_is_refused_with_both_spellings(engine: str) -> None:
    message = refused(engine, {"work_mem": "8MB", "WORK_MEM": "64MB"})
    assert message.startswith("NotOffered: parameters: WORK_MEM and work_mem are one setting, work_mem: ")
    assert refused(engine, {"sort_mem": "8MB", "work_mem": "8MB"}).startswith(
        "NotOffered: parameters: sort_mem and work_mem are one setting, work_mem: "
    )
    assert refused(engine, {"rds.X": "1", "RDS.x": "1"}).startswith("NotOffered: parameters: RDS.x and rds.X are one")


@every_engine
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "wrok_mem",
            "8MB",
            "PostgreSQL 17 has no such setting; did you mean work_mem? Correct the name, or remove it.",
        ),
        ("nothing_like_it_at_all", "1", "PostgreSQL 17 has no such setting. Correct the name, or remove it."),
        ("old_snapshot_threshold", "1h", "PostgreSQL 17 has no such setting"),
        ("role", "app_owner", "PostgreSQL 17 has no such setting"),
        ("log_lock_waits", "sometimes", "sometimes is neither on nor off. Correct it."),
        ("bytea_output", "Octal", "Octal is none of its values: escape, hex. Correct it."),
        ("max_connections", "9999999", "9999999 is outside its range, a whole number from 1 to 262143. Correct it."),
        ("random_page_cost", "-0.1", "-0.1 is outside its range, a number from 0 to 1.79769e+308. Correct it."),
        (
            "work_mem",
            "8mb",
            "8mb is no value of it, which is a whole number from 64 to 2147483647 with one of the units B,",
        ),
        (
            "statement_timeout",
            "1MB",
            "1MB is no value of it, which is a whole number from 0 to 2147483647 with one of the units us",
        ),
        ("max_connections", "many", "many is no value of it"),
        ("max_connections", "", '"" is no value of it'),
        ("block_size", "8192", "nobody can set it: the server tells it. Remove it."),
        ("transaction_read_only", "on", "nobody can set it"),
    ],
)
def test_what_postgresql_would_not_take_is_refused_before_anything_is_made(
    engine: str, name: str, value: str, words: str
) -> None:
    assert refused(engine, {name: value}).startswith(f"NotOffered: parameters.{name}: {words}")


@every_engine
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("work mem", "work mem"),
        ("wor\u212a_mem", "wor\u212a_mem"),  # Python folds this letter to k, PostgreSQL does not
        ("work_mem\nfsync", '"work_mem\\nfsync"'),
        ("", '""'),
        ("x" * 99 + "-", "x" * 64 + "..."),
    ],
)
def test_what_is_no_name_of_a_setting_is_refused_on_one_line(engine: str, name: str, shown: str) -> None:
    assert refused(engine, {name: "1"}) == (
        f"NotOffered: parameters: {shown} is not the name of a setting of PostgreSQL. Correct it, or remove it."
    )


@every_engine
def test_every_parameter_that_is_wrong_is_named_at_once(engine: str) -> None:
    message = refused(engine, {"wrok_mem": "1", "work_mem": "1x", "random_page_cost": "2"})
    assert "parameters.work_mem: " in message
    assert "parameters.wrok_mem: " in message
    assert "random_page_cost" not in message


@every_engine
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_lock_waits", "YES"),
        ("jit", "f"),
        ("synchronous_commit", "remote_write"),
        ("constraint_exclusion", "1"),
        ("client_min_messages", "DEBUG"),
        ("wal_compression", "zstd"),  # which only some builds have
        ("work_mem", " 0x40000 "),
        ("statement_timeout", "1.5 min"),
        ("autovacuum_vacuum_cost_delay", "500us"),
        ("temp_file_limit", "-1"),
        ("search_path", '"$user", public'),
        ("auto_explain.log_analyze", "perhaps"),  # an extension's own
    ],
)
def test_what_postgresql_takes_is_taken(engine: str, name: str, value: str) -> None:
    assert refused(engine, {name: value}) == "not refused"


def test_a_major_that_is_not_known_is_not_checked() -> None:
    assert _pg_settings.known("99") == {}


def test_what_an_engine_manages_is_a_setting_of_some_version() -> None:
    known = {name for major in _pg_settings.servers() for name in _pg_settings.known(major)}
    earlier = {"include", "include_dir", "include_if_exists", "stats_temp_directory"}  # no setting; gone since 15
    for names in (*MANAGED.values(), _pg_settings.UNSAFE):
        assert {name for name in names if "." not in name} <= known | earlier | {"ssl_tls13_ciphers"}


@pytest.mark.parametrize("word", ["off", "OFF", "false", "no", "0", "local"])
def test_servers_that_stand_in_for_each_other_confirm_every_write(word: str) -> None:
    objectives = {"failureTolerance": "Zone"}
    assert "would lose acknowledged writes" in refused("cnpg", {"Synchronous_Commit": word}, objectives=objectives)
    assert refused("cnpg", {"synchronous_commit": word}, tier="Development") == "not refused"
    if word != "local":  # RDS copies blocks: there, on the disk of one is on the disk of both
        assert "would lose acknowledged writes" in refused("rds", {"synchronous_commit": word}, objectives=objectives)


@pytest.mark.parametrize(("name", "value"), [("wal_level", "minimal"), ("wal_log_hints", "no")])
def test_the_log_of_an_operator_s_server_holds_what_backups_and_replicas_need(name: str, value: str) -> None:
    assert "leaves the log without what" in refused("cnpg", {name: value})


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("max_connections", " 0x12c ", "300"),
        ("max_worker_processes", "1e1", "10"),
        ("shared_buffers", "0x4000", "131072kB"),
        ("shared_buffers", "1 GB", "1 GB"),
        ("max_wal_size", " 2GB ", "2048MB"),
        ("hot_standby_feedback", "T", "on"),
        ("work_mem", " 0x40000 ", " 0x40000 "),
    ],
)
def test_the_operator_is_told_a_value_in_words_that_it_reads_itself(name: str, value: str, read: str) -> None:
    assert passed_on("cnpg", {name: value})[name] == read


@pytest.mark.parametrize("engine", ["cnpg", "local"])
def test_reserved_connections_leave_some_for_the_application(engine: str) -> None:
    assert refused(engine, {"max_connections": "3"}) == (
        "NotOffered: parameters.max_connections: 3 is too few: 3 are reserved, so none would be left for the"
        " application. Set at least 4."
    )
    assert refused(engine, {"Max_Connections": "0x4"}) == "not refused"
    assert "Set at least 26." in refused(engine, {"max_connections": "10", "reserved_connections": "22"})


def test_servers_that_follow_each_other_and_backups_have_the_senders_that_they_need() -> None:
    zone = {"failureTolerance": "Zone"}
    assert "max_wal_senders: 3 is too few" in refused("cnpg", {"max_wal_senders": "3"}, objectives=zone)
    assert "max_replication_slots: 0 is too few" in refused("cnpg", {"max_replication_slots": "0"}, objectives=zone)
    assert refused("cnpg", {"max_wal_senders": "4", "max_replication_slots": "4"}, objectives=zone) == "not refused"
    assert "a base backup needs two. Set at least 2." in refused("local", {"max_wal_senders": "1"})
    assert refused("local", {"max_wal_senders": "2"}) == "not refused"
