"""Answers that our own function never gives, each with the claim and the objects that it is given for."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

import rendering
from catalogue import Manifest
from rendering import add
from scenarios import NOON, Asked

Change = Callable[[fnv1.RunFunctionResponse], object]
Answer = Callable[[fnv1.RunFunctionRequest], fnv1.RunFunctionResponse]
UID = "11111111-1111-4111-8111-111111111111"


def answered(*changes: Change) -> Answer:
    """Return an answer that is all *changes* made to an empty response, one after another."""

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        for change in changes:
            change(response)
        return response

    return answer


def desires(*names: str, **more: Any) -> Change:
    """Desire Clusters of these composed names."""

    def change(response: fnv1.RunFunctionResponse) -> None:
        for name in names:
            add(response, name, **deepcopy(more))

    return change


def ready(word: fnv1.Ready) -> Change:
    """Say whether the claim is ready."""

    def change(response: fnv1.RunFunctionResponse) -> None:
        response.desired.composite.ready = word

    return change


def status(**fields: Any) -> Change:
    """Desire a status of the claim."""

    def change(response: fnv1.RunFunctionResponse) -> None:
        response.desired.composite.resource.update({"status": fields})

    return change


def condition(kind: str, word: fnv1.Status = fnv1.STATUS_CONDITION_TRUE, **more: str) -> Change:
    """Say a condition."""
    return lambda response: response.conditions.append(fnv1.Condition(type=kind, status=word, **more))


def result(severity: fnv1.Severity, **more: str) -> Change:
    """Say a result."""
    return lambda response: response.results.append(fnv1.Result(severity=severity, **more))


def requires(name: str, /, **selector: Any) -> Change:
    """Require objects."""

    def change(response: fnv1.RunFunctionResponse) -> None:
        response.requirements.resources[name].CopyFrom(fnv1.ResourceSelector(**selector))

    return change


def asked(
    *observed: Manifest, required: Iterable[Manifest] = (), claim: Manifest | None = None, **composition: Any
) -> Asked:
    """Return a claim of the tests of the render, with what is around it."""
    metadata = {"name": "orders", "namespace": "default", "uid": UID}
    the = {**rendering.claim(), "metadata": metadata}
    the = {**the, **(claim or {}), "metadata": {**metadata, **(claim or {}).get("metadata", {})}}
    the["spec"] = {**the["spec"], "crossplane": {"compositionRef": {"name": "xdatabase-cnpg"}}}
    return Asked(the, rendering.composition(**composition), [*observed], [*required], [], NOON, "")


def live(name: str, /, **metadata: Any) -> Manifest:
    """Return an object that the claim composed."""
    owner = {"apiVersion": "groundplane.dev/v1alpha1", "kind": "XDatabase", "name": "orders", "uid": UID}
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {
            "name": f"live-{name}",
            "namespace": "default",
            "annotations": {"crossplane.io/composition-resource-name": name},
            "labels": {"crossplane.io/composite": "orders"},
            "ownerReferences": [{**owner, "controller": True}],
            **metadata,
        },
    }


def labelled(labels: dict[str, str]) -> Manifest:
    """Return what makes a claim wear *labels*."""
    return {"metadata": {"labels": labels}}


def config(namespace: str, name: str, **labels: str) -> Manifest:
    """Return a ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
    }


def step(name: str, **more: Any) -> Manifest:
    """Return a step of a pipeline."""
    return {"step": name, "functionRef": {"name": "groundplane-function-database"}, **more}


def handed_on(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
    """Hand on what earlier steps said, and add something to all of it."""
    response = fnv1.RunFunctionResponse(desired=request.desired, context=request.context)
    number = len(request.desired.resources)
    add(response, f"db-{number}", ready=bool(number))
    response.context.update({f"step-{number}": number})
    condition(f"Step{number}")(response)
    result(fnv1.SEVERITY_NORMAL, message=f"step {number}")(response)
    return response


def never_the_same(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
    """Require another object in every call."""
    longest = max(request.required_resources, key=len, default="")
    return answered(requires(f"{longest}x", api_version="v1", kind="ConfigMap", match_name="a"))(request)


OWN = {"apiVersion": "groundplane.dev/v1alpha1", "kind": "XDatabase", "name": "orders", "uid": UID}
OTHER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "else", "uid": "another"}
NUMBERS: Manifest = {
    "whole": 3,
    "large": 2**52 + 1,
    "half": 0.5,
    "none": None,
    "list": [1, True, None],
    "empty": [{}, []],
}
OLD = {"type": "Kept", "status": "True", "reason": "Fine", "lastTransitionTime": "2026-11-24T11:00:00Z"}
PULL = {"name": "pull", "source": "Secret", "secretRef": {"namespace": "default", "name": "creds"}}
ALREADY = {"requirementName": "it", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "x", "name": "a"}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "creds", "namespace": "default"},
    "data": {"a": "YQ=="},
}

CASES: dict[str, tuple[Answer, Asked]] = {
    "nothing at all": (answered(), asked()),
    "nothing where something was": (answered(), asked(live("db"))),
    "a name to be generated": (answered(desires("db")), asked()),
    "a prefix for a name": (answered(desires("db", metadata={"generateName": "some-"})), asked()),
    "a prefix that is too long": (answered(desires("db", metadata={"generateName": "a" * 60 + "-"})), asked()),
    "a prefix of another claim": (
        answered(desires("db")),
        asked(claim={"metadata": {"labels": {"crossplane.io/composite": "root"}}}),
    ),
    "another name for what is there": (answered(desires("db", object_name="new")), asked(live("db"))),
    "a name for what had it generated": (
        answered(desires("db", object_name="new")),
        asked(live("db", generateName="live-")),
    ),
    "another namespace": (answered(desires("db", metadata={"namespace": "other"})), asked()),
    "labels that are Crossplane's": (
        answered(
            desires(
                "db", metadata={"labels": {"crossplane.io/composite": "no", "kept": "yes"}, "annotations": {"a": "b"}}
            )
        ),
        asked(),
    ),
    "labels of a claim of the first kind": (
        answered(desires("db")),
        asked(claim=labelled({"crossplane.io/claim-name": "a", "crossplane.io/claim-namespace": "b"})),
    ),
    "other owners": (answered(desires("db", metadata={"ownerReferences": [OTHER]})), asked()),
    "its own owner": (answered(desires("db", metadata={"ownerReferences": [OWN, OTHER]})), asked()),
    "numbers and nothings": (answered(desires("db", spec=NUMBERS)), asked()),
    "readiness of each": (answered(desires(*"abcde"), desires("f", ready=True)), asked()),
    "readiness of all": (answered(desires("a", ready=True)), asked()),
    "a claim that is ready all the same": (answered(desires("a"), ready(fnv1.READY_TRUE)), asked()),
    "a claim that is not ready all the same": (answered(desires("a", ready=True), ready(fnv1.READY_FALSE)), asked()),
    "a status": (answered(status(engine="cnpg", numbers=NUMBERS)), asked(claim={"status": {"old": 1}})),
    "conditions in the status": (
        answered(status(conditions=[{**OLD, "type": "Written"}, {**OLD, "reason": "Other"}]), condition("Said")),
        asked(claim={"status": {"conditions": [OLD]}}),
    ),
    "conditions of Crossplane's own": (
        answered(*(condition(kind, reason="Lie") for kind in ("Ready", "Synced", "Healthy", "UpToDate", "Responsive"))),
        asked(),
    ),
    "conditions with little in them": (
        answered(condition("A", fnv1.STATUS_CONDITION_UNSPECIFIED), condition("B"), condition("B", reason="Again")),
        asked(),
    ),
    "conditions that stay": (
        answered(condition("Kept", reason="Fine"), condition("New", message="words")),
        asked(claim={"metadata": {"generation": 2}, "status": {"conditions": [OLD, {**OLD, "type": "Unsaid"}]}}),
    ),
    "results of every kind": (
        answered(
            result(fnv1.SEVERITY_NORMAL, message="a"),
            result(fnv1.SEVERITY_WARNING, message="b", reason="Because"),
            result(fnv1.SEVERITY_UNSPECIFIED, message="of no severity"),
        ),
        asked(),
    ),
    "a fatal result among others": (
        answered(
            desires("db"),
            condition("Said"),
            result(fnv1.SEVERITY_WARNING, message="before"),
            result(fnv1.SEVERITY_FATAL, message="no"),
            result(fnv1.SEVERITY_WARNING, message="after"),
            result(fnv1.SEVERITY_FATAL, message="never", reason="Because"),
        ),
        asked(live("db"), live("old"), claim={"status": {"engine": "x", "conditions": [OLD]}}),
    ),
    "another kind": (answered(desires("db", kind="Instance")), asked(live("db"))),
    "less than there is": (answered(desires("a")), asked(live("a"), live("b"), live("c", ownerReferences=[]))),
    "objects by name": (
        answered(requires("it", api_version="v1", kind="ConfigMap", match_name="a", namespace="x")),
        asked(required=[config("x", "a"), config("y", "a")]),
    ),
    "an object that is not there": (
        answered(requires("it", api_version="v1", kind="ConfigMap", match_name="b", namespace="x")),
        asked(required=[config("x", "a")]),
    ),
    "objects that the Composition requires already": (
        answered(requires("it", api_version="v1", kind="ConfigMap", match_name="a", namespace="x")),
        asked(required=[config("x", "a")], pipeline=[step("one", requirements={"requiredResources": [ALREADY]})]),
    ),
    "objects by label": (
        answered(requires("it", api_version="v1", kind="ConfigMap", match_labels=fnv1.MatchLabels(labels={"a": "1"}))),
        asked(
            required=[
                config("y", "b", a="1"),
                config("x", "c", a="1"),
                config("x", "b", a="2"),
                config("x", "a", a="1"),
            ]
        ),
    ),
    "all objects of a namespace": (
        answered(requires("it", api_version="v1", kind="ConfigMap", namespace="x")),
        asked(required=[config("y", "b"), config("x", "c"), config("x", "b")]),
    ),
    "several steps": (handed_on, asked(pipeline=[step("one"), step("two", input={"engine": "x"}), step("three")])),
    "credentials": (answered(), asked(required=[SECRET], pipeline=[step("one", credentials=[PULL])])),
    "connection details": (
        answered(desires("db")),
        asked({**live("db"), "spec": {"writeConnectionSecretToRef": {"name": "creds"}}}, required=[SECRET]),
    ),
}
FAILURES: dict[str, tuple[Answer, Asked]] = {
    "no name that an API server takes": (answered(desires("db", object_name="Not_A_Name")), asked(live("old"))),
    "an object that is another's": (
        answered(desires("db", metadata={"ownerReferences": [{**OTHER, "controller": True}]})),
        asked(live("old")),
    ),
    "requirements that never settle": (never_the_same, asked(live("old"))),
    "credentials that are not there": (answered(), asked(live("old"), pipeline=[step("one", credentials=[PULL])])),
}
