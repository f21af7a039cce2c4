"""What the doctor makes of a snapshot: one thing at a time is taken away from a cluster in which all is well."""

from dataclasses import replace

import pytest

from doctor_world import (
    FUNCTION,
    POLICY,
    World,
    claim,
    condition,
    environment,
    examined,
    package,
    policy,
)
from groundplane.core.manifest import ENVIRONMENT_CONFIG
from groundplane.doctor import expected, wants
from groundplane.doctor.examination import examine
from groundplane.doctor.finding import Finding, State
from groundplane.doctor.snapshot import Listing, Reading, Right

PROBLEM, WARNING, UNKNOWN, OK = State.PROBLEM, State.WARNING, State.UNKNOWN, State.OK


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return examined(monkeypatch)


def bad(world: World) -> list[Finding]:
    return [finding for finding in examine(world.snapshot()) if finding.state is not OK]


def only(world: World) -> Finding:
    (found,) = bad(world)
    return found


def test_a_cluster_in_which_all_is_well_has_nothing_but_ok(world: World) -> None:
    assert bad(world) == []
    checks = {finding.check for finding in examine(world.snapshot())}
    assert checks >= {"kubernetes", "crossplane", "feature", "package", "xrd", "composition", "companion"}
    assert checks >= {"rights", "engine", "operator", "environment", "claim"}


def test_a_missing_feature_is_said_with_what_is_lost(world: World) -> None:
    world.unserved.add("mutatingadmissionpolicies.admissionregistration.k8s.io")
    found = only(world)
    assert (found.check, found.subject, found.state) == ("feature", "MutatingAdmissionPolicy", WARNING)
    assert "the XRD's default" in found.message


def test_an_empty_cluster_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "policies", lambda: tuple(policy(POLICY)))
    world = World(unserved={version for version in World().served() if "crossplane.io" in version})
    found = {(one.check, one.subject): one for one in examine(world.snapshot())}
    assert found["crossplane", "version"].message == "it is not installed: the API server has none of its kinds"
    assert found["feature", "namespaced XRs (XRD v2)"].state is PROBLEM
    assert found["companion", f"ValidatingAdmissionPolicy {POLICY}"].state is PROBLEM


def test_a_function_whose_revision_is_healthy_is_healthy_whatever_it_says_itself(world: World) -> None:
    world.find("Function", FUNCTION)["status"]["conditions"] = [condition("Healthy", "False")]
    assert bad(world) == []
    (told,) = [one for one in examine(world.snapshot()) if one.subject == f"Function {FUNCTION}"]
    assert "external runtime" in told.message


def test_a_function_whose_revision_is_not_healthy_is_not(world: World) -> None:
    revision = world.find("FunctionRevision", f"{FUNCTION}-1")
    revision["status"]["conditions"] = [condition("RevisionHealthy", "False", "X", "cannot pull it")]
    found = only(world)
    assert (found.subject, found.state) == (f"Function {FUNCTION}", PROBLEM)
    assert "cannot pull it" in found.message


def test_only_the_active_revision_of_a_package_counts(world: World) -> None:
    old = world.put(package("Function", FUNCTION, "x:v0")[1])
    old["metadata"]["name"] = f"{FUNCTION}-0"
    old["spec"] |= {"desiredState": "Inactive", "revision": 9}
    old["status"] = {"conditions": [condition("RevisionHealthy", "False")]}
    assert bad(world) == []
    world.find("FunctionRevision", f"{FUNCTION}-1")["spec"]["desiredState"] = "Inactive"
    assert "no active revision" in only(world).message


def test_a_missing_verb_is_named_and_hurts_only_where_an_engine_is_in_use(world: World) -> None:
    clusters = Right("list", "postgresql.cnpg.io", "clusters")
    world.denied.add(clusters)
    found = only(world)
    assert (found.subject, found.state) == ("clusters.postgresql.cnpg.io", PROBLEM)
    assert "Crossplane may not list it" in found.message
    for name in ("kubernetes", "default"):
        world.drop("EnvironmentConfig", name)
    world.drop("XDatabase", "orders")
    world.drop("Namespace", "team-a")
    assert only(world).state is WARNING


def test_kinds_that_lack_the_same_verbs_are_told_together(world: World) -> None:
    world.denied |= {right for right in wants.composed() if right.group != ENVIRONMENT_CONFIG.group}
    found = only(world)
    kinds = {right.what for right in world.denied}
    assert found.subject == f"{len(kinds)} kinds"
    assert found.message.startswith(f"Crossplane may not do anything with {min(kinds)}, ")
    assert found.message.endswith(f"and {len(kinds) - 6} more")


def test_what_crossplane_may_not_do_with_claims_is_told(world: World) -> None:
    world.denied.add(Right("update", "groundplane.dev", "xdatabases/status"))
    found = only(world)
    assert (found.subject, found.state) == ("xdatabases.groundplane.dev/status", PROBLEM)


def test_rights_that_are_not_known_are_not_said_to_be_fine(world: World) -> None:
    blind = replace(world.snapshot(), rights={}, rights_lack=Reading(lack="your user may not ask"))
    (found,) = [one for one in examine(blind) if one.check == "rights"]
    assert (found.state, found.message) == (UNKNOWN, "your user may not ask")


def test_what_may_not_be_read_is_unknown_and_never_said_to_be_missing(world: World) -> None:
    full = world.snapshot()
    forbidden = Reading(lack="your user may not list them")
    blind = replace(full, readings=dict.fromkeys(full.readings, forbidden))
    found = [one for one in examine(blind) if one.check not in {"kubernetes", "feature", "rights", "engine"}]
    assert {one.state for one in found} == {UNKNOWN}
    assert {one.check for one in found} == {
        "crossplane",
        "package",
        "xrd",
        "composition",
        "companion",
        "operator",
        "environment",
        "claim",
    }


def test_without_the_companion_set_protection_is_denied_in_so_many_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    for one in policy(POLICY):
        world.objects.remove(one)
    found = [one for one in bad(world) if one.check == "companion"]
    assert {one.state for one in found} == {PROBLEM}
    protected = [one for one in found if "claims with deletionPolicy Protect are NOT protected" in one.message]
    assert any("groundplane-claim-deletion" in one.message for one in protected)
    assert not any("groundplane-environment" in one.message for one in protected)
    for one in expected.policies():
        world.put(one)
    assert bad(world) == []


def test_policies_of_a_kind_that_is_not_served_are_told_once_as_a_feature(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    world.unserved |= {kind.crd for kind in wants.POLICIES}
    found = bad(world)
    assert {one.check for one in found} == {"feature"}
    assert "NOT protected" in found[0].message


@pytest.mark.parametrize(
    ("conditions", "state", "words"),
    [
        (
            [condition("Accepted", "False", "NotOffered", "write less"), condition("Synced", "False", "E", "boom")],
            PROBLEM,
            "Accepted False NotOffered: write less",
        ),
        (
            [condition("Accepted"), condition("Serving", "False", "EngineFailed", "disk full"), condition("Synced")],
            PROBLEM,
            "Serving False EngineFailed: disk full",
        ),
        (
            [
                condition("Accepted", "Unknown", "FatalError"),
                condition("Serving", "Unknown", "FatalError"),
                condition("Synced", "False", "ReconcileError", "cannot apply"),
                condition("Ready"),
            ],
            PROBLEM,
            "Synced False ReconcileError: cannot apply",
        ),
        (
            [
                condition("Accepted"),
                condition("Serving", "False", "Provisioning", "making it"),
                condition("Synced"),
                condition("Ready", "False", "Creating"),
            ],
            WARNING,
            "Serving False Provisioning: making it",
        ),
    ],
)
def test_a_claim_that_is_not_served_says_why(
    world: World, conditions: list[dict[str, str]], state: State, words: str
) -> None:
    world.put(claim("team-a", "shop", *conditions))
    found = only(world)
    assert (found.check, found.subject, found.state) == ("claim", "XDatabase team-a/shop", state)
    assert found.message == words
    assert "1 of 2 are served" in [one.message for one in examine(world.snapshot())]


def test_a_claim_of_before_the_companion_set_is_told_apart(world: World) -> None:
    refused = world.put(claim("team-a", "shop", condition("Accepted", "False", "EnvironmentIncomplete", "no tier")))
    del refused["status"]["engine"]
    refused["metadata"]["labels"] = {}
    assert "is of environment kubernetes, and the claim does not know" in only(world).remedy
    refused["spec"]["crossplane"] = {"resourceRefs": [{"kind": "Cluster"}]}
    assert "Delete it" not in only(world).remedy


def test_a_claim_without_a_backup_of_late_is_a_warning(world: World) -> None:
    conditions = [condition(kind) for kind in ("Accepted", "Serving", "Synced", "Ready")]
    world.put(claim("team-a", "shop", *conditions, condition("BackupCurrent", "False", "TooOld", "an hour")))
    found = only(world)
    assert (found.state, found.subject) == (WARNING, "XDatabase team-a/shop")
    assert "BackupCurrent False TooOld: an hour" in found.message


def test_only_claims_of_the_namespace_are_read_when_one_is_named(world: World) -> None:
    world.put(claim("team-b", "shop", condition("Accepted", "False", "NotOffered", "no")))
    found = examine(world.snapshot("team-a"))
    assert [one for one in found if one.state is not OK] == []
    assert "1 of 1 in namespace team-a are served" in [one.message for one in found]


def test_a_config_that_is_no_environment_is_left_alone(world: World) -> None:
    world.put(environment("somebody-elses", color="blue"))
    assert bad(world) == []
    assert not [one for one in examine(world.snapshot()) if one.subject == "somebody-elses"]


def test_a_configuration_is_ours_by_its_name_or_its_package(world: World) -> None:
    for one in package("Configuration", "acme-platform", "xpkg.example.org/groundplane/all:v2"):
        world.put(one)
    for one in package("Configuration", "other", "xpkg.example.org/acme/other:v1"):
        world.put(one)
    subjects = [one.subject for one in examine(world.snapshot()) if one.check == "package"]
    assert subjects == ["Configuration acme-platform", "Configuration groundplane", f"Function {FUNCTION}"]


def test_a_listing_that_was_never_read_is_empty() -> None:
    assert World().snapshot().read(Listing(wants.CRD, name="nothing")).items == ()
