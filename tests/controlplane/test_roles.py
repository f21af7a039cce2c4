"""What Crossplane may do is what the list says, asked of the API server as Crossplane's own user."""

import copy
from collections.abc import Iterator

import pytest
import yaml

from bareplane import crossplane, groundplane
from bareplane.plane import Plane
from controlplane.cluster import Cluster, Manifest, condition, orders, refused

pytestmark = pytest.mark.bare("roles")
GRANTS = groundplane.COMPANION / "crossplane.yaml"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
LEFT_OUT = "clusters.postgresql.cnpg.io"
NEVER = ("pods", "statefulsets.apps", "jobs.batch", "clusterroles.rbac.authorization.k8s.io", "nodes")


def grants() -> tuple[Manifest, Manifest]:
    """Return the ClusterRole and the EnvironmentConfig that lists the same."""
    found = {one["kind"]: one for one in yaml.safe_load_all(GRANTS.read_text()) if one}
    return found["ClusterRole"], found["EnvironmentConfig"]


def review(kind: str, verb: str) -> Manifest:
    """Return the question whether Crossplane may *verb* objects of *kind*, ``<plural>.<group>``."""
    resource, _, group = kind.partition(".")
    asked = {"group": group, "resource": resource, "verb": verb}
    spec = {
        "user": crossplane.USER,
        "groups": [*crossplane.GROUPS, "system:authenticated"],
        "resourceAttributes": asked,
    }
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": spec}


def allowed(cluster: Cluster, kinds: list[str]) -> Iterator[tuple[str, str]]:
    """Yield kind and verb of everything that Crossplane may do with *kinds*."""
    questions = [review(kind, verb) for kind in kinds for verb in VERBS]
    answers = yaml.safe_load_all(cluster.kubectl("create", "-f", "-", "-o", "yaml", stdin=questions))
    for listed in answers:
        for one in listed.get("items", [listed]):
            asked = one["spec"]["resourceAttributes"]
            if one["status"]["allowed"]:
                yield f"{asked['resource']}.{asked.get('group', '')}".rstrip("."), asked["verb"]


def test_crossplane_may_do_everything_with_each_kind_of_the_list_and_nothing_with_others(cluster: Cluster) -> None:
    listed = grants()[1]["data"]["kinds"]
    assert set(allowed(cluster, listed)) == {(kind, verb) for kind in listed for verb in VERBS}
    assert set(allowed(cluster, [*NEVER])) == set()


@pytest.mark.alone
def test_a_kind_left_out_is_refused_with_the_remedy_and_no_other_claim_stalls(cluster: Cluster, plane: Plane) -> None:
    role, listed = copy.deepcopy(grants())
    listed["data"]["kinds"].remove(LEFT_OUT)
    for rule in role["rules"]:
        if "clusters" in rule["resources"]:
            rule["resources"].remove("clusters")
    crossplane.kill(plane)
    cluster.kubectl.apply(role, listed, server_side=True)
    crossplane.start(plane)  # what an informer has seen already would hide what is missing
    try:
        here, there = cluster.team("kubernetes"), cluster.team("aws")
        here.apply(orders())
        claim = here.wait(lambda it: refused(it, "NotPermitted"))
        assert LEFT_OUT in condition(claim, "Accepted")["message"]
        assert "kubectl apply" in condition(claim, "Accepted")["message"]
        there.apply(orders())
        there.ready()
    finally:
        groundplane.companion(plane)
    here.ready()
