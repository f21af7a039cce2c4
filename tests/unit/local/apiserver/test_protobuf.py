"""Protobuf, as typed clients send it and ask for it: the messages, and the same over HTTP."""

import struct
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.protobuf import codec, messages
from plane_process import Running, running, widget, widget_definition

PROTOBUF = "application/vnd.kubernetes.protobuf"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
CONFIGS = "/api/v1/namespaces/default/configmaps"
PARTIAL = f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
META: Manifest = {
    "name": "a",
    "namespace": "b",
    "uid": "c",
    "resourceVersion": "7",
    "generation": 2,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "deletionTimestamp": "1969-12-31T23:59:59Z",  # before the epoch
    "deletionGracePeriodSeconds": 0,
    "labels": {"x": "ü", "empty": ""},
    "annotations": {"y": "1"},
    "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": False}],
    "finalizers": ["one", "two"],
    "managedFields": [
        {
            "manager": "m",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, 'k:{"a":1}': {}}},
        }
    ],
}
REFERENCE = {"kind": "Lease", "namespace": "n", "name": "x", "uid": "u", "apiVersion": "v1", "fieldPath": "spec"}
SERIES = {"count": 3, "lastObservedTime": "2026-01-01T00:00:00.000001Z"}
RESOURCES = {
    "namespaceSelector": {"matchLabels": {"a": "b"}},
    "objectSelector": {"matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]},
    "resourceRules": [
        {
            "resourceNames": ["n"],
            "operations": ["CREATE", "UPDATE"],
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "resources": ["secrets"],
            "scope": "*",
        }
    ],
    "matchPolicy": "Equivalent",
}
EXPRESSION = {"name": "n", "expression": "true"}
OBJECTS: list[Manifest] = [
    {"apiVersion": "v1", "kind": "Namespace", "spec": {"finalizers": ["k"]}, "status": {"phase": "Active"}},
    {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"a": "/wA=", "b": ""}, "immutable": False},
    {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "", "b": "x" * 300}, "binaryData": {"c": "AA=="}},
    {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": REFERENCE,
        "source": {"component": "c", "host": "h"},
        "count": -1,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "eventTime": "2026-01-01T00:00:00.123456Z",
        "series": SERIES,
        **{key: key for key in ("reason", "message", "type", "action", "reportingComponent", "reportingInstance")},
    },
    {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "regarding": REFERENCE,
        "related": REFERENCE,
        "deprecatedSource": {"component": "c"},
        "deprecatedCount": 4,
        "deprecatedLastTimestamp": "2026-01-01T00:00:00Z",
        "series": SERIES,
        **{key: key for key in ("reason", "note", "type", "action", "reportingController", "reportingInstance")},
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "spec": {
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "failurePolicy": "Fail",
            "matchConstraints": RESOURCES,
            "matchConditions": [EXPRESSION],
            "variables": [EXPRESSION],
            "auditAnnotations": [{"key": "k", "valueExpression": "'v'"}],
            "validations": [{"expression": "true", "message": "m", "reason": "Invalid", "messageExpression": "'m'"}],
        },
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "observedGeneration": 2}]},
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "spec": {
            "matchConstraints": RESOURCES,
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}],
            "variables": [EXPRESSION],
            "reinvocationPolicy": "Never",
        },
    },
    *(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}AdmissionPolicyBinding",
            "spec": {
                "policyName": "p",
                "paramRef": {"name": "n", "selector": {}, "parameterNotFoundAction": "Deny"},
                "matchResources": RESOURCES,
                **more,
            },
        }
        for kind, more in (("Mutating", {}), ("Validating", {"validationActions": ["Deny", "Audit"]}))
    ),
    {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        # What is let go of is held by nobody, which is said.
        "spec": {"holderIdentity": "", "leaseTransitions": 0, "renewTime": "2026-01-01T00:00:00.000000Z"},
    },
]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data") as made:
        yield made


@pytest.mark.parametrize("sent", OBJECTS, ids=lambda sent: f"{sent['apiVersion']}-{sent['kind']}")
def test_an_object_comes_back_as_it_was(sent: Manifest) -> None:
    whole = {**sent, "metadata": META}
    assert codec.decoded(codec.encoded(whole)) == whole


def test_there_is_an_object_of_every_kind_here() -> None:
    kinds = {kind for kind in messages.WRITTEN if not kind[1].endswith("List") and kind[0] != "meta.k8s.io/v1"}
    assert {(one["apiVersion"], one["kind"]) for one in OBJECTS} == kinds - {("v1", "Status")}


def test_a_lease_is_these_bytes() -> None:
    # As client-go wrote it; it says of a name's neighbours, too, that they are empty.
    name, unset = b"\x0a\x06leader", bytes.fromhex("12001a0022002a00320038004200")
    spec = b"\x12\x13" + bytes.fromhex("0a0161100f1a0a0880f2d6ca0610f8c0072800")
    head, tail = b"k8s\0\x0a\x1f\x0a\x16coordination.k8s.io/v1\x12\x05Lease\x12", b"\x1a\x00\x22\x00"
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader"},
        "spec": {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-01-01T00:00:00.000123Z",
            "leaseTransitions": 0,
        },
    }
    assert codec.decoded(head + b"\x2d\x0a\x16" + name + unset + spec + tail) == lease
    assert codec.encoded(lease) == head + b"\x1f\x0a\x08" + name + spec + tail


def answered(plane: Running, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, bytes]:
    """Return status, media type and body, which are no text."""
    sent = {"Authorization": f"Bearer {plane.token}", "Accept": PROTOBUF}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(plane.server + path, data=body, method=method, headers=sent)  # noqa: S310  # loopback
    try:
        with urllib.request.urlopen(request, context=plane.context, timeout=20) as response:  # noqa: S310  # loopback
            return response.status, response.headers["Content-Type"], response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def lease(name: str, holder: str = "a", version: str = "") -> bytes:
    metadata = {"name": name, "namespace": "default", **({"resourceVersion": version} if version else {})}
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 5, "renewTime": "2026-01-01T00:00:00.000001Z"}
    kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    return codec.encoded({**kind, "metadata": metadata, "spec": spec})


def test_a_lease_is_made_read_and_held_by_one(plane: Running) -> None:
    code, kind, body = answered(plane, "POST", LEASES, lease("held"), Content_Type=PROTOBUF)
    made = codec.decoded(body)
    assert (code, kind, made["spec"]["holderIdentity"]) == (201, PROTOBUF, "a")
    version = made["metadata"]["resourceVersion"]
    assert answered(plane, "PUT", f"{LEASES}/held", lease("held", "b", version), Content_Type=PROTOBUF)[0] == 200
    code, kind, body = answered(plane, "PUT", f"{LEASES}/held", lease("held", "c", version), Content_Type=PROTOBUF)
    assert (code, kind) == (409, PROTOBUF)
    assert b"the object has been modified" in body
    assert answered(plane, "PUT", f"{LEASES}/held", lease("held", "c"), Content_Type=PROTOBUF)[0] == 422
    read = codec.decoded(answered(plane, "GET", f"{LEASES}/held")[2])
    assert read["spec"] == {
        "holderIdentity": "b",
        "leaseDurationSeconds": 5,
        "renewTime": "2026-01-01T00:00:00.000001Z",
    }
    assert plane.ask("GET", f"{LEASES}/held").body["spec"] == read["spec"]


def test_a_patch_is_answered_in_protobuf_too(plane: Running) -> None:
    plane.ask("POST", CONFIGS, {"metadata": {"name": "patched"}})
    strategic = "application/strategic-merge-patch+json"
    code, kind, body = answered(plane, "PATCH", f"{CONFIGS}/patched", b'{"data":{"a":"b"}}', Content_Type=strategic)
    assert (code, kind, codec.decoded(body)["data"]) == (200, PROTOBUF, {"a": "b"})


def test_a_watch_in_protobuf_is_a_row_of_frames(plane: Running) -> None:
    made = plane.ask("POST", CONFIGS, {"metadata": {"name": "framed"}, "data": {"a": "b"}}).body["metadata"]
    plane.ask("DELETE", f"{CONFIGS}/framed")
    query = f"watch=1&timeoutSeconds=1&resourceVersion={int(made['resourceVersion']) - 1}"
    code, kind, body = answered(plane, "GET", f"{CONFIGS}?{query}&fieldSelector=metadata.name%3Dframed")
    assert (code, kind) == (200, f"{PROTOBUF};stream=watch")
    seen = []
    while body:
        (length,) = struct.unpack(">I", body[:4])
        event, body = body[4 : 4 + length], body[4 + length :]
        seen.append(event)
    assert [one[:7] for one in seen] == [b"\x0a\x05ADDED", b"\x0a\x07DELET"]
    assert b"k8s\0" in seen[0]


@pytest.mark.parametrize(
    ("path", "accept", "code", "kind"),
    [
        (f"{LEASES}/none", PROTOBUF, 404, PROTOBUF),
        (f"{LEASES}/none", f"{PROTOBUF},application/json", 404, PROTOBUF),
        (f"{LEASES}/none", "application/json", 404, "application/json"),
        (LEASES, "text/html", 406, "application/json"),
        (LEASES, PROTOBUF, 200, PROTOBUF),
        (LEASES, f"{PARTIAL},application/json", 200, PROTOBUF),
        (LEASES, f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json", 200, "application/json"),
        ("/apis/example.dev/v1/widgets", PROTOBUF, 406, PROTOBUF),
        ("/apis/example.dev/v1/widgets", f"{PROTOBUF},application/json", 200, "application/json"),
        ("/apis/example.dev/v1/widgets", PARTIAL, 200, PROTOBUF),
    ],
)
def test_protobuf_is_answered_where_there_is_a_message(
    plane: Running, path: str, accept: str, code: int, kind: str
) -> None:
    plane.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widget_definition())
    plane.ask("POST", "/apis/example.dev/v1/namespaces/default/widgets", widget("kept"))
    assert answered(plane, "GET", path, Accept=accept)[:2] == (code, kind)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("soon", 'as "2006-01-02T15:04:05.000000Z07:00": cannot parse "soon" as "2006"'),
        ("2026-01-01T00:00:00Z", 'cannot parse "Z" as ".000000"'),
        ("2026-13-01T00:00:00.000000Z", "out of range"),
    ],
)
def test_a_time_that_is_none_is_refused(plane: Running, written: str, said: str) -> None:
    answer = plane.ask("POST", LEASES, {"metadata": {"name": "late"}, "spec": {"renewTime": written}})
    assert answer.code == 400
    assert said in answer.body["message"]


def test_a_time_is_kept_in_utc(plane: Running) -> None:
    body = {"metadata": {"name": "zoned"}, "spec": {"renewTime": "2026-01-01T02:00:00.500000+02:00"}}
    assert plane.ask("POST", LEASES, body).body["spec"]["renewTime"] == "2026-01-01T00:00:00.500000Z"
