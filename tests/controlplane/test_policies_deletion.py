"""The deletion policies: what holds data, or takes data along, goes by consent only."""

import json

import pytest

from bareplane.kubectl import Kubectl
from controlplane.cluster import Cluster, Manifest, Team, is_true
from controlplane.people import (
    ANYWAY,
    CONSENT,
    bind,
    binding,
    claim,
    collector,
    controller,
    crossplane_of,
    developer,
    environment,
    held,
    operator,
    refusal,
)

DRY = "--dry-run=server"


def asks(kubectl: Kubectl, who: str) -> Kubectl:
    """Return kubectl as one of those who delete."""
    people = {
        "admin": kubectl,
        "collector": collector(kubectl),
        "namespace controller": controller(kubectl, "namespace-controller"),
        "operator": operator(kubectl),
        "crossplane": crossplane_of(kubectl),
    }
    return people[who]


def told(team: Team, in_force: str) -> None:
    """Give the claim the status of one whose data exist. Crossplane does not: the claim is paused."""
    status = {
        "engine": "cnpg",
        "slot": "cnpg-1",
        "deletion": {"inForce": in_force, "stateful": ["Cluster/orders-db-1"]},
    }
    words = ("patch", "xdatabase", "orders", "-n", team.namespace, "--subresource=status", "--type=merge", "-p")
    crossplane_of(team.kubectl)(*words, json.dumps({"status": status}))


def paused(team: Team, in_force: str, **spec: str) -> None:
    found = claim(team)
    found["spec"] |= spec
    found["metadata"]["annotations"] = {"crossplane.io/paused": "true"}
    team.apply(found)
    told(team, in_force)


def delete(team: Team) -> tuple[str, ...]:
    return ("delete", "xdatabase", "orders", "-n", team.namespace, "--wait=false")


@pytest.mark.parametrize("who", ["admin", "collector", "namespace controller"])
def test_a_protected_claim_is_deleted_by_nobody(team: Team, who: str) -> None:
    paused(team, "Protect")
    policy, said = refusal(asks(team.kubectl, who), *delete(team))
    assert policy == "claim-deletion"
    assert said.startswith("XDatabase orders is protected: its deletionPolicy is Protect")
    assert f"kubectl patch -n {team.namespace} xdatabases orders --type merge -p" in said


def test_nor_by_its_own_team_nor_with_all_others(team: Team) -> None:
    paused(team, "Protect", tier="Development", deletionPolicy="Protect")
    who = developer(team)
    assert refusal(who, *delete(team))[0] == "claim-deletion"
    assert refusal(who, "delete", "xdatabases", "--all", "-n", team.namespace)[0] == "claim-deletion"
    raw = f"/apis/groundplane.dev/v1alpha1/namespaces/{team.namespace}/xdatabases"
    assert refusal(team.kubectl, "delete", "--raw", raw)[0] == "claim-deletion"


def test_a_claim_is_deleted_once_the_policy_it_asks_for_is_in_force(team: Team) -> None:
    paused(team, "Protect", deletionPolicy="Delete")
    who = developer(team)
    policy, said = refusal(who, *delete(team))
    assert policy == "claim-deletion"
    assert "asks for deletionPolicy Delete, and on its objects Protect is still in force" in said
    assert "--for=jsonpath='{.status.deletion.inForce}'=Delete" in said
    told(team, "Delete")
    who(*delete(team), DRY)


def test_the_tier_decides_where_the_claim_is_silent(team: Team) -> None:
    paused(team, "Delete", tier="Development")
    developer(team)(*delete(team), DRY)


def test_a_claim_that_never_had_data_goes_at_once(cluster: Cluster) -> None:
    environment(cluster, "without-a-bucket", engines={"database": "cnpg"})
    team = cluster.team("without-a-bucket")
    team.apply(claim(team))
    team.wait(lambda it: it.get("status", {}).get("conditions") and not is_true(it, "Accepted"))
    developer(team)("delete", "xdatabase", "orders", "-n", team.namespace)


@pytest.mark.bare("a role decides who may")
def test_breaking_the_protection_of_a_claim_needs_the_verb_override(team: Team) -> None:
    paused(team, "Protect")
    who, name = developer(team), ("xdatabase", "orders", "-n", team.namespace)
    policy, said = refusal(who, "annotate", *name, f"{ANYWAY}=orders")
    assert policy == "claim-override"
    assert "verb override on claims.groundplane.dev" in said
    brought = claim(team, "another")
    brought["metadata"]["annotations"] = {ANYWAY: "another"}
    assert refusal(who, "create", "-f", "-", stdin=[brought])[0] == "claim-override"
    bind(team, "clusterrole/groundplane:override", "override claims.groundplane.dev")
    who("annotate", *name, f"{ANYWAY}=something-else")
    assert refusal(who, *delete(team))[0] == "claim-deletion"
    who("annotate", *name, "--overwrite", f"{ANYWAY}=orders")
    who(*delete(team), DRY)


@pytest.mark.bare("a role decides who may")
def test_nobody_talks_a_claim_out_of_its_protection_by_its_status(team: Team) -> None:
    paused(team, "Protect")
    rights = ("--verb=get,update,patch", "--resource=xdatabases.groundplane.dev/status")
    team.run("create", "role", "status", *rights)
    team.apply(binding("role/status"))
    words = ("patch", "xdatabase", "orders", "-n", team.namespace, "--subresource=status", "--type=merge", "-p")
    policy, said = refusal(developer(team), *words, '{"status":{"engine":null}}')
    assert policy == "claim-status"
    assert "status is written by Crossplane alone" in said


def guarded(team: Team, **annotations: str) -> tuple[str, ...]:
    """Make a guarded object and return the words that delete it."""
    crossplane_of(team.kubectl)("create", "-f", "-", stdin=[held(team, **annotations)])
    return ("delete", "cluster.postgresql.cnpg.io", "orders-db-1", "-n", team.namespace, DRY)


MAY_DELETE: dict[str, tuple[Manifest, set[str]]] = {
    "under Protect": ({}, set()),
    "with Delete in force": ({"deletion_policy": "Delete"}, {"collector"}),
    "with consent": ({"retire_consent": "cnpg-1"}, {"crossplane"}),
    "with consent to another slot": ({"retire_consent": "cnpg-11"}, set()),
    "with anybody's own consent": ({"retire_consent": "cnpg"}, set()),
}
DELETERS = ("admin", "collector", "namespace controller", "operator", "crossplane")


@pytest.mark.parametrize("state", MAY_DELETE)
def test_a_guarded_object_is_deleted_by_consent_only(team: Team, state: str) -> None:
    annotations, allowed = MAY_DELETE[state]
    words = guarded(team, **annotations)
    for who in DELETERS:
        if who in allowed:
            asks(team.kubectl, who)(*words)
            continue
        policy, said = refusal(asks(team.kubectl, who), *words)
        assert policy == "guarded", who
        assert said.startswith("Cluster orders-db-1 holds data of claim db.orders or the keys to them")
        assert f"kubectl annotate -n {team.namespace} clusters.postgresql.cnpg.io orders-db-1 {ANYWAY}" in said


def test_a_guarded_secret_is_deleted_by_nobody(team: Team) -> None:
    secret = {**held(team, "orders-db-1-login-a"), "apiVersion": "v1", "kind": "Secret"}
    del secret["spec"]
    crossplane_of(team.kubectl)("create", "-f", "-", stdin=[secret])
    policy, said = refusal(developer(team), "delete", "secret", "orders-db-1-login-a", "-n", team.namespace)
    assert policy == "guarded"
    assert f"kubectl annotate -n {team.namespace} secrets orders-db-1-login-a {ANYWAY}" in said


@pytest.mark.parametrize("label", ["groundplane.dev/guarded", "groundplane.dev/claim"])
def test_what_is_not_guarded_is_deleted_as_ever(team: Team, label: str) -> None:
    """Without the claim's label it is no object of ours, whatever else it says."""
    found = held(team)
    del found["metadata"]["labels"][label]
    crossplane_of(team.kubectl)("create", "-f", "-", stdin=[found])
    team.run("delete", "cluster.postgresql.cnpg.io", "orders-db-1")


@pytest.mark.bare("a role decides who may")
def test_breaking_the_guard_of_an_object_needs_the_verb_override(team: Team) -> None:
    words = guarded(team)
    team.run("create", "role", "clusters", "--verb=*", "--resource=clusters.postgresql.cnpg.io")
    bind(team, "role/clusters", "update clusters.postgresql.cnpg.io")
    who, name = developer(team), ("cluster.postgresql.cnpg.io", "orders-db-1", "-n", team.namespace)
    policy, said = refusal(who, "annotate", *name, f"{ANYWAY}=orders-db-1")
    assert policy == "identity"
    assert "verb override on claims.groundplane.dev" in said
    bind(team, "clusterrole/groundplane:override", "override claims.groundplane.dev")
    who("annotate", *name, f"{ANYWAY}=orders-db-1")
    who(*words)


def test_a_namespace_of_an_environment_goes_by_consent_only(team: Team) -> None:
    words = ("delete", "namespace", team.namespace, DRY)
    policy, said = refusal(team.kubectl, *words)
    assert policy == "namespace"
    remedy = f"kubectl annotate namespace {team.namespace} {CONSENT}={team.namespace}"
    assert remedy in said
    team.kubectl("annotate", "namespace", team.namespace, f"{CONSENT}=another")
    assert refusal(team.kubectl, *words)[0] == "namespace"
    team.kubectl(*remedy.split()[1:], "--overwrite")
    team.kubectl(*words)


def test_the_label_of_a_namespace_is_taken_off_by_consent_only(team: Team) -> None:
    words = ("label", "namespace", team.namespace, "groundplane.dev/environment-")
    policy, said = refusal(team.kubectl, *words)
    assert policy == "namespace"
    assert f"kubectl annotate namespace {team.namespace} {CONSENT}={team.namespace}" in said
    team.kubectl("label", "namespace", team.namespace, "--overwrite", "groundplane.dev/environment=aws")


DEFINITIONS = (
    "crd/xdatabases.groundplane.dev",
    "crd/clusters.postgresql.cnpg.io",
    "crd/instances.rds.aws.m.upbound.io",
    pytest.param(
        "crd/compositeresourcedefinitions.apiextensions.crossplane.io",
        marks=pytest.mark.bare("Crossplane's own kinds are defined by CRDs"),
    ),
    "xrd/xdatabases.groundplane.dev",
)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_definition_is_deleted_by_nobody(cluster: Cluster, definition: str) -> None:
    for who in ("admin", "collector", "crossplane"):
        policy, said = refusal(asks(cluster.kubectl, who), "delete", definition, DRY)
        assert policy == "definitions"
        assert f"{CONSENT}={definition.partition('/')[2]}" in said


def test_nor_with_all_others_of_its_kind(cluster: Cluster) -> None:
    raw = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
    assert refusal(cluster.kubectl, "delete", "--raw", raw)[0] == "definitions"


@pytest.mark.alone  # while the consent stands there, nothing else may try to delete it
@pytest.mark.parametrize("definition", ["crd/clusters.postgresql.cnpg.io", "xrd/xdatabases.groundplane.dev"])
def test_a_definition_goes_with_consent(cluster: Cluster, definition: str) -> None:
    name = definition.partition("/")[2]
    cluster.kubectl("annotate", definition, "--overwrite", f"{CONSENT}=another")
    assert refusal(cluster.kubectl, "delete", definition, DRY)[0] == "definitions"
    cluster.kubectl("annotate", definition, "--overwrite", f"{CONSENT}={name}")
    cluster.kubectl("delete", definition, DRY)
    cluster.kubectl("annotate", definition, f"{CONSENT}-")


@pytest.mark.bare("Crossplane's own kinds are defined by CRDs")
def test_a_definition_that_is_not_ours_goes_as_ever(cluster: Cluster) -> None:
    cluster.kubectl("delete", "crd", "usages.protection.crossplane.io", DRY)
