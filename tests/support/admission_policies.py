"""Small policies on a plane in this process, and what it answers to a small ConfigMap."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from admission_world import World, refused
from groundplane.core.manifest import JSON, Manifest
from groundplane.local.apiserver import server

GROUP = "admissionregistration.k8s.io/v1"
CONFIG = ("v1", "ConfigMap")
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
PARAMS = {"apiVersion": "apiextensions.crossplane.io/v1beta1", "kind": "EnvironmentConfig"}
SAID = "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 't' with binding 't' denied request: "
DENIED = "configmaps \"a\" is forbidden: policy 't' with binding 't' denied request: "


@contextlib.contextmanager
def bare(path: Path) -> Iterator[World]:
    """Open a plane without any policy in *path*, yield it, and close its store."""
    api = server.open_api(path)
    yield World(api)
    api.store.close()


def policy(name: str = "t", *, rule: Manifest | None = None, **spec: JSON) -> Manifest:
    kind = "MutatingAdmissionPolicy" if "mutations" in spec else "ValidatingAdmissionPolicy"
    again = {"reinvocationPolicy": "IfNeeded"} if "mutations" in spec else {}
    matched = {"matchConstraints": {"resourceRules": [{**RULE, **(rule or {})}]}}
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": {**matched, **again, **spec}}


def bind(plane: World, made: Manifest, **spec: JSON) -> None:
    """Write a policy and its binding."""
    name, kind = made["metadata"]["name"], made["kind"]
    actions = {} if kind.startswith("Mutating") else {"validationActions": ["Deny"]}
    binding = {"apiVersion": GROUP, "kind": f"{kind}Binding", "metadata": {"name": name}}
    plane.create("owner", made, keep=True)
    plane.create("owner", {**binding, "spec": {"policyName": name, **actions, **spec}}, keep=True)


def says(plane: World, expression: str, **spec: JSON) -> None:
    """Bind a policy that refuses everything, and says what *expression* comes to."""
    bind(plane, policy(validations=[{"expression": "false", "messageExpression": expression}], **spec))


def patches(*expressions: str) -> list[JSON]:
    return [{"patchType": "JSONPatch", "jsonPatch": {"expression": one}} for one in expressions]


def put(key: str, value: str, when: str = "true") -> str:
    return f'{when} ? [JSONPatch{{op: "add", path: "/data/{key}", value: {value}}}] : []'


def settings(name: str = "a", namespace: str = "default", **data: str) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"x": "1"}}


def told(plane: World, manifest: Manifest | None = None) -> tuple[int, str, str]:
    error = refused(lambda: plane.create("owner", manifest or settings()))
    return error.code, error.reason, str(error)


def data(plane: World) -> JSON:
    return plane.create("owner", settings()).manifest["data"]


SEEN = (
    'string(has(object.metadata.uid)) + " " + string(has(object.metadata.managedFields)) + " "'
    ' + object.metadata.?name.orValue("-") + " " + request.?name.orValue("-") + " " + request.namespace'
)
