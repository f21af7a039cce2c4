"""The command ``groundplane doctor``: what it prints, and how it exits."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import catalogue
from doctor_server import Behaviour, kubeconfig, serving
from doctor_world import claim, condition, healthy, policy
from groundplane.__main__ import main
from groundplane.cli import doctor
from groundplane.doctor import expected, printing
from groundplane.doctor.finding import Finding, State

FINDINGS = [
    Finding("xrd", "xdatabases.groundplane.dev", State.OK, "Established"),
    Finding("claim", "XDatabase a/b", State.PROBLEM, "Accepted False: no\n\x1b[31mred", "Do this."),
    Finding("operator", "x", State.UNKNOWN, "cannot tell"),
]


@pytest.fixture
def behaviour(monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    monkeypatch.setattr(expected, "policies", lambda: tuple(policy("made-up")))
    world = healthy()
    for one in policy("made-up"):
        world.put(one)
    return Behaviour(world)


@pytest.fixture
def served(behaviour: Behaviour, tmp_path: Path) -> Iterator[Path]:
    with serving(behaviour, tmp_path) as path:
        yield path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["doctor", *map(str, words)])


def test_a_cluster_in_which_all_is_well_exits_with_zero(served: Path) -> None:
    done = run("--kubeconfig", served)
    assert done.exit_code == 0, done.output
    assert "problem" not in done.stdout
    assert done.stdout.startswith("CHECK")
    assert done.stderr == ""


def test_a_problem_exits_with_one_and_stands_in_its_row(behaviour: Behaviour, served: Path) -> None:
    behaviour.world.put(claim("team-b", "shop", condition("Accepted", "False", "NotOffered", "write less")))
    done = run("--kubeconfig", served)
    assert done.exit_code == 1
    (row,) = [line for line in done.stdout.splitlines() if "team-b/shop" in line]
    assert row.split()[:4] == ["claim", "XDatabase", "team-b/shop", "problem"]
    assert row.endswith("Accepted False NotOffered: write less")
    assert run("--kubeconfig", served, "-n", "team-a").exit_code == 0


def test_what_is_unknown_or_a_warning_does_not_fail(behaviour: Behaviour, served: Path) -> None:
    behaviour.world.drop("Deployment", "crossplane")
    done = run("--kubeconfig", served)
    assert done.exit_code == 0
    assert "1 unknown" in done.stdout


def test_json_has_one_shape(behaviour: Behaviour, served: Path) -> None:
    behaviour.world.drop("Composition", "xdatabase-rds")
    done = run("--kubeconfig", served, "-o", "json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert set(document) == {"kubernetes", "summary", "findings"}
    assert set(document["summary"]) == {"ok", "warning", "problem", "unknown"}
    assert document["summary"]["problem"] == 1
    assert {frozenset(one) for one in document["findings"]} == {
        frozenset({"check", "subject", "state", "message", "remedy"})
    }
    (found,) = [one for one in document["findings"] if one["state"] == "problem"]
    assert (found["check"], found["subject"]) == ("composition", "xdatabase-rds")
    assert found["remedy"]


def test_rights_are_asked_for_the_user_that_was_named(served: Path) -> None:
    done = run("--kubeconfig", served, "--crossplane-user", "system:serviceaccount:xp:core")
    assert "rights are asked for system:serviceaccount:xp:core" in done.stdout


def test_a_service_account_is_asked_for_with_its_groups() -> None:
    assert doctor.user("system:serviceaccount:xp:core").groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:xp",
        "system:authenticated",
    )
    assert doctor.user("alice").groups == ("system:authenticated",)


@pytest.mark.parametrize("words", [["--kubeconfig", "/nowhere/at/all"], ["--context", "nowhere"], []])
def test_no_cluster_exits_with_two_and_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("doctor: kubeconfig (")
    assert len(done.stderr.splitlines()) == 1


def test_nobody_there_exits_with_two(tmp_path: Path) -> None:
    done = run("--kubeconfig", kubeconfig(tmp_path, "http://127.0.0.1:1"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be reached" in done.stderr


def test_without_the_client_it_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['kubernetes'] = None; sys.modules['cel_expr_python'] = None;"
        " from click.testing import CliRunner; from groundplane.__main__ import main;"
        " done = CliRunner().invoke(main, ['doctor']); print(done.exit_code, done.stderr);"
        " print(CliRunner().invoke(main, ['doctor', '--help']).exit_code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    said, code, *_ = done.stdout.strip().split("\n\n")
    assert said == "2 doctor: the Kubernetes client is not installed: pip install 'groundplane[doctor]'"
    assert code == "0"


def test_the_doctor_does_without_what_only_render_needs() -> None:
    script = "import sys; sys.modules['cel_expr_python'] = None; import groundplane.doctor.examination"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_columns_are_aligned_and_the_sum_stands_last() -> None:
    lines = printing.as_table(FINDINGS).splitlines()
    places = [lines[0].index(word) for word in ("SUBJECT", "STATE", "WHAT")]
    for line, finding in zip(lines[1:], FINDINGS, strict=False):
        assert line[places[0] :].startswith(finding.subject)
        assert line[places[1] :].startswith(finding.state.value)
    assert lines[-1] == "1 problem, 1 unknown, 1 ok"
    assert printing.as_table(FINDINGS * 2).splitlines()[-1] == "2 problems, 2 unknown, 2 ok"


def test_what_a_cluster_says_cannot_move_the_cursor() -> None:
    table = printing.as_table(FINDINGS)
    assert "\x1b" not in table
    assert "Accepted False: no [31mred. Do this." in table


def test_a_terminal_gets_wrapped_lines() -> None:
    long = Finding("claim", "XDatabase a/b", State.PROBLEM, "word " * 60)
    assert max(map(len, printing.as_table([long], 100).splitlines())) <= 100
    assert max(map(len, printing.as_table([long]).splitlines())) > 300
    assert max(map(len, printing.as_table([long], 10).splitlines())) < 100


def test_the_policies_of_the_companion_set_on_disk_are_expected() -> None:
    folder = catalogue.ROOT / "package" / "companion"
    there = [one for path in sorted(folder.glob("*.yaml")) for one in catalogue.load(path)]
    wanted = [one for one in there if "AdmissionPolicy" in str(one.get("kind"))]
    assert wanted
    assert sorted(expected.policies(), key=str) == sorted(wanted, key=str)
