"""CloudNativePG: an extension is in the images and loaded, or refused by name, or its absence is said."""

from typing import Any

import pytest

from groundplane.engines.database._extensions import LIBRARIES
from made_up import Manifest
from outcomes import Outcome
from worlds import World, fresh, operate, ready

CATALOG = {"imageCatalog": "blessed"}


def asked(*names: str, version: str = "17", cnpg: Manifest | None = None, **spec: Any) -> World:
    database = {"name": "app", "extensions": [{"name": name} for name in names]}
    return fresh(version=version, database=database, **spec).environment(cnpg=cnpg)


def settings(outcome: Outcome) -> Manifest:
    found: Manifest = outcome.resources["cnpg-1-cluster"]["spec"]["postgresql"]
    return found


def living(*names: str, cnpg: Manifest | None = None, told: list[Manifest] | None = None) -> World:
    """Return a claim with these extensions in its database; the operator says *told* of them."""
    world = asked(*names, cnpg=cnpg)
    world.reconcile()
    operate(world)
    world.reconcile(times=2)
    if told is not None:
        world.of("cnpg-1-database")["status"] |= {"applied": False, "extensions": told}
    return world


@pytest.mark.parametrize("version", ["15", "16", "17", "18"])
def test_what_postgresql_and_the_standard_images_bring_is_honoured(version: str) -> None:
    names = [
        "vector",
        "pgaudit",
        "pg_stat_statements",
        "uuid-ossp",
        "hstore",
        "pg_trgm",
        "postgres_fdw",
        "pg_walinspect",
    ]
    assert asked(*names, version=version).ask().reason == ""


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("postgis", []),
        ("timescaledb", []),
        ("pg_cron", []),
        ("plpython3u", []),
        ("hstore_plperl", []),
        ("auto_explain", []),
        ("Vector", []),
        ("adminpack", ["15", "16"]),
        ("old_snapshot", ["15", "16"]),
        ("pg_logicalinspect", ["18"]),
    ],
)
def test_what_the_images_of_a_version_lack_is_refused_before_anything_is_made(name: str, versions: list[str]) -> None:
    for version in ("15", "16", "17", "18"):
        outcome = asked("hstore", name, version=version).ask()
        assert outcome.reason == ("" if version in versions else "NotOffered")
        if version not in versions:
            words = f"database.extensions: {name} cannot be had on CloudNativePG with PostgreSQL {version}"
            assert outcome.message.startswith(words)
            assert not outcome.resources


def test_a_version_whose_images_lack_an_extension_is_not_raised_to() -> None:
    world = asked("adminpack", version="16")
    world.reconcile()
    world.claim["spec"]["version"] = "17"
    outcome = world.ask()
    assert (outcome.fatal, outcome.reason) == (True, "NotOffered")


def test_every_extension_that_needs_a_library_has_it_loaded_or_is_refused() -> None:
    for name in LIBRARIES:
        outcome = asked(name).ask()
        if outcome.reason:
            assert outcome.reason == "NotOffered"
        else:
            marks = [key for key in settings(outcome)["parameters"] if key.startswith(f"{name}.")]
            assert marks, "the operator would drop it at its next start"


def test_the_operator_knows_by_a_parameter_that_its_own_extensions_are_wanted() -> None:
    parameters = settings(asked("pg_stat_statements", "pgaudit").ask())["parameters"]
    assert parameters["pg_stat_statements.track"] == "top"
    assert parameters["pgaudit.log"] == "none"
    assert "shared_preload_libraries" not in settings(asked("pg_stat_statements", "pgaudit").ask())
    assert not any("." in name for name in settings(asked("vector").ask())["parameters"])


def test_the_claims_own_parameters_of_an_extension_come_first() -> None:
    written = {"pgaudit.log": "ddl", "pg_stat_statements.max": "1000"}
    parameters = settings(asked("pg_stat_statements", "pgaudit", parameters=written).ask())["parameters"]
    assert {key: value for key, value in parameters.items() if "." in key} == {
        "pgaudit.log": "ddl",
        "pg_stat_statements.max": "1000",
        "pg_stat_statements.track": "top",
    }


def test_an_extension_given_up_by_name_stays_loaded_so_that_nobody_drops_it() -> None:
    world = living("pg_stat_statements", "hstore")
    world.claim["spec"]["database"]["extensions"] = [{"name": "hstore"}]
    world.claim["spec"]["migration"] = {"retiredEntries": ["extensions/pg_stat_statements", "extensions/postgis"]}
    outcome = world.ask()
    assert outcome.reason == ""
    assert settings(outcome)["parameters"]["pg_stat_statements.track"] == "top"


def test_images_of_a_catalog_that_the_environment_describes_are_known() -> None:
    told = {**CATALOG, "imageExtensions": ["timescaledb", "postgis", "pgaudit"]}
    outcome = asked("timescaledb", "postgis", "hstore", "pgaudit", cnpg=told).ask()
    assert outcome.reason == ""
    assert settings(outcome)["shared_preload_libraries"] == ["timescaledb"]
    assert settings(outcome)["parameters"]["pgaudit.log"] == "none"
    assert asked("vector", cnpg=told).ask().reason == "NotOffered"
    assert asked("pg_cron", cnpg={**CATALOG, "imageExtensions": []}).ask().reason == "NotOffered"


def test_images_of_a_catalog_that_nobody_describes_may_have_anything_but_a_library_is_not_risked() -> None:
    assert asked("postgis", "vector", cnpg=CATALOG).ask().reason == ""
    assert settings(asked("pg_stat_statements", cnpg=CATALOG).ask())["parameters"]["pg_stat_statements.track"] == "top"
    outcome = asked("timescaledb", "pgaudit", cnpg=CATALOG).ask()
    assert outcome.reason == "EnvironmentIncomplete"
    assert outcome.message.startswith("database.extensions: pgaudit, timescaledb needs a library")
    assert "cnpg.imageExtensions of EnvironmentConfig kubernetes" in outcome.message


def test_what_is_in_a_living_database_is_in_its_images() -> None:
    world = living("hstore", cnpg=CATALOG)
    world.claim["spec"]["database"]["extensions"].append({"name": "pgaudit"})
    assert world.ask().reason == "EnvironmentIncomplete"
    world.of("cnpg-1-database")["status"]["extensions"].append({"name": "pgaudit", "applied": True})
    outcome = world.ask()
    assert outcome.reason == ""
    assert settings(outcome)["parameters"]["pgaudit.log"] == "none"


def test_an_environment_that_describes_images_without_a_catalog_is_refused() -> None:
    outcome = asked(cnpg={"imageExtensions": ["postgis"]}).ask()
    assert outcome.reason == "EnvironmentIncomplete"
    assert "cnpg: " in outcome.message
    assert "imageExtensions tells of the images of imageCatalog, which is not set" in outcome.message


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            'ERROR: extension "postgis" is not available (SQLSTATE 0A000)',
            "the server's build does not have it. Ask the platform team for an image that does",
        ),
        (
            'ERROR: could not open extension control file "/usr/share/postgresql/17/extension/postgis.control"',
            "the server's build does not have it. Ask the platform team for an image that does",
        ),
        (
            'ERROR: could not access file "$libdir/postgis-3": No such file or directory (SQLSTATE 58P01)',
            "the server's build does not have it. Ask the platform team for an image that does",
        ),
        (
            'ERROR: required extension "cube" is not installed (SQLSTATE 42704)',
            'required extension "cube" is not installed',
        ),
        (
            'ERROR: could not load "/usr/lib/postgresql/17/lib/postgis.so" (SQLSTATE XX000)',
            "the Database object has the operator's words",
        ),
        ("while reading the object v1.ExtensionSpec{}: x", "the Database object has the operator's words"),
        ("", "the Database object has the operator's words"),
        (None, "the Database object has the operator's words"),
    ],
)
def test_an_extension_that_was_not_created_is_said_without_places_inside_the_server(message: Any, words: str) -> None:
    told = [{"name": "hstore", "applied": True}, {"name": "postgis", "applied": False, "message": message}]
    outcome = living("hstore", "postgis", cnpg=CATALOG, told=told).ask()
    assert outcome.says("Settled") == "False/Provisioning"
    assert outcome.conditions["Settled"][2] == f"database.extensions: postgis could not be created: {words}"
    assert "/usr" not in str(outcome.conditions)


def test_a_missing_extension_keeps_nobody_out_of_a_living_or_a_new_database() -> None:
    failed = [{"name": "postgis", "applied": False, "message": "no"}]
    outcome = living("postgis", cnpg=CATALOG, told=failed).ask()
    assert (outcome.says("Serving"), outcome.ready) == ("True/Serving", True)
    assert not outcome.resources_ready["cnpg-1-database"]
    world = asked("postgis", cnpg=CATALOG)
    world.reconcile()
    operate(world)
    world.of("cnpg-1-database")["status"] = {"applied": False, "extensions": failed}
    assert "binding" in world.ask().resources


def test_an_extension_that_the_operator_has_not_come_to_yet_is_said() -> None:
    world = living("hstore")
    world.claim["spec"]["database"]["extensions"].append({"name": "vector"})
    outcome = world.ask()
    assert outcome.says("Settled") == "False/Provisioning"
    assert outcome.conditions["Settled"][2] == "database.extensions: vector is being created"


def test_a_database_that_could_not_be_made_is_no_missing_extension() -> None:
    world = ready()
    world.of("cnpg-1-database")["status"] = {"applied": False, "message": "while creating the database"}
    assert world.ask().says("Serving") == "False/AwaitingCredentials"
