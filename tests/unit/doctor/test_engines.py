"""What the doctor says of engines: their kinds, and the operators and providers that serve them."""

from dataclasses import replace

import pytest

import catalogue
from doctor_world import World, condition, examined
from groundplane import engines
from groundplane.doctor import wants
from groundplane.doctor.checks import version
from groundplane.doctor.examination import examine
from groundplane.doctor.finding import Finding, State
from groundplane.doctor.snapshot import Reading

INSTANCES = "instances.rds.aws.m.upbound.io"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return examined(monkeypatch)


def only(world: World) -> Finding:
    (found,) = [finding for finding in examine(world.snapshot()) if finding.state is not State.OK]
    return found


def told(world: World, subject: str) -> str:
    (found,) = [finding for finding in examine(world.snapshot()) if finding.subject == subject]
    return found.message


def definition(state: str, *conditions: dict[str, str]) -> dict[str, object]:
    return wants.MANAGED.manifest(INSTANCES, spec={"state": state}, status={"conditions": list(conditions)})


@pytest.mark.parametrize("engine", catalogue.engines(), ids=str)
def test_every_kind_that_somebody_must_install_belongs_to_one_operator(engine: catalogue.Engine) -> None:
    found = engines.load(engine.contract, engine.name)
    served = [kind for operator in found.operators for kind in operator.kinds]
    assert sorted(kind.crd for kind in served) == sorted(kind.crd for kind in wants.definitions(found))
    for operator in found.operators:
        ways = (operator.labels, operator.packages, operator.annotation and not operator.labels)
        assert len([way for way in ways if way]) == 1, "known by labels, by package, or by its CRD"
        assert version.matches(f"v{operator.version}.0", operator.version)


def test_a_kind_that_its_provider_has_and_does_not_serve_is_activated(world: World) -> None:
    world.unserved.add(INSTANCES)
    world.put(definition("Inactive"))
    found = only(world)
    assert (found.subject, found.state) == ("database/rds", State.PROBLEM)
    assert f"{INSTANCES} is not served" in found.message
    assert "ManagedResourceDefinition is Inactive" in found.message
    assert "ManagedResourceActivationPolicy" in found.remedy


def test_a_kind_that_is_active_and_not_there_yet_says_why(world: World) -> None:
    world.unserved.add(INSTANCES)
    world.put(definition("Active", condition("Established", "False", "X", "its CRD is somebody else's")))
    assert "its CRD is somebody else's" in only(world).message


def test_a_kind_that_is_served_in_another_version_is_told(world: World) -> None:
    snapshot = world.snapshot()
    plurals = snapshot.served["postgresql.cnpg.io/v1"]
    served = {name: found for name, found in snapshot.served.items() if name != "postgresql.cnpg.io/v1"}
    changed = replace(snapshot, served={**served, "postgresql.cnpg.io/v1beta1": plurals})
    found = [one for one in examine(changed) if one.state is State.PROBLEM]
    assert [one.subject for one in found] == ["database/cnpg"]
    assert "the API server has v1beta1 of it, and postgresql.cnpg.io/v1 is needed" in found[0].message


def test_a_group_that_does_not_answer_is_unknown_not_missing(world: World) -> None:
    snapshot = world.snapshot()
    served = {name: found for name, found in snapshot.served.items() if name != "barmancloud.cnpg.io/v1"}
    changed = replace(snapshot, served=served, undiscovered={"barmancloud.cnpg.io/v1": "service unavailable"})
    (found,) = [one for one in examine(changed) if one.state is not State.OK]
    assert (found.subject, found.state) == ("database/cnpg", State.UNKNOWN)
    assert "service unavailable" in found.message


def test_what_an_engine_lacks_that_nobody_chose_is_no_problem(world: World) -> None:
    world.drop("EnvironmentConfig", "aws")
    world.unserved |= {kind.crd for kind in wants.definitions(engines.load("database", "rds"))}
    assert [one for one in examine(world.snapshot()) if one.state is not State.OK] == []
    assert told(world, "database/rds") == "Amazon RDS is not installed, or not whole, and no environment chooses it"


def test_what_an_engine_lacks_is_told_when_nobody_knows_whether_it_is_in_use(world: World) -> None:
    world.unserved.add(INSTANCES)
    snapshot = world.snapshot()
    readings = {**snapshot.readings, wants.ENVIRONMENTS: Reading(lack="your user may not list them")}
    (found,) = [one for one in examine(replace(snapshot, readings=readings)) if one.state is State.WARNING]
    assert (found.check, found.subject) == ("engine", "database/rds")


def test_an_engine_that_serves_a_claim_is_in_use_whatever_environments_say(world: World) -> None:
    world.drop("EnvironmentConfig", "aws")
    world.find("XDatabase", "orders")["status"]["engine"] = "rds"
    world.unserved.add(INSTANCES)
    assert only(world).state is State.PROBLEM


def test_kinds_an_engine_can_do_without_are_named_and_no_problem(world: World) -> None:
    world.unserved |= {"podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"}
    assert [one for one in examine(world.snapshot()) if one.state is not State.OK] == []
    assert "without podmonitors.monitoring.coreos.com" in told(world, "database/cnpg")


def test_an_operator_is_known_by_the_image_of_its_deployment(world: World) -> None:
    assert told(world, "CloudNativePG (database/cnpg)") == "v1.30.0 (Deployment cloudnative-pg-system/cloudnative-pg)"
    pod = world.find("Deployment", "cloudnative-pg")["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = "ghcr.example.org:5000/cloudnative-pg:1.29.1@sha256:00"
    found = only(world)
    assert (found.check, found.state) == ("operator", State.WARNING)
    assert found.message.startswith("1.29.1 (")
    assert "written for 1.30" in found.message
    pod["containers"][0]["image"] = "ghcr.example.org:5000/cloudnative-pg@sha256:00"
    assert only(world).state is State.UNKNOWN
    world.find("Deployment", "cloudnative-pg")["metadata"]["labels"]["app.kubernetes.io/version"] = "1.30.2"
    assert told(world, "CloudNativePG (database/cnpg)").startswith("1.30.2 (")


def test_an_operator_without_a_pod_is_a_problem_of_its_engine(world: World) -> None:
    world.find("Deployment", "cloudnative-pg")["status"] = {}
    found = only(world)
    assert (found.subject, found.state) == ("CloudNativePG (database/cnpg)", State.PROBLEM)
    assert "has no ready pod" in found.message


def test_an_operator_that_is_nowhere_to_be_seen_cannot_be_told(world: World) -> None:
    world.drop("Deployment", "cloudnative-pg")
    found = only(world)
    assert found.state is State.UNKNOWN
    assert "cannot tell" in found.message


def test_an_operator_may_be_known_by_its_crd(world: World) -> None:
    world.drop("Deployment", "prometheus-operator")
    crd = wants.CRD.manifest("podmonitors.monitoring.coreos.com")
    crd["metadata"]["annotations"] = {"operator.prometheus.io/version": "0.93.0"}
    world.put(crd)
    assert told(world, "Prometheus Operator (database/cnpg)") == "0.93.0 (its CRD says so)"


def test_a_provider_is_known_by_its_package_and_judged_by_its_revision(world: World) -> None:
    assert told(world, "provider-sql (database/rds)") == "v0.16.0 (Provider acme-provider-sql)"
    world.find("Provider", "acme-provider-sql")["status"]["conditions"] = [condition("Healthy", "False")]
    assert told(world, "provider-sql (database/rds)") == "v0.16.0 (Provider acme-provider-sql)"
    revision = world.find("ProviderRevision", "acme-provider-sql-1")
    revision["status"]["conditions"][1] = condition("RuntimeHealthy", "False", "X", "its pod crashes")
    found = only(world)
    assert (found.subject, found.state) == ("provider-sql (database/rds)", State.PROBLEM)
    assert "its pod crashes" in found.message


@pytest.mark.parametrize(
    ("reference", "tag", "repository"),
    [
        ("host:5000/org/name:v1.2.3", "v1.2.3", "host:5000/org/name"),
        ("host:5000/org/name", "", "host:5000/org/name"),
        ("name@sha256:abc", "", "name"),
        ("org/name:1.0@sha256:abc", "1.0", "org/name"),
    ],
)
def test_a_reference_is_taken_apart(reference: str, tag: str, repository: str) -> None:
    assert version.of_reference(reference) == tag
    assert version.repository(reference) == repository


def test_versions_are_compared_as_numbers() -> None:
    assert version.older("v2.1.9", "2.2")
    assert not version.older("v2.10.0", "2.2")
    assert not version.older("latest", "2.2")
    assert version.matches("1.30.0-rc1", "1.30")
    assert not version.matches("v1.3.0", "1.30")
    assert version.matches("main", "1.30") is None
