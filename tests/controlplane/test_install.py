"""Groundplane installed from packages, as a platform team does it: from a registry, by Crossplane's package manager."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bareplane import crossplane, groundplane
from bareplane.kubectl import Kubectl
from bareplane.plane import started
from bareplane.waiting import always, eventually
from controlplane import registry as registries
from controlplane.cluster import ENVIRONMENT_LABEL, Cluster, Team, orders
from controlplane.registry import ROOT, Registry, built
from xpkg.build import push

pytestmark = pytest.mark.bare("packages are installed")
WHOLE, DATABASE, FUNCTION = (
    *("groundplane", "groundplane-configuration-database"),
    "groundplane-function-database",
)


COMPOSITIONS = {f"xdatabase-{path.stem}" for path in (ROOT / "compositions" / "database").glob("*.yaml")}


@dataclass(frozen=True)
class Platform:
    """A cluster with operators and the companion set, and a registry that Groundplane is installed from."""

    cluster: Cluster
    registry: Registry

    @property
    def kubectl(self) -> Kubectl:
        return self.cluster.kubectl

    def install(self, version: str) -> None:
        package = self.registry.target(version=version).reference("configuration-groundplane")
        metadata = {"name": WHOLE}
        manifest = {"apiVersion": "pkg.crossplane.io/v1", "kind": "Configuration", "metadata": metadata}
        self.kubectl.apply({**manifest, "spec": {"package": package}})

    def move(self, kind: str, name: str, package: str, version: str) -> None:
        reference = self.registry.target(version=version).reference(package)
        patch = json.dumps({"spec": {"package": reference}})
        self.kubectl("patch", kind, name, "--type=merge", "-p", patch)

    def version(self) -> str:
        """Return the version that is installed."""
        package: str = self.kubectl.get("function.pkg.crossplane.io", FUNCTION)["spec"]["package"]
        return package.rpartition(":")[2]

    def active(self, name: str, version: str) -> str:
        """Return what the active revision of a package says about its health, once it is of *version*."""
        for kind in ("configurationrevisions", "functionrevisions"):
            for one in self.kubectl.get(kind):
                owner = one["metadata"]["labels"]["pkg.crossplane.io/package"]
                if (owner, one["spec"]["desiredState"]) == (name, "Active") and one["spec"]["image"].endswith(version):
                    return next((said(each) for each in one.get("status", {}).get("conditions", [])), "")
        return ""

    def serve_newest(self) -> None:
        """Tell Crossplane that the server that runs serves every revision, as its runtime does for pods."""
        revisions = self.kubectl.get("functionrevisions")
        known = next(one["status"] for one in revisions if one.get("status", {}).get("endpoint"))
        status = {"endpoint": known["endpoint"], "tlsServerSecretName": known["tlsServerSecretName"]}
        for one in revisions:
            words = ("patch", "functionrevision", one["metadata"]["name"], "--subresource=status", "--type=merge")
            self.kubectl(*words, "-p", json.dumps({"status": status}))


def claim() -> dict[str, Any]:
    """Return a claim that says itself where it belongs, as the companion set does for every claim."""
    found = orders()
    found["metadata"]["labels"] = {ENVIRONMENT_LABEL: "kubernetes"}
    return found


def said(condition: dict[str, Any]) -> str:
    return f"{condition['status']} {condition.get('message', '')}".strip()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if why := groundplane.lacking():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("registry")
    with registries.serving(folder) as registry, started() as plane:
        groundplane.operators(plane)
        groundplane.environments(plane)
        groundplane.companion(plane)
        definitions = groundplane.manifests(ROOT / "apis")
        plane.kubectl.apply(*(crossplane.role_for(one) for one in definitions))
        platform = Platform(Cluster(plane.kubectl, plane), registry)
        registry.publish(registry.target())
        platform.install("v0.1.0")
        eventually(lambda: platform.active(FUNCTION, "v0.1.0"))
        groundplane.serve(plane)
        eventually(lambda: knows_claims(plane.kubectl))
        yield platform


def knows_claims(kubectl: Kubectl) -> bool:
    """Tell whether the policies that write claims know the kind: they learn of a new one some seconds late."""
    words = ("create", "--dry-run=server", "--namespace=default", "-f", "-")
    return "There can be a delay" not in kubectl.run(*words, stdin=[claim()]).stderr


def test_one_configuration_brings_function_api_and_compositions(platform: Platform) -> None:
    kubectl = platform.kubectl
    kubectl("wait", "--for=condition=Healthy", "--timeout=60s", f"configuration/{WHOLE}", f"configuration/{DATABASE}")
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "xrd/xdatabases.groundplane.dev")
    assert [one["metadata"]["name"] for one in kubectl.get("functions.pkg.crossplane.io")] == [FUNCTION]
    found = kubectl.get("compositions")
    assert {one["metadata"]["name"] for one in found} == COMPOSITIONS
    assert {step["functionRef"]["name"] for one in found for step in one["spec"]["pipeline"]} == {FUNCTION}


def test_no_provider_is_installed_with_it(platform: Platform) -> None:
    assert platform.kubectl.get("providers.pkg.crossplane.io") == []


def test_its_managed_kinds_are_activated(platform: Platform) -> None:
    policy = platform.kubectl.get("managedresourceactivationpolicy", "groundplane-database")
    assert "instances.rds.aws.m.upbound.io" in policy["spec"]["activate"]


def test_a_claim_becomes_ready(platform: Platform) -> None:
    team = platform.cluster.team()
    team.apply(claim())
    assert team.ready()["status"]["binding"]["name"] == "orders-db-binding"


def newer(registry: Registry, folder: Path, version: str) -> None:
    """Push a *version* whose Compositions can be told from those before."""
    root = folder / "tree"
    for name in ("apis", "compositions", "package"):
        shutil.copytree(ROOT / name, root / name)
    for path in (root / "compositions").rglob("*.yaml"):
        composition = yaml.safe_load(path.read_text())
        composition["metadata"]["labels"]["tests/version"] = version
        path.write_text(yaml.safe_dump(composition))
    target = registry.target(version=version)
    for one in built(target, folder / "built", root=root):
        push(one, target)


def written(team: Team) -> dict[str, tuple[Any, ...]]:
    """Return what stands in every composed object: which it is, and what we ask of it."""
    return {
        name: (one["metadata"]["uid"], one.get("spec"), one["metadata"]["labels"])
        for name, one in team.composed().items()
    }


def test_new_compositions_wait_for_their_function_and_claims_go_on_forth_and_back(
    platform: Platform, tmp_path: Path
) -> None:
    """The newer Compositions compose what the older ones do: no composed object changes, upgraded or rolled back."""
    version, kubectl = "v0.1.1", platform.kubectl
    team = platform.cluster.team()
    team.apply(claim())
    team.ready()
    before, revision = written(team), revision_of(team)
    newer(platform.registry, tmp_path, version)
    platform.move("configuration", WHOLE, "configuration-groundplane", version)
    eventually(lambda: "configuration-database@v0.1.0 is incompatible" in platform.active(WHOLE, version))
    platform.move("configuration", DATABASE, "configuration-database", version)
    eventually(lambda: "function-database@v0.1.0 is incompatible" in platform.active(DATABASE, version))
    assert kubectl.get("compositions", "-l", f"tests/version={version}") == []
    platform.move("function.pkg.crossplane.io", FUNCTION, "function-database", version)
    eventually(lambda: platform.active(FUNCTION, version))
    platform.serve_newest()
    eventually(lambda: len(kubectl.get("compositions", "-l", f"tests/version={version}")) == len(COMPOSITIONS))
    assert platform.active(DATABASE, version) == "True"
    eventually(lambda: revision_of(team) != revision)
    team.ready()
    assert written(team) == before
    for kind, name, package in (
        ("configuration", WHOLE, "configuration-groundplane"),
        ("configuration", DATABASE, "configuration-database"),
        ("function.pkg.crossplane.io", FUNCTION, "function-database"),
    ):
        platform.move(kind, name, package, "v0.1.0")
    eventually(lambda: platform.active(FUNCTION, "v0.1.0"))
    platform.serve_newest()
    eventually(lambda: kubectl.get("compositions", "-l", f"tests/version={version}") == [])
    eventually(lambda: revision_of(team) == revision)
    team.ready()
    assert written(team) == before


def revision_of(team: Team) -> str:
    """Return the revision of the Composition that serves the claim."""
    name: str = team.claim()["spec"]["crossplane"]["compositionRevisionRef"]["name"]
    return name


def test_packages_removed_under_a_claim_take_nothing_with_them_and_can_come_back(platform: Platform) -> None:
    kubectl, version = platform.kubectl, platform.version()
    team = platform.cluster.team()
    team.apply(claim())
    team.ready()
    before = {name: one["metadata"]["uid"] for name, one in team.composed().items()}
    kubectl("delete", "configuration", WHOLE, DATABASE)
    eventually(lambda: kubectl.get("compositions") == [])
    always(lambda: "deletionTimestamp" not in team.claim()["metadata"], 10)
    assert {name: one["metadata"]["uid"] for name, one in team.composed().items()} == before
    definition = kubectl.get("xrd", "xdatabases.groundplane.dev")
    assert "deletionTimestamp" not in definition["metadata"]
    platform.install(version)
    eventually(lambda: "already controlled by" in platform.active(DATABASE, version))
    forget = '[{"op": "remove", "path": "/metadata/ownerReferences"}]'
    kubectl("patch", "xrd", "xdatabases.groundplane.dev", "--type=json", "-p", forget)
    eventually(lambda: platform.active(DATABASE, version) == "True")
    eventually(lambda: len(kubectl.get("compositions")) == len(COMPOSITIONS))
    assert {name: one["metadata"]["uid"] for name, one in team.composed().items()} == before
    another = platform.cluster.team()
    another.apply(claim())
    another.ready()


def test_claims_then_packages_then_policies_can_be_removed(platform: Platform) -> None:
    kubectl, name = platform.kubectl, "xdatabases.groundplane.dev"
    consent = f"groundplane.dev/delete-consent={name}"
    for one in kubectl.get("xdatabases", "--all-namespaces"):
        words = ("-n", one["metadata"]["namespace"], "xdatabase", one["metadata"]["name"])
        kubectl("patch", *words, "--type=merge", "-p", '{"spec":{"deletionPolicy":"Delete"}}')
        kubectl("wait", *words, "--for=jsonpath={.status.deletion.inForce}=Delete", "--timeout=50s")
        kubectl("delete", *words)
    eventually(lambda: kubectl.get("clusters.postgresql.cnpg.io", "--all-namespaces") == [])
    kubectl("delete", "configuration", WHOLE, "--cascade=foreground")
    kubectl("delete", "configuration", DATABASE, "--cascade=foreground", "--wait=false")
    kubectl("annotate", "xrd", name, consent)
    kubectl("delete", "xrd", name, "--wait=false")
    kubectl("annotate", "crd", name, consent)
    kubectl("wait", "--for=delete", "--timeout=50s", f"xrd/{name}", f"configuration/{DATABASE}")
    kubectl("delete", "function.pkg.crossplane.io", FUNCTION, "--cascade=foreground")
    packages = "configurations,functions.pkg.crossplane.io,configurationrevisions,functionrevisions"
    gone = f"{packages},xrds,compositions,managedresourceactivationpolicies"
    eventually(lambda: kubectl.get(gone) == [])
    always(lambda: kubectl.get(gone) == [], 10)
    kubectl("delete", "-k", groundplane.COMPANION)
    policies = "validatingadmissionpolicies,mutatingadmissionpolicies,clusterroles,environmentconfigs"
    left = {one["metadata"]["name"] for one in kubectl.get(policies) if "groundplane" in one["metadata"]["name"]}
    assert left == {f"crossplane:composite:{name}:aggregate-to-crossplane"}
