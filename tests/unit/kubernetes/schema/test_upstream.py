"""The CRDs of the operators and providers we compose, read as a cluster reads them."""

import copy
import time
from pathlib import Path

import pytest

import upstream
from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import KindSchema, check_rules, check_schema
from small_schemas import lines


def _kind(api_version: str, kind: str) -> KindSchema:
    found = upstream.upstream_registry().find(api_version, kind)
    assert found is not None, f"{api_version} {kind} is not among the CRDs"
    return found


def _with(manifest: Manifest, path: str, value: JSON) -> Manifest:
    """Return *manifest* with *value* at the dotted *path*."""
    changed = copy.deepcopy(manifest)
    place = changed
    *parents, last = path.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return changed


def test_every_upstream_kind_loads_and_passes_the_static_checks() -> None:
    faults = [
        f"{kind.kind}.{kind.group}: {fault}"
        for kind in upstream.upstream_registry()
        for fault in (*check_schema(kind), *check_rules(kind))
    ]
    assert faults == []


def test_no_upstream_kind_chokes_on_an_empty_object() -> None:
    for kind in upstream.upstream_registry():
        bare = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "a"}}
        complaints = lines(kind.validate(kind.default(bare)))
        assert not [line for line in complaints if "unknown field" in line], kind


_CLUSTER: Manifest = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Cluster",
    "metadata": {"name": "orders-db-1", "namespace": "shop", "labels": {"a": "b"}},
    "spec": {
        "instances": 2,
        "imageName": "ghcr.io/cloudnative-pg/postgresql:17",
        "storage": {"size": "20Gi"},
        "resources": {"requests": {"cpu": 1, "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
        "postgresql": {
            "parameters": {"max_connections": "200"},
            "synchronous": {"method": "any", "number": 1},
        },
        "bootstrap": {"initdb": {"database": "app", "owner": "app"}},
        "affinity": {"enablePodAntiAffinity": True, "topologyKey": "kubernetes.io/hostname"},
    },
}


def _about_cluster(manifest: Manifest, old: Manifest | None = None) -> list[str]:
    kind = _kind("postgresql.cnpg.io/v1", "Cluster")
    return lines(kind.validate(kind.default(manifest), old))


def test_a_right_cluster_passes_with_its_defaults() -> None:
    assert _about_cluster(_CLUSTER) == []
    filled = _kind("postgresql.cnpg.io/v1", "Cluster").default(_CLUSTER)
    assert filled["spec"]["primaryUpdateStrategy"] == "unsupervised"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("spec.instances", "2", "must be an integer, not a string; write it without quotes: 2"),
        ("spec.instances", 0, "must be at least 1, not 0"),
        ("spec.instanses", 2, "unknown field (did you mean instances?)"),
        ("spec.postgresql.parameters.shared_buffers", 128, 'must be a string, not an integer; quote it: "128"'),
        ("spec.primaryUpdateMethod", "reboot", '"reboot" is not one of switchover, restart'),
        ("spec.postgresql.synchronous.method", "all", '"all" is not one of any, first'),
        ("spec.postgresql.synchronous.number", 0, "The number of synchronous replicas should be greater than zero"),
    ],
)
def test_a_wrong_cluster_is_refused_at_the_field(path: str, value: JSON, complaint: str) -> None:
    assert _about_cluster(_with(_CLUSTER, path, value)) == [f"{path}: {complaint}"]


def test_a_cluster_with_a_quantity_that_is_none_is_refused() -> None:
    (said,) = _about_cluster(_with(_CLUSTER, "spec.resources.limits.memory", "2GB"))
    assert said.startswith('spec.resources.limits.memory: "2GB" does not match ')


def test_a_cluster_that_breaks_a_rule_gets_its_message() -> None:
    catalog = {"apiGroup": "postgresql.cnpg.io", "kind": "ImageCatalog", "name": "a", "major": 17}
    assert _about_cluster(_with(_CLUSTER, "spec.imageCatalogRef", catalog)) == [
        "spec: imageName and imageCatalogRef are mutually exclusive"
    ]


def test_a_cluster_keeps_its_service_account() -> None:
    old, new = (_with(_CLUSTER, "spec.serviceAccountName", name) for name in ("a", "b"))
    assert _about_cluster(new, old) == ["spec.serviceAccountName: serviceAccountName is immutable"]
    assert _about_cluster(new, new) == []


_INSTANCE: Manifest = {
    "apiVersion": "rds.aws.m.upbound.io/v1beta1",
    "kind": "Instance",
    "metadata": {"name": "orders", "annotations": {"crossplane.io/external-name": "orders"}},
    "spec": {
        "forProvider": {
            "region": "eu-central-1",
            "engine": "postgres",
            "engineVersion": "17",
            "instanceClass": "db.t4g.medium",
            "allocatedStorage": 20,
            "storageEncrypted": True,
            "username": "root",
            "skipFinalSnapshot": False,
        },
        "providerConfigRef": {"kind": "ClusterProviderConfig", "name": "default"},
    },
}


def _about_instance(manifest: Manifest) -> list[str]:
    kind = _kind("rds.aws.m.upbound.io/v1beta1", "Instance")
    return lines(kind.validate(kind.default(manifest)))


def test_a_right_instance_passes() -> None:
    assert _about_instance(_INSTANCE) == []


def test_an_instance_without_a_class_is_refused_by_its_rule() -> None:
    bare = copy.deepcopy(_INSTANCE)
    del bare["spec"]["forProvider"]["instanceClass"]
    assert _about_instance(bare) == ["spec: spec.forProvider.instanceClass is a required parameter"]


def test_an_observed_instance_needs_no_class() -> None:
    bare = _with(_INSTANCE, "spec.managementPolicies", ["Observe"])
    del bare["spec"]["forProvider"]["instanceClass"]
    assert _about_instance(bare) == []


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("spec.forProvider.storageEncrypted", "yes", "must be a boolean, not a string"),
        ("spec.forProvider.engineVersion", 17, 'must be a string, not an integer; quote it: "17"'),
        ("spec.forProvider.backupRetentionDays", 7, "unknown field (did you mean backupRetentionPeriod?)"),
        ("spec.managementPolicy", [], "unknown field (did you mean managementPolicies?)"),
    ],
)
def test_a_wrong_instance_is_refused_at_the_field(path: str, value: JSON, complaint: str) -> None:
    assert _about_instance(_with(_INSTANCE, path, value)) == [f"{path}: {complaint}"]


def test_a_warm_validation_takes_a_few_milliseconds() -> None:
    kind = _kind("postgresql.cnpg.io/v1", "Cluster")
    kind.validate(kind.default(_CLUSTER), _CLUSTER)
    started = time.process_time()
    for _ in range(20):
        kind.validate(kind.default(_CLUSTER), _CLUSTER)
    # Far above what it takes: a rule compiled anew each time is to be noticed, not what else the machine does.
    assert (time.process_time() - started) / 20 < 0.005


def test_yaml_is_read_as_kubernetes_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("---\ntime: 2026-11-24T08:59:00Z\nday: 2026-11-24\neq: =\n---\n---\nn: 1\n")
    assert upstream.load_yaml(file) == [
        {"time": "2026-11-24T08:59:00Z", "day": "2026-11-24", "eq": "="},
        {"n": 1},
    ]


def test_tests_without_crds_skip_and_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDPLANE_CRDS", str(tmp_path / "absent"))
    assert upstream.crds_dir() is None
    with pytest.raises(pytest.skip.Exception, match="make crds"):
        upstream.upstream_registry.__wrapped__()
