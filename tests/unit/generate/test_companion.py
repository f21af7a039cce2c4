"""The companion set offline: complete, the same as what it is generated from, and in the form that clusters take."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import catalogue
from groundplane import contracts, engines
from groundplane.contracts.common import CommonSpec
from groundplane.contracts.environment import Environment
from groundplane.contracts.resolve import resolve
from groundplane.contracts.tiers import PRESETS
from groundplane.core.claim import Claim
from groundplane.core.slot import Slot
from groundplane.engines.interface import all_kinds
from groundplane.generate import companion
from groundplane.generate.companion import claim, definitions, objects, roles, runtime
from groundplane.generate.companion._policy import Policy, told

SET = catalogue.ROOT / "package" / "companion"
OVERLAYS = catalogue.ROOT / "package" / "overlays"
MUTATING = {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}
POLICIES = [policy for found in companion.policies().values() for policy in found]
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.name}")


def built(folder: Path) -> list[dict[str, Any]]:
    """Return what `kubectl apply -k` would apply."""
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of_kind(manifests: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [one for one in manifests if one["kind"] in kinds]


def identity(one: dict[str, Any]) -> tuple[str, str]:
    return one["kind"], one["metadata"]["name"]


def test_kubectl_builds_every_manifest_of_the_set() -> None:
    written = [one for found in companion.files().values() for one in found if one["kind"] != "Kustomization"]
    assert sorted(map(identity, built(SET))) == sorted(map(identity, written))


def test_a_cluster_that_cannot_mutate_gets_everything_else() -> None:
    whole, old = built(SET), built(OVERLAYS / "before-1.36")
    assert of_kind(whole, *MUTATING)
    assert of_kind(old, *MUTATING) == []
    assert [one for one in whole if one["kind"] not in MUTATING] == old


def test_the_overlay_for_kind_adds_an_environment_for_development() -> None:
    added = [one for one in built(OVERLAYS / "kind") if one not in built(SET)]
    (environment,) = added
    assert environment["metadata"]["name"] == "default"
    data = Environment.model_validate(environment["data"])
    providers = {name: engines.load(name, engine).provider for name, engine in data.engines.items()}
    assert providers == dict.fromkeys(contracts.names(), "kubernetes")
    claim_of = Claim("XDatabase", "db", "sandbox", "scratch", "u", 1, "default")
    effective = resolve("database", claim_of, CommonSpec.model_validate({"tier": "Development"}), data)
    assert not effective.backups


def test_the_overlay_for_kind_needs_the_operator_and_nothing_else() -> None:
    words = ["render", "examples/claims/development.yaml", "--environment", "package/overlays/kind/environment.yaml"]
    absent = [word for group in ("barmancloud.cnpg.io", "monitoring.coreos.com") for word in ("--absent", group)]
    command = [sys.executable, "-m", "groundplane", *words, *absent, "-o", "tree"]
    done = subprocess.run(command, cwd=catalogue.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Accepted      True" in done.stdout


@every_policy
def test_a_policy_fails_closed_and_is_known_by_its_label_and_name(policy: Policy) -> None:
    rule, bound = policy.manifests()
    assert rule["spec"]["failurePolicy"] == "Fail"
    assert bound["spec"]["policyName"] == rule["metadata"]["name"] == f"groundplane-{policy.name}"
    assert bound["spec"].get("validationActions", ["Deny"]) == ["Deny"]
    assert ("paramRef" in bound["spec"]) == ("paramKind" in rule["spec"])
    assert bound["spec"].get("paramRef", {"parameterNotFoundAction": "Deny"})["parameterNotFoundAction"] == "Deny"
    for one in (rule, bound):
        assert one["metadata"]["labels"] == {"groundplane.dev/companion": "policy"}


@every_policy
def test_a_policy_reads_users_only_where_it_is_given_them(policy: Policy) -> None:
    rule, _ = policy.manifests()
    assert ("params).data.users" in str(rule)) <= (not policy.plain and not policy.environments)


@every_policy
def test_a_refusal_says_what_to_do(policy: Policy) -> None:
    remedies = re.compile(r"kubectl|Leave|Remove|Correct|Ask|needs the lists|verb override|change the Secret")
    assert [entry.message for entry in policy.validations if not remedies.search(entry.message)] == []


@every_policy
def test_no_policy_selects_by_what_crossplane_strips(policy: Policy) -> None:
    assert 'crossplane.io/composite"' not in str(policy.manifests())


def test_a_message_speaks_cel_where_it_says_so() -> None:
    assert told("a [[b.c]] d[[e[f]]]") == '"a " + (b.c) + " d" + (e[f])'


def test_the_deletion_policy_of_a_tier_is_the_contracts() -> None:
    table = claim.presets()
    assert table.keys() == {contracts.load(name).plural for name in contracts.names()}
    for name in contracts.names():
        for tier, preset in PRESETS[name].items():
            assert table[contracts.load(name).plural][tier] == preset.deletion_policy


def test_every_kind_that_an_engine_composes_is_guarded_identified_and_kept_defined() -> None:
    kinds = companion.kinds()
    composed = {
        kind for engine in catalogue.engines() for kind in all_kinds(engines.load(engine.contract, engine.name))
    }
    assert set(kinds) == composed
    for policy in objects.policies(kinds)[:2]:
        seen = {(rule["apiGroups"][0], plural) for rule in policy.scope.rules for plural in rule["resources"]}
        assert seen == {(kind.group, kind.plural) for kind in composed}
    assert {kind.crd for kind in composed if not kind.builtin} < set(definitions.definitions(kinds))
    assert {f"{contracts.load(name).plural}.groundplane.dev" for name in contracts.names()} < set(
        definitions.definitions(kinds)
    )


@pytest.mark.parametrize("name", ["cnpg-1", "rds-12345"])
def test_a_consent_is_a_slot(name: str) -> None:
    assert Slot.parse(name)
    assert re.search(objects.SLOT_PATTERN, name)
    assert not re.search(objects.SLOT_PATTERN, name.partition("-")[0])


def test_the_function_runs_twice_and_with_no_more_than_it_needs() -> None:
    spec = runtime.config()["spec"]["deploymentTemplate"]["spec"]
    assert spec["replicas"] == 2
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert container["name"] == "package-runtime", "the name that Crossplane looks for"
    rights = {**pod["securityContext"], **container["securityContext"]}
    assert rights["runAsNonRoot"]
    assert rights["readOnlyRootFilesystem"]
    assert not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    (spread,) = pod["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


VIRTUAL = {"groundplane:choose": ("engines", "choose"), "groundplane:override": ("claims", "override")}


def test_roles_give_people_claims_and_nothing_they_are_made_of() -> None:
    found = {one["metadata"]["name"]: one for one in of_kind(built(SET), "ClusterRole")}
    plurals = {contracts.load(name).plural for name in contracts.names()}
    for name, role in found.items():
        (rule, *others) = role["rules"]
        if name == "groundplane:aggregate-to-crossplane":
            continue
        assert not others
        assert rule["apiGroups"] == ["groundplane.dev"]
        if name in VIRTUAL:
            assert (*rule["resources"], *rule["verbs"]) == VIRTUAL[name]
            assert not role["metadata"].get("labels"), "nobody gets it but by a binding"
        else:
            assert set(rule["resources"]) == plurals, "claims, and no status"
    assert "*" not in str(list(found.values()))
    assert found["groundplane:service-binding"]["metadata"]["labels"] == {"servicebinding.io/controller": "true"}


def test_the_page_names_every_policy_and_every_break_of_a_rule() -> None:
    page = (catalogue.ROOT / "docs" / "safety.md").read_text()
    assert [policy.name for policy in POLICIES if f"`groundplane-{policy.name}`" not in page] == []
    for word in (*VIRTUAL, "groundplane.dev/delete-anyway", "groundplane.dev/delete-consent", "groundplane-companion"):
        assert word in page


def test_every_scenario_that_the_page_names_is_there() -> None:
    page = (catalogue.ROOT / "docs" / "safety.md").read_text()
    folder = catalogue.ROOT / "tests" / "controlplane"
    code = "\n".join(path.read_text() for path in sorted(folder.glob("test_*.py")))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert named
    assert {name for name in named if f"def {name}(" not in code} == set()
    tried = set(re.findall(r"(?m)^def (test_\w+)", "\n".join(p.read_text() for p in folder.glob("test_policies*.py"))))
    assert tried - named == set(), "a row of the table for each"


def test_an_overlay_names_other_users(tmp_path: Path) -> None:
    """The overlay of the page, on a copy of the set."""
    page = (catalogue.ROOT / "docs" / "safety.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(apiVersion: kustomize.+?)```", page, re.DOTALL)
    shutil.copytree(SET, tmp_path / "companion")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "kustomization.yaml").write_text(overlay.replace("<where you keep it>/package", ".."))
    found = {one["metadata"]["name"]: one for one in of_kind(built(tmp_path / "ours"), "EnvironmentConfig")}
    users = found["groundplane-companion"]["data"]["users"]
    assert users == {**roles.USERS, "crossplane": ["system:serviceaccount:upbound-system:crossplane"]}
