"""Engine rds: what it makes of a claim, and every default of the provider that would lose data or let strangers in."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import yaml

from groundplane.core.claim import Claim
from groundplane.core.manifest import CLAIM_LABEL, Kind, Manifest
from groundplane.core.refusal import Refusal
from groundplane.core.slot import Slot
from groundplane.engines.database.rds import ENGINE
from groundplane.engines.database.rds._instance import DAYS
from rds_claims import PASSWORD, Case, environment, identity
from upstream import builtin_registry, upstream_registry

EVERYTHING = Case(
    {
        "tier": "Critical",
        "resources": {"cpu": "3", "memory": "20Gi"},
        "database": {"name": "shop", "extensions": [{"name": "pg_stat_statements"}, {"name": "uuid-ossp"}]},
        "parameters": {"work_mem": "16384", "max_connections": "200"},
        "maintenanceWindow": {"day": "Saturday", "startHour": 23},
        "objectives": {"rpoSeconds": 1200},
    },
    data=environment(
        aws={"clientCidrs": ["10.0.0.0/16", "10.1.0.0/16"]}, rds={"instanceClasses": {"Small": "db.t4g.medium"}}
    ),
)
FROM_BACKUP = Case(
    {
        "restore": {
            "from": "Backup",
            "backupID": Case().manifest("instance")["spec"]["forProvider"]["finalSnapshotIdentifier"],
        }
    }
)


def minutes(clock: str) -> int:
    hours, minute = clock.split(":")
    return int(hours) * 60 + int(minute)


def manifests(case: Case) -> Iterator[Manifest]:
    for desired in case.render().resources.values():
        yield desired.manifest


@pytest.mark.parametrize("case", [Case(), EVERYTHING, FROM_BACKUP, Case({"tier": "Development"})])
def test_every_manifest_is_valid_for_its_crd(case: Case) -> None:
    for manifest in manifests(case):
        registry = builtin_registry() if manifest["kind"] == "Secret" else upstream_registry()
        schema = registry.find(manifest["apiVersion"], manifest["kind"])
        assert schema is not None, manifest["kind"]
        placed = {**manifest, "metadata": {**manifest["metadata"], "namespace": "team-a"}}
        assert schema.validate(schema.default(placed)) == ()


def test_every_composed_kind_is_declared_and_every_declared_kind_is_composed() -> None:
    composed = {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests(EVERYTHING)}
    assert composed == {(kind.api_version, kind.kind) for kind in ENGINE.kinds}


@pytest.mark.parametrize("kind", [kind for kind in ENGINE.kinds if not kind.builtin], ids=lambda kind: kind.crd)
def test_the_plural_of_every_kind_is_that_of_its_crd(kind: Kind) -> None:
    schema = upstream_registry().find(kind.api_version, kind.kind)
    assert schema is not None
    assert (schema.plural, schema.namespaced) == (kind.plural, True)


def test_what_the_provider_leaves_out_by_default_is_stated() -> None:
    settings = Case().instance()
    assert settings["storageEncrypted"] is True
    assert settings["backupRetentionPeriod"] == 7
    assert settings["deleteAutomatedBackups"] is False
    assert settings["copyTagsToSnapshot"] is True
    assert settings["deletionProtection"] is True
    assert settings["publiclyAccessible"] is False
    assert settings["applyImmediately"] is True
    assert settings["skipFinalSnapshot"] is False
    assert settings["identifier"]


def test_no_managed_resource_is_left_to_the_default_provider_config() -> None:
    for manifest in manifests(EVERYTHING):
        if "providerConfigRef" in manifest["spec"] if "spec" in manifest else False:
            expected = "orders-db-1-sql" if "sql.m" in manifest["apiVersion"] else "groundplane"
            assert manifest["spec"]["providerConfigRef"]["name"] == expected


def test_nothing_is_late_initialized() -> None:
    managed = [manifest for manifest in manifests(EVERYTHING) if "forProvider" in manifest.get("spec", {})]
    assert len(managed) == 14
    for manifest in managed:
        policies = manifest["spec"]["managementPolicies"]
        assert "*" not in policies
        assert "LateInitialize" not in policies


@pytest.mark.parametrize(("policy", "deleted"), [("Protect", False), ("Delete", True)])
def test_the_instance_goes_with_its_object_only_under_delete(policy: str, deleted: bool) -> None:  # noqa: FBT001  # A table.
    case = Case({"deletionPolicy": policy})
    assert ("Delete" in case.manifest("instance")["spec"]["managementPolicies"]) is deleted
    assert case.instance()["deletionProtection"] is not deleted
    assert case.instance()["skipFinalSnapshot"] is False
    assert case.instance()["deleteAutomatedBackups"] is False


@pytest.mark.parametrize("policy", ["Protect", "Delete"])
def test_no_object_of_provider_sql_may_drop_anything(policy: str) -> None:
    case = EVERYTHING.changed(deletionPolicy=policy)
    found = [
        manifest
        for manifest in manifests(case)
        if "sql.m" in manifest["apiVersion"] and "forProvider" in manifest["spec"]
    ]
    assert len(found) == 9
    for manifest in found:
        assert manifest["spec"]["managementPolicies"] == ["Observe", "Create", "Update"]


def test_what_loses_data_is_guarded() -> None:
    resources = Case().render().resources
    assert {name for name, desired in resources.items() if desired.guarded} == {"rds-1-instance", "rds-1-secret-a"}


def test_the_final_snapshot_is_of_one_life_and_of_this_namespace() -> None:
    names = {Case(claim=identity(uid=uid)).instance()["finalSnapshotIdentifier"] for uid in ("uid-1", "uid-2")}
    assert len(names) == 2
    for name in names:
        assert name.startswith(identity().cloud_prefix)
        assert len(name) <= 255
        assert "--" not in name


def test_the_longest_name_makes_an_identifier_that_rds_takes() -> None:
    settings = Case(claim=identity("a" * 40)).instance()
    assert len(settings["identifier"]) <= 63
    assert settings["identifier"][0].isalpha()
    assert "--" not in settings["identifier"]
    assert not settings["identifier"].endswith("-")


def test_two_namespaces_never_meet_in_one_account() -> None:
    def names(namespace: str) -> set[str]:
        case = Case(claim=identity(namespace=namespace))
        group, clients = case.manifest("parameters-17"), case.manifest("clients")
        return {
            case.instance()["identifier"],
            case.instance()["finalSnapshotIdentifier"],
            group["metadata"]["annotations"]["crossplane.io/external-name"],
            clients["spec"]["forProvider"]["name"],
        }

    assert names("team-a") & names("team-b") == set()


def test_only_kinds_named_by_their_annotation_have_one() -> None:
    annotated = {
        manifest["kind"]
        for manifest in manifests(EVERYTHING)
        if "crossplane.io/external-name" in manifest["metadata"].get("annotations", {})
    }
    assert annotated == {"ParameterGroup", "Role", "Database"}


def test_the_administrator_password_is_made_by_the_provider_where_it_can_be_read() -> None:
    settings = Case().instance()
    assert settings["autoGeneratePassword"] is True
    assert settings["passwordSecretRef"] == {"name": "orders-db-1-master", "key": "password"}
    assert not {"manageMasterUserPassword", "passwordWoSecretRef", "passwordWoVersion"} & settings.keys()


def test_no_password_stands_in_any_object_but_its_secret() -> None:
    case = Case()
    assert PASSWORD not in repr(case.render())
    for manifest in manifests(case):
        assert manifest["kind"] == "Secret" or PASSWORD not in yaml.safe_dump(manifest)


def test_provider_sql_takes_the_host_not_the_endpoint_with_its_port() -> None:
    spec = Case().manifest("sql")["spec"]
    assert spec["credentials"]["secretKeyMapping"] == {"endpoint": "host"}
    written = Case().manifest("instance")["spec"]["writeConnectionSecretToRef"]
    assert spec["credentials"]["connectionSecretRef"] == written
    assert spec["sslMode"] == "require"


def test_the_administrator_joins_the_owner_before_it_gives_it_a_database() -> None:
    grant = Case().manifest("member-admin")["spec"]["forProvider"]
    assert grant == {"role": Case().instance()["username"], "memberOf": "app_owner"}
    assert Case().manifest("database")["spec"]["forProvider"]["owner"] == grant["memberOf"]


def test_the_database_is_not_made_with_the_instance_because_the_administrator_would_own_it() -> None:
    assert "dbName" not in Case().instance()


@pytest.mark.parametrize(("login", "may"), [("login-a", True), ("login-b", False)])
def test_a_login_becomes_the_owner_and_only_the_active_one_may_log_in(login: str, may: bool) -> None:  # noqa: FBT001  # A table.
    settings = Case().manifest(login)["spec"]["forProvider"]
    assert settings["privileges"] == {"login": may}
    assert settings["configurationParameters"] == [{"name": "role", "value": "app_owner"}]


def test_a_login_password_is_set_on_a_role_that_is_there_already() -> None:
    role = Case().manifest("login-a")["spec"]
    secrets = {role["forProvider"]["passwordSecretRef"]["name"], role["writeConnectionSecretToRef"]["name"]}
    assert len(secrets) == 2


def test_only_the_networks_of_clients_come_in_each_by_a_rule_of_its_own() -> None:
    rules = [manifest for manifest in manifests(EVERYTHING) if manifest["kind"] == "SecurityGroupIngressRule"]
    assert sorted(rule["spec"]["forProvider"]["cidrIpv4"] for rule in rules) == ["10.0.0.0/16", "10.1.0.0/16"]
    for rule in rules:
        settings = rule["spec"]["forProvider"]
        assert (settings["ipProtocol"], settings["fromPort"], settings["toPort"]) == ("tcp", 5432, 5432)
        assert settings["securityGroupIdRef"]["name"] == EVERYTHING.manifest("clients")["metadata"]["name"]
    assert EVERYTHING.instance()["vpcSecurityGroupIdRefs"][0]["name"] == "orders-db-1-clients"


def test_a_network_off_the_list_is_closed() -> None:
    fewer = Case(EVERYTHING.spec, data=environment(aws={"clientCidrs": ["10.1.0.0/16"]}))
    gone = fewer.render(EVERYTHING.served().seen()).retired
    left = {name for name in fewer.render().resources if "ingress" in name}
    assert {name for name in EVERYTHING.render().resources if "ingress" in name} - left == gone
    assert len(gone) == 1
    for rule in manifests(EVERYTHING):
        if rule["kind"] == "SecurityGroupIngressRule":
            assert "Delete" in rule["spec"]["managementPolicies"]


@pytest.mark.parametrize("cidr", ["10.0.0.1/16", "10.0.0.0/33", "300.0.0.0/8"])
def test_a_network_that_aws_would_write_otherwise_is_refused(cidr: str) -> None:
    with pytest.raises(Refusal, match=r"aws\.clientCidrs\.0.*is not a network such as"):
        Case(data=environment(aws={"clientCidrs": [cidr]})).ask()


def test_tags_tell_the_namespace_which_the_provider_does_not() -> None:
    for role in ("instance", "clients", "parameters-17"):
        tags = Case().manifest(role)["spec"]["forProvider"]["tags"]
        assert tags["groundplane.dev/namespace"] == "team-a"
        assert tags[CLAIM_LABEL] == "db.orders"
        assert tags["cost-center"] == "platform"


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("hour", [0, 12, 23])
def test_the_windows_never_meet_whatever_the_claim(day: str, hour: int) -> None:
    for uid in map(str, range(40)):
        window = {"day": day, "startHour": hour}
        settings = Case({"maintenanceWindow": window}, claim=identity(uid=uid)).instance()
        maintenance = [minutes(part[4:]) for part in settings["maintenanceWindow"].split("-")]
        backup = [minutes(part) for part in settings["backupWindow"].split("-")]
        lengths = [(after - before) % 1440 for before, after in (maintenance, backup)]
        assert lengths == [60, 60]
        assert maintenance[0] == hour * 60
        assert (backup[0] - maintenance[0]) % 1440 >= 60
        assert (maintenance[0] - backup[0]) % 1440 >= 60


def test_the_last_hour_of_saturday_ends_on_sunday() -> None:
    assert EVERYTHING.instance()["maintenanceWindow"] == "sat:23:00-sun:00:00"


def test_backups_are_spread_over_the_day() -> None:
    windows = {Case(claim=identity(uid=str(uid))).instance()["backupWindow"] for uid in range(40)}
    assert len(windows) > 20


def test_with_a_window_changes_wait_and_without_one_they_do_not() -> None:
    assert EVERYTHING.instance()["applyImmediately"] is False
    assert Case().instance()["applyImmediately"] is True


@pytest.mark.parametrize(
    ("tolerance", "given", "count"), [("None", "None", 1), ("Node", "Zone", 2), ("Zone", "Zone", 2)]
)
def test_a_node_is_survived_by_surviving_a_zone(tolerance: str, given: str, count: int) -> None:
    case = Case({"objectives": {"failureTolerance": tolerance}})
    rendered = case.render()
    assert case.instance()["multiAz"] is (count == 2)
    assert (rendered.given.failure_tolerance, rendered.footprint.instances) == (given, count)


def test_backups_are_off_only_where_development_waives_them() -> None:
    waived = environment(waivers=["Backup"])
    assert Case({"tier": "Development"}, data=waived).instance()["backupRetentionPeriod"] == 0
    assert Case(data=waived).instance()["backupRetentionPeriod"] == 7
    assert Case({"tier": "Development"}).instance()["backupRetentionPeriod"] == 1
    assert "kept 1 days" in Case({"tier": "Development"}).render().footprint.backup


@pytest.mark.parametrize(("asked", "gibibytes"), [("5Gi", 20), ("20Gi", 20), ("1Ti", 1024)])
def test_storage_is_whole_gibibytes_and_at_least_twenty(asked: str, gibibytes: int) -> None:
    case = Case({"storage": {"size": asked}})
    assert case.instance()["allocatedStorage"] == gibibytes
    assert case.render().footprint.storage.startswith(f"{gibibytes}Gi")


def test_storage_is_never_asked_to_shrink_after_rds_rounded_it_up() -> None:
    case = Case({"storage": {"size": "50Gi"}})
    assert case.instance(case.served(allocatedStorage=55).seen())["allocatedStorage"] == 55


def test_more_storage_than_rds_has_is_refused() -> None:
    assert "storage.size: 65Ti is not offered by rds (at most 64Ti)" in Case({"storage": {"size": "65Ti"}}).refused()


def test_one_pair_of_slots_or_names_gives_one_identifier() -> None:
    cases = [
        Case(),
        Case(slot=Slot("rds", 2)),
        Case(claim=identity("orders-2")),
        Case(claim=Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, "other")),
    ]
    found = sorted(case.instance()["identifier"] for case in cases)
    assert all(before != after for before, after in pairwise(found))
