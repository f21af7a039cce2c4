"""A policy that cannot be carried out is refused when it is written, by its field, and in a real API server's words."""

from collections.abc import Iterator

import pytest

from admission_world import World, refused
from groundplane.core.manifest import JSON, Manifest, at
from groundplane.local.apiserver import server

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
MATCH = {"resourceRules": [RULE]}
FINE = {"expression": "true"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    api = server.open_api(tmp_path_factory.mktemp("plane") / "data")
    yield World(api)
    api.store.close()


def written(kind: str, **spec: JSON) -> Manifest:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicy{'Binding' if 'policyName' in spec else ''}",
        "metadata": {"name": "t"},
        "spec": {name: value for name, value in spec.items() if value is not None},
    }


def validating(**spec: JSON) -> Manifest:
    return written("Validating", **{"matchConstraints": MATCH, "validations": [FINE], **spec})


def mutating(expression: str = '[JSONPatch{op: "remove", path: "/data"}]', **spec: JSON) -> Manifest:
    mutations = [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}]
    return written(
        "Mutating", **{"matchConstraints": MATCH, "mutations": mutations, "reinvocationPolicy": "Never", **spec}
    )


def bound(kind: str = "Validating", **spec: JSON) -> Manifest:
    actions = {"validationActions": ["Deny"]} if kind == "Validating" else {}
    return written(kind, **{"policyName": "t", **actions, **spec})


def rule(**fields: JSON) -> Manifest:
    return {"resourceRules": [{**RULE, **fields}]}


def selector(**requirement: JSON) -> Manifest:
    return {**MATCH, "objectSelector": {"matchExpressions": [{"key": "a", **requirement}]}}


def expressed(expression: str, **more: JSON) -> Manifest:
    return validating(validations=[{"expression": expression, **more}])


COMPILED = "spec.validations[0].expression: Invalid value: {}: compilation failed: ERROR: <input>:1:"
#: What is wrong, and what the refusal says; both were seen on Kubernetes 1.36.
WRONG: dict[str, tuple[Manifest, str]] = {
    "no constraints": (validating(matchConstraints=None), "spec.matchConstraints: Required value"),
    "no validations": (
        validating(validations=[]),
        "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
    ),
    "half a comparison": (expressed("object.a =="), COMPILED.format('"object.a =="') + "12: Syntax error"),
    "an unknown name": (expressed("foo"), COMPILED.format('"foo"') + "1: undeclared reference to 'foo'"),
    "parameters without a kind": (
        expressed("params.x == 1"),
        "undeclared reference to 'params",
    ),
    "a number": (
        expressed("1 + 1"),
        'spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int',
    ),
    "anything": (expressed("object.data.flag"), "must evaluate to bool but got dyn"),
    "no expression": (
        validating(validations=[{"message": "x"}]),
        "spec.validations[0].expression: Required value: expression is not specified",
    ),
    "a message that is none": (
        expressed("true", messageExpression="1"),
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
    ),
    "an unknown reason": (
        expressed("true", reason="Unauthorized"),
        (
            'spec.validations[0].reason: Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid",'
            ' "RequestEntityTooLarge"'
        ),
    ),
    "a condition that is text": (
        validating(matchConditions=[{"name": "m", "expression": "'x'"}]),
        "spec.matchConditions[0].expression: Invalid value: \"'x'\": must evaluate to bool but got string",
    ),
    "a condition with variables": (
        validating(
            matchConditions=[{"name": "m", "expression": "variables.b == 1"}],
            variables=[{"name": "b", "expression": "1"}],
        ),
        "undeclared reference to 'variables",
    ),
    "two conditions of a name": (
        validating(matchConditions=[{"name": "m", **FINE}, {"name": "m", **FINE}]),
        'spec.matchConditions[1].name: Duplicate value: "m"',
    ),
    "a variable before it is there": (
        validating(variables=[{"name": "a", "expression": "variables.b == 1"}, {"name": "b", "expression": "1"}]),
        "undefined field 'b'",
    ),
    "a variable that never is": (expressed("variables.zzz == 1"), "undefined field 'zzz'"),
    "a variable with a bad name": (
        validating(variables=[{"name": "9x", "expression": "1"}]),
        'spec.variables[0].name: Invalid value: "9x": must be a valid CEL identifier',
    ),
    "an unknown failure policy": (
        validating(failurePolicy="Maybe"),
        'spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"',
    ),
    "half a kind of parameters": (
        validating(paramKind={"apiVersion": "v1"}),
        "spec.paramKind.kind: Required value",
    ),
    "an unknown operation": (
        validating(matchConstraints=rule(operations=["BAD"])),
        (
            'spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: "BAD": supported values: "*",'
            ' "CONNECT", "CREATE", "DELETE", "UPDATE"'
        ),
    ),
    "no resources": (
        validating(matchConstraints=rule(resources=[])),
        "spec.matchConstraints.resourceRules[0].resources: Required value",
    ),
    "an unknown scope": (
        validating(matchConstraints=rule(scope="Foo")),
        (
            'spec.matchConstraints.resourceRules[0].scope: Unsupported value: "Foo": supported values: "*", "Cluster",'
            ' "Namespaced"'
        ),
    ),
    "an unknown operator": (
        validating(matchConstraints=selector(operator="Like")),
        (
            'spec.matchConstraints.objectSelector.matchExpressions[0].operator: Invalid value: "Like": not a valid'
            " selector operator"
        ),
    ),
    "an operator without values": (
        validating(matchConstraints=selector(operator="In")),
        "matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ),
    "an operator with values": (
        validating(matchConstraints=selector(operator="Exists", values=["x"])),
        "matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ),
    "no mutations": (
        mutating(mutations=[]),
        "spec.mutations: Required value: mutations must contain at least one item",
    ),
    "a mutation that is a number": (
        mutating("1"),
        'spec.mutations[0].jsonPatch.expression: Invalid value: "1": must evaluate to list(JSONPatch) but got int',
    ),
    "a mutation of deletions": (
        mutating(matchConstraints=rule(operations=["DELETE"])),
        (
            'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*",'
            ' "CONNECT", "CREATE", "UPDATE"'
        ),
    ),
    "no word on being asked again": (mutating(reinvocationPolicy=None), "spec.reinvocationPolicy: Required value"),
    "no policy": (bound(policyName=""), "spec.policyName: Required value"),
    "no action": (
        bound(validationActions=[]),
        "spec.validationActions: Required value: at least one validation action is required",
    ),
    "an unknown action": (
        bound(validationActions=["Foo"]),
        'spec.validationActions[0]: Unsupported value: "Foo": supported values: "Audit", "Deny", "Warn"',
    ),
    "parameters by name and selector": (
        bound(paramRef={"name": "x", "selector": {}, "parameterNotFoundAction": "Deny"}),
        "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
    ),
    "parameters without an action": (
        bound(paramRef={"name": "x"}),
        "spec.paramRef.parameterNotFoundAction: Required value",
    ),
    "the same of a mutating binding": (bound("Mutating", policyName=""), "spec.policyName: Required value"),
}


@pytest.mark.parametrize("which", WRONG)
def test_what_is_wrong_is_named(plane: World, which: str) -> None:
    manifest, said = WRONG[which]
    error = refused(lambda: plane.create("owner", manifest))
    assert (error.code, error.reason) == (422, "Invalid")
    assert str(error).startswith(f'{manifest["kind"]}.admissionregistration.k8s.io "t" is invalid: ')
    assert said in str(error)


def test_a_form_of_patch_that_is_not_carried_out_here_is_refused_and_not_ignored(plane: World) -> None:
    other = [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}]
    error = refused(lambda: plane.create("owner", mutating(mutations=other)))
    assert 'spec.mutations[0].patchType: Unsupported value: "ApplyConfiguration"' in str(error)


@pytest.mark.parametrize("right", [validating(), mutating(), bound(), bound("Mutating")], ids=lambda one: one["kind"])
def test_what_is_right_is_taken(plane: World, right: Manifest) -> None:
    assert plane.create("owner", right).manifest["spec"]


def test_what_a_policy_leaves_out_is_filled_in(plane: World) -> None:
    spec = plane.create("owner", validating()).manifest["spec"]
    constraints = spec["matchConstraints"]
    assert spec["failurePolicy"] == "Fail"
    assert constraints["resourceRules"] == [{**RULE, "scope": "*"}]
    assert (constraints["matchPolicy"], constraints["namespaceSelector"]) == ("Equivalent", {})
    assert at(constraints, "objectSelector") == {}


def test_a_field_of_another_type_cannot_even_be_read(plane: World) -> None:
    error = refused(lambda: plane.create("owner", validating(validations="all")))
    assert error.code == 400
