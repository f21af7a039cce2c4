"""``groundplane render``: what goes to which stream, and with which exit code."""

import errno
import io
import json
from pathlib import Path

import pytest
import yaml
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.cli.render import default_output, wants_colour
from groundplane.render import output as report
from groundplane.render.reconciler import reconcile
from rendering import Shell, add, claim, composition, environment, one_cluster, refuse


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


def test_the_claim_comes_first_and_then_what_it_composes(shell: Shell) -> None:
    result = shell.render("orders.yaml")
    assert result.exit_code == 0
    assert result.stderr == ""
    documents = list(yaml.safe_load_all(result.stdout))
    assert [one["kind"] for one in documents] == ["XDatabase", "Secret", "Cluster"]
    assert documents[0]["spec"]["tier"] == "Standard"
    assert documents[0]["spec"]["crossplane"]["compositionRef"] == {"name": "xdatabase-cnpg"}


def test_two_runs_are_equal_byte_for_byte(shell: Shell) -> None:
    for output in ("yaml", "tree", "json"):
        first, second = (shell.render("orders.yaml", "-o", output).stdout_bytes for _ in range(2))
        assert first == second
        assert first


def test_no_format_shows_a_password(shell: Shell) -> None:
    for output in ("yaml", "tree", "json"):
        assert "open-sesame" not in shell.render("orders.yaml", "-o", output).output
    assert "host: db.example.org" in shell.render("orders.yaml").stdout
    assert "password: (hidden)" in shell.render("orders.yaml").stdout


def test_a_uid_that_was_made_up_is_not_printed_and_one_that_was_given_is(shell: Shell) -> None:
    (document, *_) = yaml.safe_load_all(shell.render("orders.yaml").stdout)
    assert "uid" not in document["metadata"]
    shell.write("live.yaml", {**claim(), "metadata": {"name": "orders", "uid": "u-1"}})
    (document, *_) = yaml.safe_load_all(shell.render("live.yaml").stdout)
    assert document["metadata"]["uid"] == "u-1"


def test_claims_come_from_standard_input_and_from_several_files(shell: Shell) -> None:
    shell.write("more.yaml", claim("a"), claim("b"))
    result = shell.render("-", "more.yaml", stdin=yaml.safe_dump(claim("z")))
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(result.stdout) if one["kind"] == "XDatabase"]
    assert names == ["z", "a", "b"]


def test_an_environment_is_named_or_given_as_a_file(shell: Shell) -> None:
    shell.write("environments/prod.yaml", environment())
    for words in (
        ("--environment", "environments/prod.yaml"),
        ("--environment", "prod", "--required", "environments"),
    ):
        result = shell.render("orders.yaml", *words, "-o", "json")
        (entry,) = json.loads(result.stdout)["claims"]
        assert entry["composition"] == "xdatabase-rds"
        assert entry["claim"]["metadata"]["labels"]["groundplane.dev/environment"] == "prod"


def test_another_composition_takes_the_place_of_the_packages(shell: Shell) -> None:
    shell.write("mine.yaml", composition("mine"))
    result = shell.render("orders.yaml", "--composition", "mine.yaml", "-o", "json")
    assert json.loads(result.stdout)["claims"][0]["composition"] == "xdatabase-mine"


def test_what_would_go_is_said_after_the_documents(shell: Shell) -> None:
    first = reconcile({**claim()}, composition(), function=one_cluster)
    shell.write("live/objects.yaml", *first.resources.values())
    shell.double.answer = lambda _request: fnv1.RunFunctionResponse()
    lines = shell.render("orders.yaml", "--observed", "live").stdout.splitlines()
    assert lines[-2:] == [
        "# would be deleted: Secret orders-db-binding (binding)",
        "# would be deleted: Cluster orders-db-1 (cnpg-1-cluster)",
    ]


def test_json_is_one_document_with_all_that_is_known(shell: Shell) -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = one_cluster(request)
        response.context.update({"groundplane.dev/footprint": {"instances": 2, "cpu": "1"}})
        response.results.append(fnv1.Result(severity=fnv1.SEVERITY_NORMAL, message="hello"))
        return response

    shell.double.answer = answer
    (entry,) = json.loads(shell.render("orders.yaml", "-o", "json").stdout)["claims"]
    assert [one["kind"] for one in entry["resources"]] == ["Secret", "Cluster"]
    assert entry["footprint"] == {"instances": 2, "cpu": "1"}
    assert entry["results"] == [
        {
            "step": "compose",
            "severity": "Normal",
            "reason": "ComposeResources",
            "message": "hello",
        }
    ]
    assert entry["deleted"] == entry["leaked"] == []


@pytest.mark.parametrize("fatal", [True, False])
@pytest.mark.parametrize("output", ["yaml", "tree", "json"])
def test_a_refusal_shows_no_resources_and_says_why_and_what_to_run_next(
    shell: Shell, output: str, *, fatal: bool
) -> None:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        response = refuse("One fact.\nAnother fact.", fatal=fatal)(request)
        add(response, "cnpg-1-cluster", "orders-db-1")
        return response

    shell.double.answer = answer
    result = shell.render("orders.yaml", "-o", output)
    assert result.exit_code == 3
    if output == "json":
        assert json.loads(result.stdout)["claims"][0]["resources"] == []
    else:
        assert "orders-db-1" not in result.stdout
    assert result.stderr.splitlines() == [
        "orders.yaml: XDatabase default/orders is refused: NotOffered",
        "  One fact.",
        "  Another fact.",
        f"Change what is named above, then run: groundplane render orders.yaml -o {output}",
    ]


def test_a_refusal_still_says_what_would_be_deleted(shell: Shell) -> None:
    first = reconcile(claim(), composition(), function=one_cluster)
    shell.write("live.yaml", first.resources["cnpg-1-cluster"])
    shell.double.answer = refuse("No.", fatal=False)
    result = shell.render("orders.yaml", "--observed", "live.yaml")
    assert "would be deleted: Cluster orders-db-1 (cnpg-1-cluster)" in result.stderr


def test_the_worst_code_wins_and_every_claim_is_tried(shell: Shell) -> None:
    no = refuse("No.", fatal=True)
    shell.double.answer = lambda request: (
        no(request) if "no" in str(request.observed.composite) else one_cluster(request)
    )
    shell.write("mixed.yaml", claim("no"), claim("yes"))
    result = shell.render("mixed.yaml")
    assert result.exit_code == 3
    assert "name: yes-db-1" in result.stdout
    shell.write("bad.yaml", {**claim("bad"), "spec": {}})
    result = shell.render("bad.yaml", "missing.yaml", "mixed.yaml")
    assert result.exit_code == 1
    assert "name: yes-db-1" in result.stdout
    assert "missing.yaml: no such file" in result.stderr
    assert "mixed.yaml, document 1: XDatabase default/no is refused" in result.stderr


def test_a_broken_function_is_one_line_and_exit_code_1(shell: Shell) -> None:
    def broken(_request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        raise KeyError("open-sesame")

    shell.double.answer = broken
    result = shell.render("orders.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("orders.yaml: the function broke (UNKNOWN): this is a bug")
    assert "open-sesame" not in result.output


def test_a_note_goes_to_standard_error_only(shell: Shell) -> None:
    shell.double.answer = lambda request: _undeclared(one_cluster(request))
    result = shell.render("orders.yaml")
    assert result.exit_code == 0
    assert "orders.yaml: note: the API server would refuse the whole status" in result.stderr
    assert "note:" not in result.stdout


def _undeclared(response: fnv1.RunFunctionResponse) -> fnv1.RunFunctionResponse:
    response.desired.composite.resource.update({"status": {"engin": "cnpg"}})
    return response


def test_wrong_usage_is_exit_code_2(shell: Shell) -> None:
    assert shell.render().exit_code == 2
    assert shell.render("orders.yaml", "-o", "xml").exit_code == 2
    assert shell.render("orders.yaml", "--now", "yesterday").exit_code == 2


def test_help_reads_well_and_has_an_example(shell: Shell) -> None:
    text = shell.render("--help").stdout
    assert "  groundplane render orders.yaml --environment prod.yaml\n" in text
    assert "--now" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_fatal_result_without_a_reason_is_a_failure_and_no_refusal(shell: Shell) -> None:
    fatal = fnv1.Result(severity=fnv1.SEVERITY_FATAL, message="the function failed (KeyError).")
    shell.double.answer = lambda _request: fnv1.RunFunctionResponse(results=[fatal])
    result = shell.render("orders.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == ("orders.yaml: XDatabase default/orders: the function failed (KeyError).\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_tree_in_colours_and_a_program_plain_yaml() -> None:
    assert default_output(Terminal()) == "tree"
    assert default_output(io.StringIO()) == "yaml"
    assert wants_colour(Terminal(), {})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})


def test_the_next_command_is_for_the_refused_claim_alone(shell: Shell) -> None:
    shell.double.answer = refuse("No.", fatal=True)
    shell.write("a b.yaml", claim("a"), claim("b"))
    result = shell.render("orders.yaml", "a b.yaml", "-", stdin=yaml.safe_dump(claim("z")))
    nexts = [line.partition("run: ")[2] for line in result.stderr.splitlines() if "run: " in line]
    assert nexts == [
        "groundplane render orders.yaml",
        "groundplane render 'a b.yaml'",
        "groundplane render 'a b.yaml'",
        "groundplane render -",
    ]


def test_a_claim_without_an_environment_is_told_to_name_one(shell: Shell) -> None:
    shell.double.answer = refuse("No environment.", fatal=False, reason="EnvironmentIncomplete")
    last = shell.render("orders.yaml").stderr.splitlines()[-1]
    assert last == ("Run it for an environment: groundplane render orders.yaml --environment FILE")


def test_what_was_printed_can_be_given_back_as_observed(shell: Shell) -> None:
    shell.write("live.yaml", shell.render("orders.yaml").stdout)
    result = shell.render("orders.yaml", "--observed", "live.yaml")
    assert result.stderr == ""
    assert sorted(shell.double.requests[-1].observed.resources) == ["binding", "cnpg-1-cluster"]


def test_a_full_disk_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_rendered: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(report, "as_yaml", full)
    result = shell.render("orders.yaml")
    assert result.exit_code == 1
    assert result.stderr == "standard output: cannot be written: No space left on device\n"
