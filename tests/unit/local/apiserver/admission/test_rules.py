"""How validating policies are asked: every answer was seen to be that of a real API server (Kubernetes 1.36)."""

import pytest

from admission_policies import CONFIG, PARAMS, SAID, SEEN, bind, data, patches, policy, put, says, settings, told
from admission_world import PEOPLE, World, config, refused
from groundplane.local.apiserver.registry.deletion import Options

FAILURES = {
    "object.data.nope == 'x'": "no such key: nope",
    "oldObject.metadata.name == 'x'": "no such key: metadata",
    "object.data.x + 1 == 2": "no such overload",
    "request.subResource == ''": "no such key: subResource",
    "variables.bad == 'x'": 'composited variable "bad" fails to evaluate: no such key: nope',
    "int(object.data.x + 'q') == 3": "type conversion error from 'string' to 'int'",
    "[1][3] == 1": "index out of bounds: 3",
    "1/(object.data.size()-1) == 1": "division by zero",
}


@pytest.mark.parametrize("expression", FAILURES)
def test_what_cannot_be_worked_out_is_refused_in_the_servers_words(plane: World, expression: str) -> None:
    variables = [{"name": "bad", "expression": "object.data.nope"}]
    bind(plane, policy(validations=[{"expression": expression}], variables=variables))
    said = f"{SAID}expression '{expression}' resulted in error: {FAILURES[expression]}"
    assert told(plane) == (422, "Invalid", said)


@pytest.mark.parametrize(("reason", "code"), [("Forbidden", 403), ("Invalid", 422), ("RequestEntityTooLarge", 413)])
def test_a_reason_is_a_code(plane: World, reason: str, code: int) -> None:
    bind(plane, policy(validations=[{"expression": " false ", "reason": reason}]))
    assert told(plane) == (code, reason, f"{SAID}failed expression: false")


MESSAGES = {"'told'": "told", "''": "plain", "'two\\nlines'": "plain", "string(object.data.nope)": "plain"}


@pytest.mark.parametrize("expression", MESSAGES)
def test_a_message_that_cannot_be_told_gives_way_to_the_plain_one(plane: World, expression: str) -> None:
    validation = {"expression": "false", "message": "plain", "messageExpression": expression}
    bind(plane, policy(validations=[validation]))
    assert told(plane)[2] == SAID + MESSAGES[expression]


def test_a_condition_that_fails_refuses_unless_another_one_says_no(plane: World) -> None:
    conditions = [{"name": "a", "expression": "object.data.nope == 'x'"}, {"name": "b", "expression": "false"}]
    bind(plane, policy(validations=[{"expression": "false"}], matchConditions=conditions))
    assert data(plane) == {"x": "1"}
    bind(plane, policy("u", validations=[{"expression": "false"}], matchConditions=conditions[:1]))
    assert told(plane)[2].endswith("expression 'object.data.nope == 'x'' resulted in error: no such key: nope")


def test_what_cannot_be_worked_out_is_let_go_where_a_policy_says_so(plane: World) -> None:
    bind(plane, policy(validations=[{"expression": "object.data.nope == 'x'"}], failurePolicy="Ignore"))
    bind(plane, policy("m", mutations=patches(put("y", "object.data.nope")), failurePolicy="Ignore"))
    assert data(plane) == {"x": "1"}


def test_what_is_let_go_so_does_not_let_the_next_one_go(plane: World) -> None:
    validations = [{"expression": "object.data.nope == 'x'"}, {"expression": "false", "message": "no"}]
    bind(plane, policy(validations=validations, failurePolicy="Ignore"))
    assert told(plane)[2] == f"{SAID}no"


def test_missing_parameters_refuse_before_any_condition_is_looked_at(plane: World) -> None:
    refuses = policy(
        validations=[{"expression": "false"}],
        paramKind=PARAMS,
        matchConditions=[{"name": "never", "expression": "false"}],
    )
    bind(plane, refuses, paramRef={"name": "nope", "parameterNotFoundAction": "Deny"})
    why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
    assert told(plane) == (422, "Invalid", SAID + why)


def test_missing_parameters_may_let_a_write_go(plane: World) -> None:
    bind(
        plane,
        policy(validations=[{"expression": "false"}], paramKind=PARAMS),
        paramRef={"name": "nope", "parameterNotFoundAction": "Allow"},
    )
    assert data(plane) == {"x": "1"}


def test_a_kind_of_parameters_that_is_not_served_refuses(plane: World) -> None:
    kind = {"apiVersion": "x.dev/v1", "kind": "Nope"}
    bind(plane, policy(validations=[{"expression": "true"}], paramKind=kind))
    why = "failed to configure policy: failed to find resource referenced by paramKind: 'x.dev/v1, Kind=Nope'"
    assert told(plane)[2] == f"configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 't' denied request: {why}"


def test_each_parameter_that_a_selector_selects_is_asked_about(plane: World) -> None:
    for name, color in {"one": "red", "two": "red", "three": "blue"}.items():
        made = config(name)
        made["metadata"]["labels"] = {"color": color}
        plane.create("owner", made, keep=True)
    validation = {"expression": 'params.metadata.name != "two"', "messageExpression": "string(params.metadata.name)"}
    selector = {"matchLabels": {"color": "red"}}
    bind(
        plane,
        policy(validations=[validation], paramKind=PARAMS),
        paramRef={"selector": selector, "parameterNotFoundAction": "Deny"},
    )
    assert told(plane)[2] == f"{SAID}two"
    plane.patch("owner", tuple_of(PARAMS), "", "two", {"metadata": {"labels": {"color": "blue"}}}, keep=True)
    assert data(plane) == {"x": "1"}


def tuple_of(kind: dict[str, str]) -> tuple[str, str]:
    return kind["apiVersion"], kind["kind"]


def test_a_policy_that_warns_warns(plane: World) -> None:
    bind(
        plane, policy(validations=[{"expression": "false", "message": "careful"}]), validationActions=["Warn", "Audit"]
    )
    said = "Validation failed for ValidatingAdmissionPolicy 't' with binding 't': careful"
    assert plane.create("owner", settings()).warnings == (said,)


def test_what_is_about_to_be_made_has_its_name_and_uid_for_those_who_validate(plane: World) -> None:
    says(plane, SEEN)
    assert told(plane)[2] == f"{SAID}true true a a default"
    generated = settings()
    generated["metadata"] = {"generateName": "gen-", "namespace": "default"}
    error = refused(lambda: plane.create("owner", generated))
    name = str(error).split('"')[1]
    assert str(error).endswith(f"true true {name} {name} default")


def test_a_namespace_is_in_itself_and_belongs_to_none(plane: World) -> None:
    says(plane, 'request.namespace + " " + string(namespaceObject == null)', rule={"resources": ["namespaces"]})
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "z"}}
    assert told(plane, space)[2].endswith("denied request: z true")


def test_an_object_that_is_there_already_is_refused_by_the_policy_first(plane: World) -> None:
    plane.create("owner", settings(), keep=True)
    bind(plane, policy(validations=[{"expression": "false", "message": "no"}]))
    assert told(plane)[2] == f"{SAID}no"


def test_whoever_asks_for_a_whole_collection_is_told_no_name(plane: World) -> None:
    plane.create("owner", settings(), keep=True)
    rule = {"operations": ["DELETE"]}
    said = 'request.?name.orValue("-") + " " + oldObject.metadata.name + " " + string(object == null)'
    says(plane, said, rule=rule)
    error = refused(lambda: plane.delete("owner", CONFIG, "default", "a"))
    assert str(error) == f"{SAID}a a true"
    resource = plane.api.catalogue.of_kind(*CONFIG)
    assert resource
    error = refused(
        lambda: plane.api.delete(resource, "default", "a", Options(), user=PEOPLE["owner"], one_of_all=True)
    )
    assert str(error) == SAID.replace('"a"', '"Unknown"') + "- a true"
