"""The YAML we print is read back as the same objects, by us and by YAML 1.1 readers."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from groundplane.kubernetes.yaml_writer import document, stream
from groundplane.render.redact import HIDDEN, PUBLIC_KEYS, hidden
from groundplane.render.yaml_reader import parse

MISREAD = [
    "y", "N", "yes", "No", "on", "OFF", "true", "null", "Null", "~", "", "0", "017", "0o17", "0x1F",
    "1_000", "1e3", "1.5", ".5", "-.inf", ".NaN", "1:30", "190:20:30", "2026-11-24", "=", "<<",
    "2026-11-24T08:59:00Z", "+1", "-0", "0b11", "1,000", "12e03",
]  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.sampled_from(MISREAD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(values)
@example("#!/bin/sh\nset -e\n\techo  hi  # there\n")
@example(" starts with a space\nand goes on")
@example("ends with blanks \n  \n\n")
@example("line\x85separator\u2028\nand\ufeff")
def test_whatever_is_written_is_read_back_equal(value: Any) -> None:
    text = document({"a": value})
    assert yaml.safe_load(text) == {"a": value}
    assert parse(text.encode(), "x")[0][1] == {"a": value}


@pytest.mark.parametrize("text", MISREAD)
def test_a_string_that_yaml_1_1_could_misread_is_quoted(text: str) -> None:
    written = document({"a": text}).removeprefix("---\na: ").strip()
    assert written[0] in "\"'"
    assert document({text: 1}).removeprefix("---\n").removeprefix("? ")[0] in "\"'"


@pytest.mark.parametrize("text", ["20Gi", "500m", "orders", "9bf0385c-0ba2-5e63", "a.b", "select 1", "5 0 * * *"])
def test_an_ordinary_string_stays_plain(text: str) -> None:
    assert document({"a": text}) == f"---\na: {text}\n"


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff", "\x07", "\r"])
def test_what_a_reader_could_take_for_the_end_of_a_line_is_escaped(character: str) -> None:
    for text in (f"a{character}b", f"a{character}b\nc\n"):
        assert character not in document({"a": text})


def test_a_script_stays_readable() -> None:
    assert document({"a": "set -e\necho hi\n"}) == "---\na: |\n  set -e\n  echo hi\n"


def test_keys_are_sorted_and_nothing_is_an_alias() -> None:
    shared = {"x": 1}
    assert stream([{"b": shared, "a": shared}]) == "---\na:\n  x: 1\nb:\n  x: 1\n"


def secret(**sections: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **sections}


def test_a_secrets_values_are_hidden_unless_their_key_is_public() -> None:
    keys = [*sorted(PUBLIC_KEYS), "password", "uri", "tls.key"]
    shown = hidden(secret(data=dict.fromkeys(keys, "dg=="), stringData=dict.fromkeys(keys, "v")))
    assert {key for key in keys if shown["data"][key] == "dg=="} == PUBLIC_KEYS
    assert {key for key in keys if shown["stringData"][key] == "v"} == PUBLIC_KEYS
    assert shown["data"]["password"] == "KGhpZGRlbik="
    assert shown["stringData"]["password"] == HIDDEN


def test_the_copy_that_kubectl_keeps_of_a_secret_is_not_shown() -> None:
    copy = "kubectl.kubernetes.io/last-applied-configuration"
    metadata = {"name": "s", "annotations": {copy: "all of it", "b": "c"}}
    assert hidden(secret(metadata=metadata))["metadata"]["annotations"] == {"b": "c"}


def test_other_kinds_are_left_alone() -> None:
    other = {**secret(data={"password": "dg=="}), "kind": "ConfigMap"}
    assert hidden(other) == other
