"""Bad input names the file, the field, what is wrong and what to do, and is never a traceback."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from rendering import Manifest, Shell, claim, composition, environment

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


def message(shell: Shell, *words: str, stdin: str | bytes = "") -> str:
    """Return what a person is told, which must be all there is."""
    result = shell.render(*words, stdin=stdin)
    assert result.exit_code == 1
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"sise": 1}, "x.yaml: spec.sise: unknown field"),
        ({"version": 17}, "x.yaml: spec.version: "),
        ({"version": "9"}, "x.yaml: spec.version: too old; use 15 or later"),
    ],
)
def test_a_claim_the_api_server_would_refuse_is_refused(shell: Shell, spec: dict[str, Any], told: str) -> None:
    shell.write("x.yaml", {**claim(), "spec": {"version": "17", **spec}})
    assert told in message(shell, "x.yaml")


def test_every_reason_is_a_line_with_the_documents_number(shell: Shell) -> None:
    shell.write("x.yaml", claim(), {**claim("b"), "spec": {"tier": 3}})
    lines = shell.render("x.yaml").stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("x.yaml, document 2: spec.") for line in lines)


def test_a_change_is_checked_against_the_claim_before(shell: Shell) -> None:
    shell.write("before.yaml", claim(version="18"))
    told = message(shell, "orders.yaml", "--claim-before", "before.yaml")
    assert told == "orders.yaml: spec.version: version can only rise\n"


def test_the_claim_before_must_be_the_same_claim(shell: Shell) -> None:
    shell.write("before.yaml", claim("other"))
    told = message(shell, "orders.yaml", "--claim-before", "before.yaml")
    assert "the claim before is XDatabase default/other, another" in told


def test_the_claim_before_hands_on_its_uid_its_composition_and_its_environment(
    shell: Shell,
) -> None:
    before = claim(crossplane={"compositionRef": {"name": "xdatabase-rds"}})
    labels = {"groundplane.dev/environment": "prod"}
    before["metadata"] = {"name": "orders", "uid": "u-1", "labels": labels}
    before["status"] = {"engine": "rds"}
    shell.write("before.yaml", before)
    assert shell.render("orders.yaml", "--claim-before", "before.yaml").exit_code == 0
    xr = MessageToDict(shell.double.requests[0].observed.composite.resource)
    assert xr["metadata"]["uid"] == "u-1"
    assert xr["metadata"]["labels"]["groundplane.dev/environment"] == "prod"
    assert xr["spec"]["crossplane"]["compositionRef"]["name"] == "xdatabase-rds"
    assert xr["status"]["engine"] == "rds"


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (CONFIG_MAP, "x.yaml: ConfigMap of v1 is no kind of claim. Claims are: XDatabase (ground"),
        ({**claim(), "kind": "XDatabse"}, "Did you mean XDatabase?"),
        ({**claim(), "apiVersion": "groundplane.dev/v2"}, "XDatabase of groundplane.dev/v2 is no"),
        ({"kind": "XDatabase"}, "x.yaml: apiVersion: missing"),
        ({**claim(), "metadata": {"generateName": "a-"}}, "x.yaml: metadata.name: missing"),
        ("- a\n- b\n", "x.yaml: a list, not an object"),
        ("a: b: c\n", "x.yaml: not YAML: line 1, column 5"),
        ("", "x.yaml: empty"),
    ],
)
def test_what_is_no_claim_is_refused(shell: Shell, manifest: Manifest | str, told: str) -> None:
    shell.write("x.yaml", manifest)
    assert told in message(shell, "x.yaml")


def test_a_missing_file_and_a_folder_are_named(shell: Shell) -> None:
    assert message(shell, "none.yaml") == "none.yaml: no such file; check the path\n"
    assert "package: a folder; name the files in it" in message(shell, "package")


def test_empty_standard_input_is_named(shell: Shell) -> None:
    assert message(shell, "-").startswith("standard input: empty")
    assert message(shell, "-", stdin=b"\xff") == ("standard input: not UTF-8 text; save the file as UTF-8\n")


@pytest.mark.parametrize("option", ["--observed", "--required"])
@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({"apiVersion": "v1", "metadata": {"name": "a"}}, "o.yaml: kind: missing"),
        ({**CONFIG_MAP, "metadata": {}}, "o.yaml: metadata.name: missing"),
        ({**CONFIG_MAP, "status": []}, "o.yaml: status: must be an object"),
        (
            {**CONFIG_MAP, "kind": "Secret", "data": {"password": "open sesame"}},
            "o.yaml: data.password: not base64",
        ),
    ],
)
def test_a_malformed_object_is_named(shell: Shell, option: str, manifest: Manifest, told: str) -> None:
    shell.write("o.yaml", manifest)
    words = message(shell, "orders.yaml", option, "o.yaml")
    assert words.startswith(told)
    assert "sesame" not in words


def test_observed_objects_are_told_apart_or_refused(shell: Shell) -> None:
    key = "crossplane.io/composition-resource-name"
    metadata = {"annotations": {key: "db"}}
    twice = [{**CONFIG_MAP, "metadata": {"name": name, **metadata}} for name in "ab"]
    shell.write("o.yaml", *twice)
    told = message(shell, "orders.yaml", "--observed", "o.yaml")
    assert "orders.yaml: observed ConfigMap b and ConfigMap a are both 'db'" in told
    shell.write("o.yaml", CONFIG_MAP)
    told = message(shell, "orders.yaml", "--observed", "o.yaml")
    assert f"observed ConfigMap a: metadata.annotations: {key} is missing" in told


@pytest.mark.parametrize(
    ("asked", "documents", "told"),
    [
        ("prod", [environment("a")], "environment 'prod': no EnvironmentConfig of that name is"),
        ("prod", [environment("a")], "(known: a)"),
        ("e.yaml", [CONFIG_MAP], "e.yaml: ConfigMap of v1 is no environment; expected one Env"),
        ("e.yaml", [environment("a"), environment("b")], "e.yaml: several environments (a, b)"),
        ("none.yaml", [environment("a")], "none.yaml: no such file"),
        (
            "e.yaml",
            [environment("a", engine="oracle")],
            "'oracle' has no Composition for XDatabase",
        ),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(
    shell: Shell, asked: str, documents: list[Manifest], told: str
) -> None:
    shell.write("e.yaml", *documents)
    words = ["--environment", asked, *([] if asked == "e.yaml" else ["--required", "e.yaml"])]
    assert told in message(shell, "orders.yaml", *words)


def test_a_file_without_a_composition_is_named(shell: Shell) -> None:
    shell.write("c.yaml", CONFIG_MAP)
    assert message(shell, "orders.yaml", "--composition", "c.yaml").startswith("c.yaml: no Compos")


def test_a_composition_of_another_kind_or_function_is_named(shell: Shell) -> None:
    other = {"apiVersion": "groundplane.dev/v1alpha1", "kind": "XCache"}
    shell.write("c.yaml", composition(compositeTypeRef=other))
    named = claim(crossplane={"compositionRef": {"name": "xdatabase-cnpg"}})
    shell.write("x.yaml", named)
    assert "is for XCache of" in message(shell, "x.yaml", "--composition", "c.yaml")
    step = {"step": "ready", "functionRef": {"name": "function-auto-ready"}}
    shell.write("c.yaml", composition(pipeline=[step]))
    told = message(shell, "x.yaml", "--composition", "c.yaml")
    assert "step 'ready': function 'function-auto-ready' is not known here" in told


def test_among_several_claims_before_each_claim_finds_its_own(shell: Shell) -> None:
    shell.write("before.yaml", claim("a", version="18"), claim("orders", version="16"))
    assert shell.render("orders.yaml", "--claim-before", "before.yaml").exit_code == 0
    shell.write("before.yaml", claim("orders"), claim("orders"))
    told = message(shell, "orders.yaml", "--claim-before", "before.yaml")
    assert told == ("before.yaml, document 2: given twice, see also before.yaml, document 1; keep one\n")
