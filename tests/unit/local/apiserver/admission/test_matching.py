"""Which writes a policy is about, who is asked, and from when on."""

import pytest

from admission_policies import (
    CONFIG,
    GROUP,
    RULE,
    SAID,
    bind,
    data,
    policy,
    says,
    settings,
    told,
)
from admission_world import World, refused
from groundplane.core.manifest import Manifest
from plane_process import settle

VERSION = {"name": "v1", "served": True, "referenceable": True, "schema": {"openAPIV3Schema": {"type": "object"}}}


MATCHING: dict[str, tuple[Manifest, bool]] = {
    "another group": ({"apiGroups": ["apps"]}, False),
    "every group": ({"apiGroups": ["*"]}, True),
    "another version": ({"apiVersions": ["v2"]}, False),
    "another resource": ({"resources": ["secrets"]}, False),
    "every resource": ({"resources": ["*"]}, True),
    "its subresources and itself": ({"resources": ["configmaps/*"]}, True),
    "a subresource": ({"resources": ["configmaps/status"]}, False),
    "another operation": ({"operations": ["UPDATE"]}, False),
    "every operation": ({"operations": ["*"]}, True),
    "what is in namespaces": ({"scope": "Namespaced"}, True),
    "what is in none": ({"scope": "Cluster"}, False),
    "its name": ({"resourceNames": ["a"]}, True),
    "another name": ({"resourceNames": ["b"]}, False),
}


@pytest.mark.parametrize("which", MATCHING)
def test_a_rule_is_about_what_it_names(plane: World, which: str) -> None:
    rule, matches = MATCHING[which]
    bind(plane, policy(validations=[{"expression": "false"}], rule=rule))
    if matches:
        assert told(plane)[0] == 422
    else:
        assert data(plane) == {"x": "1"}


def test_selectors_look_at_the_namespace_and_at_the_object_before_and_after(plane: World) -> None:
    spec = policy(validations=[{"expression": "false", "message": "no"}])["spec"]
    spec["matchConstraints"] |= {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
        "objectSelector": {"matchExpressions": [{"key": "held", "operator": "Exists"}]},
    }
    held = settings("held")
    held["metadata"]["labels"] = {"held": "yes"}
    plane.create("owner", held, keep=True)
    bind(plane, {**policy(validations=[]), "spec": spec})
    assert data(plane) == {"x": "1"}
    plane.create("owner", {**held, "metadata": {**held["metadata"], "name": "b", "namespace": "kube-public"}})
    error = refused(lambda: plane.patch("owner", CONFIG, "default", "held", {"metadata": {"labels": {"held": None}}}))
    assert str(error).endswith("denied request: no")


def test_a_policy_for_another_version_holds_for_every_one_unless_it_says_exact(plane: World) -> None:
    rule = {"apiGroups": ["apiextensions.crossplane.io"], "apiVersions": ["v1"]}
    definition = {
        "apiVersion": "apiextensions.crossplane.io/v2",
        "kind": "CompositeResourceDefinition",
        "metadata": {"name": "xs.example.dev"},
        "spec": {"group": "example.dev", "names": {"kind": "X", "plural": "xs"}, "versions": [VERSION]},
    }
    made = policy(validations=[{"expression": "false", "message": "no"}])
    rules = [{**RULE, **rule, "resources": ["compositeresourcedefinitions"]}]
    made["spec"]["matchConstraints"] = {"resourceRules": rules, "matchPolicy": "Exact"}
    bind(plane, made)
    plane.create("owner", definition)
    kind = (GROUP, "ValidatingAdmissionPolicy")
    plane.patch("owner", kind, "", "t", {"spec": {"matchConstraints": {"matchPolicy": "Equivalent"}}}, keep=True)
    assert told(plane, definition)[2].endswith("denied request: no")


def test_a_policy_cannot_make_itself_unassailable(plane: World) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    bind(plane, policy(validations=[{"expression": "false"}], rule=everything))
    assert told(plane)[0] == 422
    plane.delete("owner", (GROUP, "ValidatingAdmissionPolicyBinding"), "", "t", keep=True)
    assert data(plane) == {"x": "1"}


def test_a_change_of_a_policy_holds_for_the_next_write(plane: World) -> None:
    bind(plane, policy(validations=[{"expression": "false", "message": "no"}]))
    kind = (GROUP, "ValidatingAdmissionPolicy")
    plane.patch(
        "owner", kind, "", "t", {"spec": {"validations": [{"expression": "false", "message": "never"}]}}, keep=True
    )
    assert told(plane)[2] == f"{SAID}never"
    plane.delete("owner", kind, "", "t", keep=True)
    assert data(plane) == {"x": "1"}


def test_a_dry_run_is_told_to_be_one_and_is_refused_too(plane: World) -> None:
    says(plane, "string(request.dryRun)")
    assert told(plane)[2] == f"{SAID}true"
    assert str(refused(lambda: plane.create("owner", settings(), keep=True))) == f"{SAID}false"


def test_who_asks_and_what_they_may_is_told(plane: World) -> None:
    right = 'authorizer.group("g").resource("r").namespace(request.namespace).check("v").allowed()'
    says(plane, f'request.userInfo.username + " " + request.userInfo.groups.join(",") + " " + string({right})')
    assert told(plane)[2] == f"{SAID}groundplane:owner system:masters,system:authenticated true"
    said = str(refused(lambda: plane.create("developer", settings())))
    assert said == f"{SAID}developer system:authenticated false"


def test_what_the_server_itself_writes_is_asked_nobody_about(plane: World) -> None:
    bind(plane, policy(validations=[{"expression": "false"}], rule={"resources": ["*"], "apiGroups": ["*"]}))
    plane.create("nobody asks", settings(), keep=True)


def test_the_collector_asks_under_its_own_name_and_leaves_what_it_is_refused(plane: World) -> None:
    owner = plane.create("owner", settings("owner"), keep=True).manifest
    dependent = settings("dependent")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    dependent["metadata"]["ownerReferences"] = [reference]
    plane.create("owner", dependent, keep=True)
    collector = '"system:serviceaccount:kube-system:generic-garbage-collector"'
    refuses = policy(
        rule={"operations": ["DELETE"]},
        validations=[{"expression": f"request.userInfo.username != {collector}"}],
    )
    bind(plane, refuses)
    plane.delete("owner", CONFIG, "default", "owner", keep=True)
    settle(plane.api)
    assert names(plane) == ["dependent"]
    plane.delete("owner", (GROUP, "ValidatingAdmissionPolicy"), "", "t", keep=True)
    settle(plane.api)
    assert names(plane) == []


def names(plane: World) -> list[str]:
    return [one["metadata"]["name"] for one in plane.api.store.objects("configmaps")]
