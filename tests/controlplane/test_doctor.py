"""The doctor on a real API server: what it finds, and what it says when it may not look."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bareplane.waiting import eventually
from controlplane.cluster import Cluster, Team, orders, refused
from groundplane.__main__ import main

Found = dict[tuple[str, str], dict[str, Any]]
NOBODY = "system:serviceaccount:default:nobody-at-all"


def run(kubeconfig: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--kubeconfig", str(kubeconfig), *words])


def findings(kubeconfig: Path, *words: str) -> Found:
    """Return what the doctor finds, by check and subject."""
    done = run(kubeconfig, "-o", "json", *words)
    assert done.stdout, done.stderr
    return {(one["check"], one["subject"]): one for one in json.loads(done.stdout)["findings"]}


def limited(team: Team, folder: Path) -> Path:
    """Return the kubeconfig of somebody who may read the claims of *team* and nothing else."""
    rules = [{"apiGroups": ["groundplane.dev"], "resources": ["xdatabases"], "verbs": ["get", "list"]}]
    api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "reader"}}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": team.namespace}
    team.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}},
        {**api, "kind": "Role", "rules": rules},
        {**api, "kind": "RoleBinding", "roleRef": reference, "subjects": [subject]},
    )
    document = json.loads(team.kubectl.kubeconfig.read_text())
    token = team.run("create", "token", "reader").strip()
    document["users"] = [{"name": one["name"], "user": {"token": token}} for one in document["users"]]
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.bare("it is about packages and rights")
def test_what_is_installed_is_found_as_it_should_be(cluster: Cluster, team: Team) -> None:
    found = findings(cluster.kubectl.kubeconfig, "-n", team.namespace)
    wanted = {"kubernetes", "feature", "package", "xrd", "composition", "companion", "rights", "engine", "claim"}
    seen = {check: {one["state"] for (of, _), one in found.items() if of == check} for check in wanted}
    assert seen == {check: {"ok"} for check in wanted}
    assert found["environment", "kubernetes"]["state"] == "ok"
    assert found["claim", "XDatabase"]["message"] == f"there is none in namespace {team.namespace}"
    rights = found["rights", "system:serviceaccount:crossplane-system:crossplane"]["message"]
    assert rights.startswith("it has all ")


@pytest.mark.bare("it is about rights")
def test_rights_are_those_of_the_user_that_is_named(cluster: Cluster) -> None:
    found = findings(cluster.kubectl.kubeconfig, "--crossplane-user", NOBODY)
    missing = [one for (check, _), one in found.items() if check == "rights"]
    assert {one["state"] for one in missing} == {"problem"}
    assert any("clusters.postgresql.cnpg.io" in one["message"] for one in missing)
    assert found["companion", "EnvironmentConfig groundplane-companion"]["state"] == "problem"


def test_a_refused_claim_is_told_with_the_words_of_the_refusal(cluster: Cluster, team: Team) -> None:
    team.apply(orders(maintenanceWindow={"day": "Sunday", "startHour": 3}))
    claim = team.wait(lambda one: refused(one, "NotOffered"))
    done = run(cluster.kubectl.kubeconfig, "-n", team.namespace)
    assert done.exit_code == 1
    (row,) = [line for line in done.stdout.splitlines() if f"{team.namespace}/orders" in line]
    (accepted,) = [one for one in claim["status"]["conditions"] if one["type"] == "Accepted"]
    assert " problem " in row
    assert accepted["message"] in row


def test_an_environment_that_a_namespace_names_and_that_is_not_there_is_found(cluster: Cluster) -> None:
    team = cluster.team("nobody-made-it")
    found = findings(cluster.kubectl.kubeconfig)["environment", "nobody-made-it"]
    assert found["state"] == "problem"
    assert team.namespace in found["message"]


@pytest.mark.bare("it is about rights")
def test_who_may_read_little_is_told_what_is_not_known(team: Team, tmp_path: Path) -> None:
    team.apply(orders())
    path = limited(team, tmp_path)
    subject = ("claim", f"XDatabase {team.namespace}/orders")
    eventually(lambda: findings(path, "-n", team.namespace).get(subject) is None)
    found = findings(path, "-n", team.namespace)
    assert found["claim", "XDatabase"]["message"] == f"1 of 1 in namespace {team.namespace} are served"
    unknown = {check for (check, _), one in found.items() if one["state"] == "unknown"}
    assert unknown >= {"crossplane", "package", "xrd", "composition", "companion", "rights", "environment"}
    assert "your user may not create subjectaccessreviews" in json.dumps(list(found.values()))
    everywhere = findings(path)["claim", "XDatabase"]
    assert everywhere["state"] == "unknown"
    assert everywhere["message"] == "your user may not list xdatabases.groundplane.dev"
