"""Status and conditions after a turn are the ones Crossplane writes."""

from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.json_format import MessageToDict

from groundplane.crossplane.conditions import TRANSITION_TIME
from groundplane.render import Outcome, reconcile
from rendering import Answer, Manifest, accept, add, claim, composition, one_cluster, refuse

LIVE = reconcile(claim(), composition(), function=one_cluster).resources["cnpg-1-cluster"]


def run(answer: Answer, *observed: Manifest, the: Manifest | None = None) -> Outcome:
    return reconcile(the or claim(), composition(), observed, function=answer)


def desires(*names: str, **more: Any) -> Answer:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        for name in names:
            add(response, name, **more)
        return response

    return answer


def test_ready_is_derived_from_the_resources_unless_the_function_says_it() -> None:
    assert run(one_cluster).condition("Ready") == (
        "False",
        "Creating",
        "Unready resources: binding",
    )
    assert run(desires("a", ready=True)).condition("Ready")[0] == "True"
    assert run(desires()).condition("Ready")[0] == "True"
    assert run(desires(*"dcba")).condition("Ready")[2] == "Unready resources: a, b, c, and 1 more"

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = desires("a", ready=True)(request)
        response.desired.composite.ready = fnv1.READY_FALSE
        return response

    assert run(answer).condition("Ready")[:2] == ("False", "Creating")


def test_the_functions_conditions_are_kept_and_crossplanes_own_types_dropped() -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        accept(response)
        response.conditions.append(fnv1.Condition(type="Healthy", status=fnv1.STATUS_CONDITION_TRUE, reason="Lie"))
        response.desired.composite.resource.update({"status": {"engine": "cnpg"}})
        return response

    before = {**claim(), "status": {"old": 1, "conditions": [{"type": "Kept", "status": "True"}]}}
    outcome = run(answer, the=before)
    assert list(outcome.conditions) == ["Kept", "Responsive", "Accepted", "Synced", "Ready"]
    assert outcome.condition("Synced") == ("True", "ReconcileSuccess", "")
    assert outcome.xr["status"]["engine"] == "cnpg"
    assert "old" not in outcome.xr["status"]


def test_crossplanes_own_conditions_say_of_which_generation_they_speak() -> None:
    before = {**claim(), "metadata": {"name": "orders", "generation": 3}}
    applied, refused = run(one_cluster, the=before), run(refuse("No.", fatal=True), the=before)
    for outcome, own in ((applied, {"Responsive", "Synced", "Ready"}), (refused, {"Responsive", "Synced"})):
        told = {kind for kind, one in outcome.conditions.items() if one.get("observedGeneration") == 3}
        assert told == own
    assert applied.condition("Responsive") == ("True", "WatchCircuitClosed", "")


def test_the_function_is_told_that_the_claim_is_responsive() -> None:
    seen: list[Manifest] = []

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        seen.append(MessageToDict(request.observed.composite.resource))
        return fnv1.RunFunctionResponse()

    run(answer)
    assert [one["type"] for one in seen[0]["status"]["conditions"]] == ["Responsive"]


def test_a_condition_that_says_the_same_as_before_stays_with_its_time() -> None:
    old = {
        "type": "Accepted",
        "status": "True",
        "reason": "Honoured",
        "message": "All of it.",
        "lastTransitionTime": "t",
    }
    assert run(one_cluster, the={**claim(), "status": {"conditions": [old]}}).conditions["Accepted"] == old
    other = {**old, "reason": "Other"}
    after = run(one_cluster, the={**claim(), "status": {"conditions": [other]}}).conditions["Accepted"]
    assert (after["reason"], after["lastTransitionTime"]) == ("Honoured", TRANSITION_TIME)


def test_a_condition_that_is_alike_but_of_another_generation_is_written_again() -> None:
    old = {"type": "Synced", "status": "True", "reason": "ReconcileSuccess", "observedGeneration": 2}
    before = {**claim(), "metadata": {"name": "orders", "generation": 3}, "status": {"conditions": [old]}}
    assert run(one_cluster, the=before).conditions["Synced"]["observedGeneration"] == 3


def test_conditions_that_the_function_writes_into_the_status_stand_unless_the_claim_had_others() -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        written = [{"type": kind, "status": "True", "reason": "Written"} for kind in ("A", "B")]
        response.desired.composite.resource.update({"status": {"conditions": written}})
        return response

    old = {"type": "B", "status": "False", "reason": "Old"}
    outcome = run(answer, the={**claim(), "status": {"conditions": [old]}})
    assert (outcome.condition("A")[1], outcome.condition("B")[1]) == ("Written", "Old")


@pytest.mark.parametrize("condition", ["Accepted", "Settled"])
def test_after_a_fatal_result_nothing_changes_but_the_conditions(condition: str) -> None:
    old = {"type": condition, "status": "True", "reason": "Fine"}
    ready = {"type": "Ready", "status": "True", "reason": "Available"}
    before = {**claim(), "status": {"engine": "cnpg", "conditions": [old, ready]}}
    outcome = run(refuse("No.", fatal=True), LIVE, the=before)
    assert outcome.fatal
    assert outcome.refused
    assert outcome.resources == {}
    assert outcome.deleted == outcome.leaked == outcome.forgotten == ()
    assert outcome.xr["status"]["engine"] == "cnpg"
    assert len(outcome.xr["spec"]["crossplane"]["resourceRefs"]) == 1
    assert outcome.condition("Ready") == ("True", "Available", "")
    assert outcome.condition("Accepted") == ("False", "NotOffered", "No.")
    assert outcome.condition("Synced")[2].endswith('step "compose" returned a fatal result: No.')
    if condition == "Settled":
        assert outcome.condition("Settled")[:2] == ("Unknown", "FatalError")


def test_a_refusal_that_is_an_answer_is_a_refusal_and_not_fatal() -> None:
    outcome = run(refuse("No.", fatal=False), LIVE)
    assert (outcome.refused, outcome.fatal) == (True, False)
    assert [gone.resource_name for gone in outcome.deleted] == ["cnpg-1-cluster"]
