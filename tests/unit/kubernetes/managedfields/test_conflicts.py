"""An apply that would change what others own is refused, in the server's own words, unless it is forced."""

from typing import Any

import pytest

from groundplane.kubernetes.managedfields import apply, element

NOW = "2026-01-02T03:04:05Z"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
TEXT = {"type": "string"}
SET = {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"}
ITEMS = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": TEXT, "value": TEXT}},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
}
SPEC = {"type": "object", "properties": {"a": TEXT, "b": TEXT, "numbers": SET, "items": ITEMS}}
SCHEMA = {"type": "object", "properties": {"spec": SPEC}}


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}


def applied(live: dict[str, Any] | None, manager: str, /, *, force: bool = False, **spec: Any) -> Any:
    return apply.apply(live, thing(**spec), manager=manager, schema=SCHEMA, now=NOW, force=force)


def updated(live: dict[str, Any] | None, manager: str, /, subresource: str = "", **spec: Any) -> Any:
    new = {**thing(**spec), **({"metadata": live["metadata"]} if live else {})}
    return apply.update(live, new, manager=manager, schema=SCHEMA, now=NOW, subresource=subresource, resets=())


def refused(live: dict[str, Any], manager: str, /, **spec: Any) -> apply.ConflictError:
    with pytest.raises(apply.ConflictError) as error:
        applied(live, manager, **spec)
    return error.value


def owners(manifest: dict[str, Any]) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in manifest["metadata"]["managedFields"]}


def test_one_conflict_is_told_in_one_line() -> None:
    error = refused(updated(None, "kubectl-edit", a="x"), "ann", a="y")
    assert str(error) == 'Apply failed with 1 conflict: conflict with "kubectl-edit" using example.org/v1: .spec.a'
    assert error.causes == (
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-edit" using example.org/v1',
            "field": ".spec.a",
        },
    )
    assert error.conflicts == (apply.Conflict("kubectl-edit", "Update", "example.org/v1", "", ".spec.a"),)


def test_several_conflicts_are_told_by_manager_and_an_apply_without_its_version() -> None:
    live = applied(None, "zoe", a="x", b="x")
    live = updated(live, "bob", subresource="status", a="x", b="x", items=[{"name": "n", "value": "v"}])
    error = refused(live, "ann", a="y", b="y", items=[{"name": "n", "value": "w"}])
    assert str(error) == (
        "Apply failed with 3 conflicts: "
        'conflicts with "bob" with subresource "status" using example.org/v1:\n'
        '- .spec.items[name="n"].value\n'
        'conflicts with "zoe":\n- .spec.a\n- .spec.b'
    )
    assert [cause["field"] for cause in error.causes] == ['.spec.items[name="n"].value', ".spec.a", ".spec.b"]


def test_force_takes_the_field_from_its_owner() -> None:
    live = applied(applied(None, "bob", a="x", b="x"), "ann", force=True, a="y")
    assert live["spec"] == {"a": "y", "b": "x"}
    assert owners(live) == {"ann": {"f:spec": {"f:a": {}}}, "bob": {"f:spec": {"f:b": {}}}}


def test_the_same_value_is_no_conflict() -> None:
    assert owners(applied(applied(None, "bob", a="x"), "ann", a="x")).keys() == {"ann", "bob"}


def test_kubectl_takes_without_force_what_its_own_apply_set_last() -> None:
    last = '{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"name":"t"},"spec":{"a":"x"}}'
    new = {**thing(a="x", b="x"), "metadata": {"name": "t", "annotations": {ANNOTATION: last}}}
    live = apply.update(None, new, manager="kubectl-client-side-apply", schema=SCHEMA, now=NOW)
    found = applied(live, "kubectl", a="y")
    assert found["spec"] == {"a": "y", "b": "x"}
    assert found["metadata"]["annotations"][ANNOTATION] == last.replace('"x"', '"y"') + "\n"
    assert [conflict.field for conflict in refused(live, "kubectl", a="y", b="y").conflicts] == [".spec.b"]
    assert [conflict.field for conflict in refused(live, "ann", a="y").conflicts] == [".spec.a"]


def test_kubectl_does_not_take_what_was_changed_since_its_own_apply() -> None:
    last = '{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"name":"t"},"spec":{"a":"w"}}'
    new = {**thing(a="x"), "metadata": {"name": "t", "annotations": {ANNOTATION: last}}}
    live = apply.update(None, new, manager="bob", schema=SCHEMA, now=NOW)
    assert [conflict.field for conflict in refused(live, "kubectl", a="y").conflicts] == [".spec.a"]


@pytest.mark.parametrize("last", ["no JSON", "[]", '{"apiVersion":"v9"}', '{"apiVersion":"example.org/v1","x":1}'])
def test_an_annotation_that_cannot_be_used_allows_nothing(last: str) -> None:
    new = {**thing(a="x"), "metadata": {"name": "t", "annotations": {ANNOTATION: last}}}
    live = apply.update(None, new, manager="bob", schema=SCHEMA, now=NOW)
    assert [conflict.field for conflict in refused(live, "kubectl", a="y").conflicts] == [".spec.a"]


def test_an_annotation_that_grew_too_long_goes() -> None:
    new = {**thing(a="x"), "metadata": {"name": "t", "annotations": {ANNOTATION: "{}"}}}
    live = apply.update(None, new, manager="kubectl", schema=SCHEMA, now=NOW)
    assert applied(live, "kubectl", force=True, b="x" * 300_000)["metadata"]["annotations"] == {}


@pytest.mark.parametrize(
    ("number", "told"),
    [(80, "80"), (100000, "100000"), (1234567, "1.234567e+06"), (30000000, "3e+07"), (0.5, "0.5"), (0.00001, "1e-05")],
)
def test_a_number_in_a_path_is_told_as_go_prints_a_float(number: float, told: str) -> None:
    assert element.shown(element.value(number)) == f"[={told}]"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (80, "80"),
        (80.0, "80"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (3e-7, "3e-7"),
        (123456789.25, "123456789.25"),
        (0.0, "0"),
    ],
)
def test_a_number_in_a_step_is_written_as_go_writes_json(number: float, written: str) -> None:
    assert element.value(number) == f"v:{written}"
    assert element.canonical(f"v:{number!r}") == f"v:{written}"


def test_a_text_in_a_step_is_escaped_for_html_and_quoted_in_a_message() -> None:
    step = element.value('a<b>&"\u2028é')
    assert step == 'v:"a\\u003cb\\u003e\\u0026\\"\\u2028é"'
    assert element.shown(step) == '[="a<b>&\\"\\u2028é"]'
    assert element.shown(element.value("\x01\u00a0\U000e0001\x7f\t")) == '[="\\x01\\u00a0\\U000e0001\\x7f\\t"]'


def test_steps_are_sorted_fields_first_then_numbers_before_texts_before_booleans() -> None:
    steps = ['v:"a"', "v:true", "v:9", "v:10", "i:2", "i:10", 'k:{"a":2}', 'k:{"a":1,"b":1}', "f:b", "f:a"]
    assert sorted(steps, key=element.order) == [
        "f:a", "f:b", 'k:{"a":1,"b":1}', 'k:{"a":2}', "v:9", "v:10", 'v:"a"', "v:true", "i:2", "i:10",
    ]  # fmt: skip
