"""The requirements of a function are settled as Crossplane settles them."""

from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.json_format import MessageToDict

from groundplane.render import BadInputError, Outcome, ReconcileError, reconcile
from rendering import Double, Manifest, add, claim, composition, environment, one_cluster

CNPG: dict[str, Any] = {"api_version": "postgresql.cnpg.io/v1", "kind": "Cluster"}
ENVIRONMENT: dict[str, Any] = {
    "api_version": "apiextensions.crossplane.io/v1beta1",
    "kind": "EnvironmentConfig",
}


class Asking(Double):
    """Answers like `one_cluster`, with requirements from a callable, without any gRPC."""

    def __init__(self, *wanted: fnv1.Requirements) -> None:
        super().__init__()
        self.wanted = wanted

    def __call__(self, request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        self.requests.append(request)
        response = one_cluster(request)
        turn = min(len(self.requests), len(self.wanted)) - 1
        if self.wanted:
            response.requirements.CopyFrom(self.wanted[turn])
        response.context.update({"turn": len(self.requests)})
        return response


def run(function: Asking, *required: Manifest, **spec: Any) -> Outcome:
    return reconcile(claim(), composition(**spec), required=required, function=function)


def step(**more: Any) -> dict[str, list[Manifest]]:
    reference = {"name": "groundplane-function-database"}
    given = {"engine": "cnpg"}
    return {"pipeline": [{"step": "compose", "functionRef": reference, "input": given, **more}]}


def by_name(name: str, **kind: Any) -> fnv1.Requirements:
    selector = fnv1.ResourceSelector(**(kind or ENVIRONMENT), match_name=name)
    return fnv1.Requirements(resources={"it": selector})


def test_a_function_that_requires_nothing_is_called_once() -> None:
    function = Asking()
    assert run(function).iterations == 1
    assert len(function.requests) == 1


def test_a_requirement_is_fetched_and_the_function_called_again() -> None:
    function = Asking(by_name("prod"))
    assert run(function, environment("prod")).iterations == 2
    assert "it" not in function.requests[0].required_resources
    (found,) = function.requests[1].required_resources["it"].items
    assert MessageToDict(found.resource)["metadata"]["name"] == "prod"


def test_what_is_missing_by_name_is_a_key_without_items() -> None:
    function = Asking(by_name("prod"))
    run(function, environment("other"))
    assert "it" in function.requests[1].required_resources
    assert not function.requests[1].required_resources["it"].items


def test_labels_select_over_all_namespaces_sorted_by_namespace_and_name() -> None:
    def labelled(namespace: str, name: str, value: str) -> Manifest:
        metadata = {"namespace": namespace, "name": name, "labels": {"a": value}}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

    match = fnv1.MatchLabels(labels={"a": "1"})
    selector = fnv1.ResourceSelector(api_version="v1", kind="ConfigMap", match_labels=match)
    function = Asking(fnv1.Requirements(resources={"it": selector}))
    run(function, labelled("b", "x", "1"), labelled("a", "z", "1"), labelled("a", "y", "2"))
    found = [MessageToDict(one.resource) for one in function.requests[1].required_resources["it"].items]
    assert [one["metadata"]["namespace"] for one in found] == ["a", "b"]


def test_a_namespace_limits_what_is_found() -> None:
    def at(namespace: str) -> Manifest:
        metadata = {"namespace": namespace, "name": "s"}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}

    selector = fnv1.ResourceSelector(api_version="v1", kind="Secret", match_name="s", namespace="mine")
    function = Asking(fnv1.Requirements(resources={"it": selector}))
    run(function, at("others"))
    assert not function.requests[1].required_resources["it"].items
    run(function := Asking(fnv1.Requirements(resources={"it": selector})), at("mine"))
    assert len(function.requests[1].required_resources["it"].items) == 1


def test_a_schema_is_there_unless_its_group_or_kind_is_absent() -> None:
    wanted = fnv1.Requirements(schemas={"cluster": fnv1.SchemaSelector(**CNPG)})
    for absent, there in [
        ("cert-manager.io", True),
        ("postgresql.cnpg.io", False),
        ("Cluster.postgresql.cnpg.io", False),
        ("Pooler.postgresql.cnpg.io", True),
    ]:
        function = Asking(wanted)
        function_calls = function.requests
        try:
            reconcile(claim(), composition(), absent=[absent], function=function)
        except ReconcileError as error:
            assert "not installed" in str(error)  # noqa: PT017  # the double composes it all the same
        assert function_calls[1].required_schemas["cluster"].HasField("openapi_v3") is there


def test_requirements_that_stand_in_the_composition_save_a_call() -> None:
    schemas = [{"requirementName": "cluster", "apiVersion": CNPG["api_version"], "kind": "Cluster"}]
    kind = {"apiVersion": ENVIRONMENT["api_version"], "kind": "EnvironmentConfig"}
    resources = [{"requirementName": "it", "name": "prod", **kind}]
    again = by_name("prod")
    again.schemas["cluster"].CopyFrom(fnv1.SchemaSelector(**CNPG))
    function = Asking(again)
    wanted = step(requirements={"requiredResources": resources, "requiredSchemas": schemas})
    assert run(function, environment("prod"), **wanted).iterations == 1
    assert function.requests[0].required_schemas["cluster"].HasField("openapi_v3")
    assert len(function.requests[0].required_resources["it"].items) == 1


def test_what_the_composition_requires_is_sent_on_every_call() -> None:
    schemas = [{"requirementName": "cluster", "apiVersion": CNPG["api_version"], "kind": "Cluster"}]
    function = Asking(by_name("prod"))
    run(function, **step(requirements={"requiredSchemas": schemas}))
    assert [list(one.required_schemas) for one in function.requests] == [["cluster"], ["cluster"]]


def test_every_call_gets_all_that_is_required_and_the_context_of_the_last() -> None:
    both = by_name("prod")
    both.resources["also"].CopyFrom(fnv1.ResourceSelector(**ENVIRONMENT, match_name="b"))
    function = Asking(by_name("prod"), both, both)
    assert run(function, environment("prod")).iterations == 3
    assert sorted(function.requests[2].required_resources) == ["also", "it"]
    assert [MessageToDict(one.context) for one in function.requests] == [
        {},
        {"turn": 1},
        {"turn": 2},
    ]


def test_requirements_that_never_settle_are_given_up_after_the_fifth_iteration() -> None:
    function = Asking(*(by_name(f"e{n}") for n in range(9)))
    with pytest.raises(ReconcileError, match="did not settle in 5 iterations"):
        run(function)
    assert len(function.requests) == 6


def test_a_required_kind_that_is_not_installed_fails_the_claim() -> None:
    with pytest.raises(ReconcileError, match=r"requires Cluster of postgresql\.cnpg\.io/v1"):
        reconcile(
            claim(), composition(), absent=["postgresql.cnpg.io"],
            function=Asking(by_name("a", **CNPG)),
        )  # fmt: skip


def test_a_fatal_result_ends_the_asking_at_once() -> None:
    function = Asking()

    def fatal(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        function.requests.append(request)
        response = fnv1.RunFunctionResponse(requirements=by_name("prod"))
        response.results.append(fnv1.Result(severity=fnv1.SEVERITY_FATAL, message="no"))
        return response

    assert reconcile(claim(), composition(), function=fatal).fatal
    assert len(function.requests) == 1


def test_what_stands_after_a_fatal_result_is_not_told() -> None:
    def fatal(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        severities = (fnv1.SEVERITY_NORMAL, fnv1.SEVERITY_FATAL, fnv1.SEVERITY_WARNING)
        return fnv1.RunFunctionResponse(results=[fnv1.Result(severity=one, message=str(one)) for one in severities])

    outcome = reconcile(claim(), composition(), function=fatal)
    assert [found.severity for found in outcome.results] == ["Normal", "Fatal"]


def test_a_context_that_a_function_gives_up_is_gone_in_the_next_call() -> None:
    seen = []

    def function(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        seen.append(request.HasField("context"))
        return fnv1.RunFunctionResponse(requirements=by_name("prod"))

    steps = [{**step()["pipeline"][0], "step": name} for name in ("one", "two")]
    assert reconcile(claim(), composition(pipeline=steps), function=function).iterations == 4
    assert seen == [True, False, False, False]


def test_the_grants_are_given_unless_the_companion_set_is_absent() -> None:
    wanted = by_name("groundplane-grants")
    run(function := Asking(wanted))
    (found,) = function.requests[1].required_resources["it"].items
    assert MessageToDict(found.resource)["data"] == {"version": "1", "kinds": ["*"]}
    function = Asking(wanted)
    reconcile(claim(), composition(), absent=["companion"], function=function)
    assert not function.requests[1].required_resources["it"].items


def test_grants_that_are_given_are_the_ones_that_count() -> None:
    grants = {**environment("groundplane-grants"), "data": {"version": "1", "kinds": []}}
    run(function := Asking(by_name("groundplane-grants")), grants)
    (found,) = function.requests[1].required_resources["it"].items
    assert MessageToDict(found.resource)["data"]["kinds"] == []


def test_a_request_says_what_crossplane_can_do_and_has_a_stable_tag() -> None:
    run(one := Asking())
    run(two := Asking())
    meta = one.requests[0].meta
    assert list(meta.capabilities) == [1, 2, 3, 4, 5]
    assert meta.tag == two.requests[0].meta.tag != ""


def test_a_step_of_another_function_is_named() -> None:
    other = step(functionRef={"name": "function-auto-ready"})
    with pytest.raises(BadInputError) as caught:
        run(Asking(), **other)
    assert "Composition xdatabase-cnpg, step 'compose': function 'function-auto-ready'" in str(caught.value)


def test_a_step_of_another_contracts_function_is_named() -> None:
    with pytest.raises(BadInputError, match="only function-cache can be run"):
        reconcile(claim(), composition(), contract="cache", function=Asking())


def test_the_second_step_gets_what_the_first_desired() -> None:
    steps = [{**step()["pipeline"][0], "step": name} for name in ("one", "two")]
    seen = []

    def function(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        seen.append(sorted(request.desired.resources))
        response = fnv1.RunFunctionResponse(desired=request.desired)
        add(response, f"cnpg-{len(seen)}-cluster")
        return response

    outcome = reconcile(claim(), composition(pipeline=steps), function=function)
    assert seen == [[], ["cnpg-1-cluster"]]
    assert list(outcome.resources) == ["cnpg-1-cluster", "cnpg-2-cluster"]


def test_no_step_runs_after_a_fatal_result() -> None:
    steps = [{**step()["pipeline"][0], "step": name} for name in ("one", "two")]
    calls = []

    def fatal(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        calls.append(request)
        result = fnv1.Result(severity=fnv1.SEVERITY_FATAL, message="no")
        return fnv1.RunFunctionResponse(results=[result])

    outcome = reconcile(claim(), composition(pipeline=steps), function=fatal)
    assert len(calls) == 1
    assert [found.step for found in outcome.results] == ["one"]
