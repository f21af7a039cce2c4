"""The tree is for a person: everything at a glance, in 80 columns."""

from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.render import reconcile
from groundplane.render.output import Rendered
from groundplane.render.output_tree import as_tree
from rendering import Manifest, add, claim, composition, one_cluster, refuse

LONG = "the binding is complete when the password has been written, which the operator does. " * 3


def full(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
    response = one_cluster(request)
    response.conditions.append(
        fnv1.Condition(type="Serving", status=fnv1.STATUS_CONDITION_FALSE, reason="Provisioning", message=LONG)
    )
    response.context.update(
        {"groundplane.dev/footprint": {"instances": 2, "size": "1 CPU", "storage": "20Gi", "backup": ""}}
    )
    status: dict[str, Any] = {
        "binding": {"name": "orders-db-binding"},
        "waived": [
            {"guarantee": "FailureTolerance", "asked": "Node", "given": "None"},
            {"guarantee": "ScheduledDrill", "given": "NotYet"},
        ],
    }
    response.desired.composite.resource.update({"status": status})
    return response


def tree(answer: Any = full, *observed: Manifest, colour: bool = False) -> str:
    the = {
        **claim(),
        "metadata": {"name": "orders", "labels": {"groundplane.dev/environment": "prod"}},
    }
    outcome = reconcile(the, composition(), observed, function=answer)
    return as_tree([Rendered("orders.yaml", the, outcome)], colour=colour)


@pytest.mark.parametrize(
    "line",
    [
        "XDatabase default/orders",
        "  Environment   prod",
        "  Composition   xdatabase-cnpg (engine cnpg)",
        "  Accepted      True Honoured",
        "  Serving       False Provisioning",
        "  Settled       Unknown",
        "  Waived        FailureTolerance: asked Node, given None",
        "  Waived        ScheduledDrill: given NotYet",
        "  Binding       orders-db-binding",
        "  Costs         2 instances of 1 CPU; 20Gi storage each",
        "  Resources     2, 1 ready",
        "    cnpg-1",
        "      ready  Cluster              orders-db-1",
        "    for the whole claim",
        "        -    Secret               orders-db-binding",
    ],
)
def test_a_person_sees_at_a_glance(line: str) -> None:
    assert line in tree().splitlines()


def test_nothing_is_wider_than_80_columns() -> None:
    def long(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = full(request)
        add(response, "cnpg-1-rule", "a" * 63, kind="SecurityGroupIngressRule")
        return response

    lines = tree(long).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert any("a" * 63 in line for line in lines)


def test_colours_are_there_only_when_asked_for() -> None:
    assert "\x1b[" in tree(colour=True)
    assert "\x1b[" not in tree()


def test_what_would_go_is_shown() -> None:
    first = reconcile(claim(), composition(), function=one_cluster)

    def other(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        add(response, "cnpg-1-cluster", "x", kind="Pooler")
        return response

    lines = tree(other, *first.resources.values()).splitlines()
    assert "  Deleted       Secret orders-db-binding (binding)" in lines
    assert "  Leaked        Cluster orders-db-1 (cnpg-1-cluster)" in lines


def test_a_refused_claim_shows_its_verdict_and_no_resources() -> None:
    text = tree(refuse("Not here.", fatal=False))
    assert "  Accepted      False NotOffered\n                Not here." in text
    assert "Resources" not in text


def test_one_instance_is_not_called_instances() -> None:
    def single(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = full(request)
        footprint: dict[str, Any] = {"instances": 1, "size": "small", "storage": "5Gi", "backup": "daily"}
        response.context.update({"groundplane.dev/footprint": footprint})
        return response

    assert "  Costs         1 instance of small; 5Gi storage; backups: daily" in tree(single).splitlines()
