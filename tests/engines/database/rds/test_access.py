"""Engine rds: who may reach the database, who may log in, and where passwords stand."""

import pytest
import yaml

from groundplane.core.manifest import CLAIM_LABEL
from groundplane.core.refusal import Refusal
from rds_claims import EVERYTHING, PASSWORD, Case, environment, manifests


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


def test_the_administrator_joins_the_owner_before_it_gives_it_the_schema() -> None:
    grant = Case().manifest("member-admin")["spec"]["forProvider"]
    assert grant == {"role": Case().instance()["username"], "memberOf": "app_owner"}
    schema = Case().manifest("schema")
    assert schema["metadata"]["annotations"]["crossplane.io/external-name"] == "public"
    assert schema["spec"]["forProvider"] == {"role": grant["memberOf"], "database": "app"}


def test_the_database_belongs_to_the_administrator_because_its_owner_may_drop_it() -> None:
    world = Case().served()
    for name in (Case().instance()["username"], "groundplane_admin"):
        world.object("instance")["spec"]["forProvider"]["username"] = name
        assert Case().manifest("database", world.seen())["spec"]["forProvider"]["owner"] == name


def test_the_application_enters_no_database_but_its_own() -> None:
    grants = [one["spec"]["forProvider"] for one in manifests(Case()) if one["kind"] == "Grant"]
    entered = {one["database"]: one["role"] for one in grants if "database" in one}
    assert entered == {"app": "app_owner", "postgres": "pg_database_owner", "template1": "pg_database_owner"}
    assert all(one["revokePublicOnDb"] for one in grants if "database" in one)


def test_a_right_to_sessions_that_the_server_does_not_give_is_told_and_does_not_keep_it_from_serving() -> None:
    world = Case().served().bind().says("ends-sessions", "Synced", "pq: permission denied to grant role")
    rendered = Case().render(world.seen())
    assert (rendered.facts.serving.reason, rendered.facts.settled.reason) == ("Serving", "AsDeclared")
    assert rendered.notices == ("Grant orders-db-1-ends-sessions: pq: permission denied to grant role",)
    assert Case().render(Case().served().bind().seen()).notices == ()


def test_the_database_is_not_made_with_the_instance_which_would_make_it_once_and_never_look_again() -> None:
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
