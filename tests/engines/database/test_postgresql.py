"""What is the same for every engine that runs PostgreSQL: the password, the binding, extensions, parameters."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from made_up import CA, Manifest, decoded, encoded
from worlds import World, fresh, half_ready, ready

KEYS = {
    *("type", "provider", "host", "port", "database", "username", "password", "uri"),
    *("sslmode", "sslrootcert", "certificates", "root.crt"),
}
HARD = "p@ss:w/o?r#d%41&x=y+z 'ü\"\\"


def login(world: World) -> dict[str, str]:
    return decoded(world.ask().resources["cnpg-1-secret-a"])


def binding(world: World) -> dict[str, str]:
    return decoded(world.ask().resources["binding"])


def test_a_password_is_made_once_and_read_back_ever_after() -> None:
    world = ready()
    password = login(world)["password"]
    assert password in world.made
    for _ in range(3):
        assert decoded(world.reconcile().resources["cnpg-1-secret-a"])["password"] == password


def test_a_password_changed_by_hand_is_kept_and_the_binding_follows() -> None:
    world = ready()
    world.of("cnpg-1-secret-a")["data"] = encoded(username="app_login_a", password="changed-by-hand")
    assert login(world)["password"] == "changed-by-hand"
    assert binding(world)["password"] == "changed-by-hand"


def test_while_a_cluster_is_being_made_its_password_stays_too() -> None:
    world = half_ready()
    password = login(world)["password"]
    assert login(world)["password"] == password


def test_a_lost_login_secret_is_made_again_from_the_binding() -> None:
    world = ready()
    password = login(world)["password"]
    world.objects.pop(world.composed.pop("cnpg-1-secret-a"))
    assert login(world)["password"] == password
    assert not world.ask().fatal


def test_a_binding_of_an_earlier_life_is_no_source_of_a_password() -> None:
    world = ready()
    password = login(world)["password"]
    world.of("binding")["metadata"]["annotations"]["groundplane.dev/claim-uid"] = "earlier"
    world.objects.pop(world.composed.pop("cnpg-1-secret-a"))
    outcome = world.ask()
    assert outcome.reason == "WouldLoseData"
    assert password not in outcome.message


def test_a_password_that_is_nowhere_is_never_made_anew_for_a_living_database() -> None:
    world = ready()
    world.objects.pop(world.composed.pop("cnpg-1-secret-a"))
    world.objects.pop(world.composed.pop("binding"))
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "WouldLoseData"
    assert "Secret orders-db-1-login-a" in outcome.message


@pytest.mark.parametrize(
    "data", [None, {}, {"password": ""}, {"password": "%%%"}, {"password": "ü"}, {"password": 5}, "x"]
)
def test_a_login_secret_without_a_readable_password_is_refused_not_filled(data: Any) -> None:
    world = ready()
    world.of("cnpg-1-secret-a")["data"] = data
    outcome = world.ask()
    assert outcome.fatal
    assert outcome.reason == "WouldLoseData"


def test_the_binding_has_exactly_the_contracts_keys_and_the_published_type() -> None:
    resource = ready().ask().resources["binding"]
    assert set(resource["data"]) == KEYS
    assert resource["type"] == "servicebinding.io/postgresql"
    assert resource["metadata"]["name"] == "orders-db-binding"
    assert "stringData" not in resource


def test_the_binding_connects_to_the_primary_with_tls_that_is_verified() -> None:
    world = ready(database={"name": "shop"})
    entries = binding(world)
    assert entries["host"] == "orders-db-1-rw.team-a.svc"
    assert entries["port"] == "5432"
    assert entries["database"] == "shop"
    assert entries["username"] == "app_login_a"
    assert entries["sslmode"] == "verify-full"
    assert entries["certificates"] == CA
    assert entries["root.crt"] == CA
    assert entries["sslrootcert"] == "certificates"
    assert entries["type"] == "postgresql"
    assert entries["provider"] == "cloudnative-pg"


@pytest.mark.parametrize("password", ["plain", HARD])
def test_the_uri_says_the_same_as_the_entries_whatever_the_password(password: str) -> None:
    world = ready()
    world.of("cnpg-1-secret-a")["data"] = encoded(username="app_login_a", password=password)
    entries = binding(world)
    assert entries["password"] == password
    found = urlsplit(entries["uri"])
    assert (unquote(found.username or ""), unquote(found.password or "")) == ("app_login_a", password)
    assert (found.hostname, found.port, found.path) == (entries["host"], 5432, "/app")
    assert parse_qs(found.query) == {"sslmode": ["verify-full"]}


def test_there_is_no_binding_until_the_login_is_in_the_server() -> None:
    for role in ("database", "owner", "login-a"):
        world = half_ready()
        complete(world)
        world.of(f"cnpg-1-{role}")["status"] = {"applied": False}
        outcome = world.ask()
        assert "binding" not in outcome.resources
        assert "binding" not in outcome.status
        assert outcome.says("Serving") == "False/AwaitingCredentials"


def test_there_is_no_binding_until_the_certificates_are_known() -> None:
    world = half_ready()
    complete(world)
    world.objects.pop(("Secret.", "orders-db-1-ca"))
    outcome = world.ask()
    assert "binding" not in outcome.resources
    assert outcome.says("Serving") == "False/AwaitingCredentials"
    assert not outcome.ready


def complete(world: World) -> None:
    done = ready()
    for name in world.composed:
        if "status" in done.of(name):
            world.of(name)["status"] = done.of(name)["status"]
    world.put(done.objects["Secret.", "orders-db-1-ca"])


def test_a_binding_is_kept_while_the_certificates_cannot_be_read() -> None:
    world = ready()
    before = binding(world)
    authority = world.objects.pop(("Secret.", "orders-db-1-ca"))
    assert binding(world) == before
    world.put({**authority, "data": {"ca.crt": "%%%"}})
    assert binding(world) == before


def test_a_binding_is_kept_while_the_server_is_away() -> None:
    world = ready()
    before = binding(world)
    world.of("cnpg-1-cluster")["status"] = {"phase": "Failing over"}
    outcome = world.ask()
    assert decoded(outcome.resources["binding"]) == before
    assert not outcome.ready


def test_new_certificates_reach_the_binding() -> None:
    world = ready()
    world.objects["Secret.", "orders-db-1-ca"]["data"]["ca.crt"] = encoded(x="renewed")["x"]
    assert binding(world)["certificates"] == "renewed"


def test_a_binding_changed_by_hand_is_put_right() -> None:
    world = ready()
    before = binding(world)
    world.of("binding")["data"] = encoded(host="elsewhere", password="stolen")
    assert binding(world) == before


EXTENSIONS = {"name": "app", "extensions": [{"name": "pgcrypto"}, {"name": "vector"}]}


def with_extensions(*names: str, migration: Manifest | None = None) -> World:
    world = ready(database=EXTENSIONS)
    world.claim["spec"]["database"] = {"name": "app", "extensions": [{"name": name} for name in names]}
    if migration:
        world.claim["spec"]["migration"] = migration
    return world


def test_an_extension_forgotten_is_refused_with_the_consent_and_the_sql() -> None:
    outcome = with_extensions("pgcrypto").ask()
    assert outcome.fatal
    assert outcome.reason == "UnsafeChange"
    for part in ("vector", "extensions/vector", "spec.migration.retiredEntries", 'DROP EXTENSION "vector";'):
        assert part in outcome.message


@pytest.mark.parametrize("entry", ["extensions/pgcrypto", "topics/vector", "extensions/vectors"])
def test_consent_for_another_entry_is_no_consent(entry: str) -> None:
    assert with_extensions("pgcrypto", migration={"retiredEntries": [entry]}).ask().reason == "UnsafeChange"


def test_an_extension_given_up_by_name_is_no_longer_managed_and_never_dropped() -> None:
    outcome = with_extensions("pgcrypto", migration={"retiredEntries": ["extensions/vector"]}).ask()
    assert not outcome.fatal
    listed = outcome.resources["cnpg-1-database"]["spec"]["extensions"]
    assert listed == [{"name": "pgcrypto"}]
    assert "absent" not in str(outcome.resources["cnpg-1-database"])


def test_an_extension_added_or_moved_in_the_list_is_no_removal() -> None:
    outcome = with_extensions("vector", "hstore", "pgcrypto").ask()
    assert outcome.reason == ""
    listed = outcome.resources["cnpg-1-database"]["spec"]["extensions"]
    assert [entry["name"] for entry in listed] == ["vector", "hstore", "pgcrypto"]


def test_parameters_are_passed_on_and_those_the_engine_manages_are_refused_by_name() -> None:
    parameters = fresh(parameters={"work_mem": "8MB"}).ask().resources["cnpg-1-cluster"]["spec"]["postgresql"]
    assert parameters["parameters"]["work_mem"] == "8MB"
    outcome = fresh(parameters={"work_mem": "8MB", "ssl": "off", "archive_mode": "off", "hba_file": "/x"}).ask()
    assert outcome.reason == "NotOffered"
    assert outcome.message.startswith("parameters: archive_mode, hba_file, ssl cannot be set on CloudNativePG")


def test_compute_is_the_size_asked_or_exactly_what_is_written() -> None:
    floors = {
        "XSmall": ("500m", "1Gi"),
        "Small": ("1", "2Gi"),
        "Medium": ("2", "8Gi"),
        "Large": ("4", "16Gi"),
        "XLarge": ("8", "32Gi"),
    }
    for size, (cpu, memory) in floors.items():
        outcome = fresh(size=size).ask()
        compute = outcome.resources["cnpg-1-cluster"]["spec"]["resources"]
        assert compute["requests"] == compute["limits"] == {"cpu": cpu, "memory": memory}
        assert outcome.status["effective"]["size"] == size
    outcome = fresh(resources={"cpu": "3", "memory": "7Gi"}).ask()
    assert outcome.resources["cnpg-1-cluster"]["spec"]["resources"]["requests"] == {"cpu": "3", "memory": "7Gi"}
    assert "size" not in outcome.status["effective"]
