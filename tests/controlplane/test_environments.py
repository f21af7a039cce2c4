"""The environment chooses the engine: by namespace, for new claims, and never behind a living one's back."""

import uuid

import pytest
import yaml

from bareplane.kubectl import KubectlError
from bareplane.waiting import always, eventually
from controlplane.cluster import EXAMPLES, Cluster, Manifest, condition, is_true, orders, refused


def environment(like: str, name: str = "", /, **data: Manifest) -> Manifest:
    found: Manifest = yaml.safe_load((EXAMPLES / "environments" / f"{like}.yaml").read_text())
    return {**found, "metadata": {"name": name or f"e-{uuid.uuid4().hex[:8]}"}, "data": {**found["data"], **data}}


def test_one_claim_in_two_environments_becomes_two_engines(cluster: Cluster) -> None:
    here, there = cluster.team("kubernetes"), cluster.team("aws")
    for team in (here, there):
        team.apply(orders())
    assert here.ready()["status"]["engine"] == "cnpg"
    assert there.ready()["status"]["engine"] == "rds"
    assert here.binding()["data"].keys() == there.binding()["data"].keys()


def test_an_environment_without_an_engine_serves_no_claim(cluster: Cluster) -> None:
    made = environment("kubernetes", engines={})
    cluster.kubectl.apply(made)
    team = cluster.team(made["metadata"]["name"])
    with pytest.raises(KubectlError, match="names no engine for database"):
        team.apply(orders())


def test_an_environment_with_an_unknown_engine_is_refused(cluster: Cluster) -> None:
    with pytest.raises(KubectlError, match="There are: database: cnpg, local, rds"):
        cluster.kubectl.apply(environment("kubernetes", engines={"database": "oracle"}))


def test_a_selector_without_labels_is_a_choice_and_keeps_the_default_composition_away(cluster: Cluster) -> None:
    team = cluster.team("")
    team.apply(orders(tier="Development", crossplane={"compositionSelector": {"matchLabels": {}}}))
    team.wait(lambda it: "compositionRef" in it["spec"]["crossplane"])
    eventually(lambda: any("Successfully selected composition" in one for one in team.events()))
    assert [one for one in team.events() if "Default composition" in one] == []


def test_a_changed_engine_leaves_living_claims_and_takes_new_ones(cluster: Cluster) -> None:
    made = environment("aws", engines={"database": "cnpg"})
    kubernetes = environment("kubernetes")
    made["data"] |= {name: value for name, value in kubernetes["data"].items() if name != "engines"}
    cluster.kubectl.apply(made)
    team = cluster.team(made["metadata"]["name"])
    team.apply(orders())
    before = team.ready()
    cluster.kubectl.apply({**made, "data": {**made["data"], "engines": {"database": "rds"}}})
    team.apply({**orders(), "metadata": {"name": "newer"}})
    assert team.ready("newer")["status"]["engine"] == "rds"
    after = team.claim()
    assert after["status"]["engine"] == "cnpg"
    assert after["spec"]["crossplane"]["resourceRefs"] == before["spec"]["crossplane"]["resourceRefs"]
    assert is_true(after, "Accepted")


def test_an_environment_that_is_missing_is_named_and_the_claim_goes_on_once_it_exists(cluster: Cluster) -> None:
    made = environment("kubernetes")
    name = made["metadata"]["name"]
    team = cluster.team(name)
    with pytest.raises(KubectlError, match=f"EnvironmentConfig {name} does not exist"):
        team.apply(orders())
    cluster.kubectl.apply(made)
    team.apply(orders())
    team.ready()


def test_an_environment_deleted_under_a_living_claim_is_told_and_nothing_goes(cluster: Cluster) -> None:
    made = environment("kubernetes")
    cluster.kubectl.apply(made)
    team = cluster.team(made["metadata"]["name"])
    team.apply(orders())
    team.ready()
    before = set(team.composed())
    cluster.kubectl("delete", "environmentconfig", made["metadata"]["name"])
    claim = team.wait(lambda it: refused(it, "EnvironmentIncomplete"))
    assert f"EnvironmentConfig {made['metadata']['name']} does not exist" in condition(claim, "Accepted")["message"]
    always(lambda: set(team.composed()) == before, 5)
    cluster.kubectl.apply(made)
    team.wait(lambda it: is_true(it, "Accepted") and is_true(it, "Synced"))


def test_a_changed_environment_reaches_its_claims(cluster: Cluster) -> None:
    made = environment("kubernetes")
    cluster.kubectl.apply(made)
    team = cluster.team(made["metadata"]["name"])
    team.apply(orders())
    team.ready()
    made["data"]["minimum"] = {"retentionDays": 14}
    cluster.kubectl.apply(made)
    team.wait(lambda it: it["status"]["effective"]["backup"]["retentionDays"] == 14)
    assert team.composed()["cnpg-1-store"]["spec"]["retentionPolicy"] == "14d"
