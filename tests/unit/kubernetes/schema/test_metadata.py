"""What holds for every object whatever its kind: identity, names, labels, annotations."""

import pytest

from groundplane.core.manifest import JSON
from small_schemas import kind_with, lines, record, thing

_KIND = kind_with(record())


def _about(metadata: JSON) -> list[str]:
    return lines(_KIND.validate({**thing({}), "metadata": metadata}))


def test_a_well_named_object_passes() -> None:
    assert (
        _about(
            {
                "name": "orders.db",
                "namespace": "shop",
                "labels": {"app.kubernetes.io/name": "orders", "empty": ""},
                "annotations": {"example.org/note": "any text: at all"},
                "finalizers": ["example.org/x"],
                "generation": 3,
            }
        )
        == []
    )


def test_metadata_may_hold_nulls() -> None:
    assert _about({"name": "a", "labels": None, "annotations": None}) == []


def test_annotations_may_fill_256_kib() -> None:
    assert _about({"name": "a", "annotations": {"a": "b" * (256 * 1024 - 1)}}) == []


def test_an_object_that_gets_its_name_from_the_server_passes() -> None:
    assert _about({"generateName": "orders-"}) == []


@pytest.mark.parametrize("metadata", [{}, {"name": ""}, {"name": None}])
def test_an_object_without_a_name_is_refused(metadata: JSON) -> None:
    assert "metadata.name: is required" in _about(metadata)


@pytest.mark.parametrize("name", ["Orders", "-a", "a_b", "a" * 254, "a..b"])
def test_a_name_that_kubernetes_cannot_hold_is_refused(name: str) -> None:
    (said,) = _about({"name": name})
    assert said.startswith('metadata.name: "')
    assert "lower-case letters" in said


_LABEL_VALUE = "must have at most 63 letters, digits, '-', '_' and '.', and start and end with a letter or digit"


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"lables": {}}, "metadata.lables: unknown field (did you mean labels?)"),
        ({"labels": []}, "metadata.labels: must be an object, not a list"),
        (
            {"labels": {"a": True}},
            "metadata.labels.a: must be a string, not a boolean; quote it",
        ),
        (
            {"labels": {"a": "b c"}},
            f'metadata.labels.a: "b c" {_LABEL_VALUE}',
        ),
        (
            {"labels": {"a b": "c"}},
            "metadata.labels['a b']: the key must be a name with an optional prefix/ before it",
        ),
        (
            {"annotations": {"a": 1}},
            "metadata.annotations.a: must be a string, not an integer; quote it",
        ),
        (
            {"annotations": {"a": "b" * (256 * 1024)}},
            "metadata.annotations: must be at most 256 KiB in all",
        ),
        (
            {"labels": {1: "a"}},
            "metadata.labels['1']: the key must be a name with an optional prefix/ before it",
        ),
        ({"finalizers": "x"}, "metadata.finalizers: must be a list, not a string"),
        ({"generation": "1"}, "metadata.generation: must be an integer, not a string"),
    ],
)
def test_metadata_that_an_api_server_refuses_is_refused(metadata: JSON, complaint: str) -> None:
    assert _about({"name": "a", **metadata}) == [complaint]


@pytest.mark.parametrize("metadata", [None, [], "a", 1])
def test_metadata_that_is_no_object_is_refused_once(metadata: JSON) -> None:
    said = _about(metadata)
    assert sum(line.startswith("metadata: ") for line in said) == 1


def test_another_kind_is_refused() -> None:
    said = lines(_KIND.validate({**thing({}), "apiVersion": "v1", "kind": "Thong"}))
    assert said == [
        'apiVersion: must be example.org/v1, not "v1"',
        'kind: must be Thing, not "Thong"',
    ]


def test_an_object_without_a_kind_is_refused() -> None:
    said = lines(_KIND.validate({"metadata": {"name": "a"}}))
    assert said == ["apiVersion: is required", "kind: is required"]
    assert lines(_KIND.validate({**thing({}), "kind": 1})) == ["kind: is required"]
    assert lines(_KIND.validate({**thing({}), "kind": ""})) == ["kind: is required"]


@pytest.mark.parametrize("junk", [None, [], "text", 1])
def test_what_is_no_object_is_refused(junk: JSON) -> None:
    (said,) = lines(_KIND.validate(junk))
    assert said.startswith("must be an object, not ")
