"""Quantities that pass the schema and make no sense are refused by field, with what was likely meant."""

import pytest
from pydantic import ValidationError

from groundplane.contracts.database import Resources, Storage
from worlds import fresh


def said(model: type, **fields: str) -> str:
    try:
        model.model_validate(fields)  # type: ignore[attr-defined]  # Both are models.
    except ValidationError as error:
        (found,) = error.errors(include_url=False)
        return str(found["msg"])
    return ""


@pytest.mark.parametrize("cpu", ["1", "500m", "1.5", "1.25", "100000m", "448", "1m"])
def test_a_number_of_cores_is_taken_as_it_is(cpu: str) -> None:
    assert said(Resources, cpu=cpu, memory="1Gi") == ""


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ("2Gi", "2Gi is an amount of memory, and this is a number of cores. Write 2, if that is meant"),
        ("4Ki", "4Ki is an amount of memory, and this is a number of cores. Write 4, if that is meant"),
        ("500Mi", "500Mi is an amount of memory, and this is a number of cores. Write 500m, if that is meant"),
        ("2k", "2k is an amount of memory, and this is a number of cores. Write 2, if that is meant"),
        ("500", "500 cores are more than any machine has. Write 500m, if that is meant"),
        ("1.5m", "1.5m is finer than a thousandth of a core, the smallest step. Write 1.5, if that is meant"),
        ("1.0005", "1.0005 is finer than a thousandth of a core, the smallest step"),
        ("9" * 30, f"{'9' * 30} cores are more than any machine has"),
    ],
)
def test_cores_that_make_no_sense_are_refused_with_what_was_likely_meant(cpu: str, expected: str) -> None:
    assert said(Resources, cpu=cpu, memory="1Gi") == expected


@pytest.mark.parametrize("memory", ["64Mi", "1Gi", "1.5Gi", "1500M", "67108864", "64Ti"])
def test_an_amount_of_memory_is_taken_as_it_is(memory: str) -> None:
    assert said(Resources, cpu="1", memory=memory) == ""


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ("512m", "512m is 512 thousandths of a byte. Write 512Mi, if that is meant"),
        ("2m", "2m is 2 thousandths of a byte. Write 2Gi, if that is meant"),
        ("8", "8 bytes is less than 64Mi, too little for a server. Write 8Gi, if that is meant"),
        ("512", "512 bytes is less than 64Mi, too little for a server. Write 512Mi, if that is meant"),
        ("4096k", "4096k is less than 64Mi, too little for a server. Write 4096Mi, if that is meant"),
        ("63Mi", "63Mi is less than 64Mi, too little for a server. Write 63Gi, if that is meant"),
        ("65Ti", "65Ti is more than any machine has. Write 65Gi, if that is meant"),
        ("9" * 30, f"{'9' * 30} is more than any machine has"),
    ],
)
def test_memory_that_makes_no_sense_is_refused_with_what_was_likely_meant(memory: str, expected: str) -> None:
    assert said(Resources, cpu="1", memory=memory) == expected


def test_a_volume_larger_than_any_is_refused() -> None:
    assert said(Storage, size="4096Ti") == ""
    assert said(Storage, size="5000Ti") == "5000Ti is more than any volume holds. Write 5000Gi, if that is meant"
    assert said(Storage, size=f"{'9' * 20}Gi") == f"{'9' * 20}Gi is more than any volume holds"


def test_what_is_recommended_is_taken() -> None:
    for cpu in ("2Gi", "500Mi", "500", "1.5m"):
        assert (
            said(Resources, cpu=said(Resources, cpu=cpu, memory="1Gi").split("Write ")[1].split(",")[0], memory="1Gi")
            == ""
        )
    for memory in ("512m", "8", "512", "4096k", "63Mi", "65Ti"):
        assert (
            said(Resources, cpu="1", memory=said(Resources, cpu="1", memory=memory).split("Write ")[1].split(",")[0])
            == ""
        )


@pytest.mark.parametrize("through", ["compose", "edge"])
def test_the_refusal_names_the_field_and_nothing_is_made(through: str) -> None:
    outcome = fresh(through, resources={"cpu": "1", "memory": "512m"}).ask()
    assert outcome.reason == "NotOffered"
    assert "spec.resources.memory: 512m is 512 thousandths of a byte. Write 512Mi" in outcome.message
    assert not outcome.resources
