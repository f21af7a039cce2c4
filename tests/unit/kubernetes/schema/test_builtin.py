"""Kubernetes' own kinds, as strictly as kubectl asks the API server to check them."""

import pytest

from groundplane.core.manifest import JSON, Manifest
from small_schemas import lines
from upstream import builtin_registry


def _about(api_version: str, kind: str, **sections: JSON) -> list[str]:
    found = builtin_registry().find(api_version, kind)
    assert found is not None
    identity: Manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    return lines(found.validate({**identity, **sections}))


def test_a_right_secret_passes() -> None:
    assert (
        _about(
            "v1",
            "Secret",
            type="servicebinding.io/postgresql",
            data={"password": "aHVudGVyMg==", "ca.crt": ""},
            stringData={"host": "db"},
            immutable=True,
        )
        == []
    )


@pytest.mark.parametrize(
    ("sections", "complaint"),
    [
        ({"data": {"password": "hunter2!"}}, "data.password: the value is not base64"),
        ({"data": {"port": 5432}}, "data.port: must be a string, not an integer"),
        ({"stringData": {"port": 5432}}, "stringData.port: must be a string, not an integer"),
        ({"dat": {}}, "dat: unknown field (did you mean data?)"),
        ({"spec": {}}, "spec: unknown field"),
        (
            {"stringData": {"a/b": "x"}},
            "the keys of stringData consist of letters, digits, '-', '_' and '.'",
        ),
    ],
)
def test_a_wrong_secret_is_refused_without_its_values(sections: JSON, complaint: str) -> None:
    assert _about("v1", "Secret", **sections) == [complaint]


def test_config_maps_are_checked() -> None:
    assert _about("v1", "ConfigMap", data={"a": "b"}, binaryData={"c": "aGk="}) == []
    assert _about("v1", "ConfigMap", data={"port": 5432}) == [
        'data.port: must be a string, not an integer; quote it: "5432"'
    ]


_POLICY: Manifest = {
    "podSelector": {"matchLabels": {"cnpg.io/cluster": "orders"}},
    "policyTypes": ["Ingress"],
    "ingress": [
        {
            "from": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}],
            "ports": [{"port": 5432, "protocol": "TCP"}, {"port": "metrics"}],
        }
    ],
}


def test_a_right_network_policy_passes() -> None:
    assert _about("networking.k8s.io/v1", "NetworkPolicy", spec=_POLICY) == []


@pytest.mark.parametrize(
    ("ingress", "complaint"),
    [
        ({"form": []}, "spec.ingress[0].form: unknown field (did you mean from?)"),
        ({"from": {}}, "spec.ingress[0].from: must be a list, not an object"),
        (
            {"ports": [{"port": 1.5}]},
            "spec.ingress[0].ports[0].port: must be an integer or a string, not a number",
        ),
        (
            {"from": [{"podSelector": {"matchExpressions": [{"key": "a"}]}}]},
            "spec.ingress[0].from[0].podSelector.matchExpressions[0].operator: is required",
        ),
    ],
)
def test_a_wrong_network_policy_is_refused(ingress: Manifest, complaint: str) -> None:
    spec = {**_POLICY, "ingress": [ingress]}
    assert _about("networking.k8s.io/v1", "NetworkPolicy", spec=spec) == [complaint]


def _job(restart: str = "Never", **container: JSON) -> Manifest:
    limits = {"cpu": 1, "memory": "64Mi"}
    whole = {"name": "a", "image": "b", "resources": {"limits": limits}, **container}
    pod = {"restartPolicy": restart, "containers": [whole]}
    return {"backoffLimit": 3, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}


def test_a_right_job_passes() -> None:
    source = {"secretKeyRef": {"name": "s", "key": "k"}}
    job = _job(env=[{"name": "PGPASSWORD", "valueFrom": source}], command=["true"])
    assert _about("batch/v1", "Job", spec=job) == []


@pytest.mark.parametrize(
    ("job", "complaint"),
    [
        (_job(evn=[]), "spec.template.spec.containers[0].evn: unknown field (did you mean env?)"),
        (
            _job(env=[{"value": "x"}]),
            "spec.template.spec.containers[0].env[0].name: is required",
        ),
        (_job("Always"), "a Job's restartPolicy is Never or OnFailure"),
        ({"backoffLimit": 3}, "spec.template: is required"),
    ],
)
def test_a_wrong_job_is_refused(job: Manifest, complaint: str) -> None:
    assert _about("batch/v1", "Job", spec=job) == [complaint]
