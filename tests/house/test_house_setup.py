"""`make setup` and the other scripts: what they do once, and how they say what is wrong."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands for a Python and, copied into .venv, for its pip: it notes its calls and does what it is
# told in files next to it.
STAND_IN = """#!/bin/sh
here={here}
case "$*" in
    *version_info*3,*11*) [ ! -e "$here/is-old" ] || exit 1 ;;
    *version_info*) if [ -e "$here/is-old" ]; then echo 3.9.2; else echo 3.12.1; fi ;;
    *_base_executable*) echo "$here/python" ;;
    *ensurepip*) [ ! -e "$here/lacks-venv" ] || exit 1 ;;
    "-m venv"*)
        echo venv >>"$here/calls"
        rm -rf .venv
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        ;;
    *-r*dev.txt) echo packages >>"$here/calls"; cat "$here/pip-says" 2>/dev/null && exit 1 ;;
    *--editable*)
        echo project >>"$here/calls"
        cp "$0" .venv/bin/groundplane
        ;;
esac
exit 0
"""


class Clone:
    """A folder with what setup needs, and a stand-in for Python beside it."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "clone"
        self.beside = tmp_path / "beside"
        self.beside.mkdir()
        for file in ("tools/setup.sh", "requirements/dev.txt", "pyproject.toml"):
            target = self.folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, target)
        self.python = self.beside / "python"
        self.python.write_text(STAND_IN.format(here=self.beside))
        self.python.chmod(0o755)

    def setup(self, python: str | Path = "", **env: str) -> subprocess.CompletedProcess[str]:
        return run(["sh", "tools/setup.sh", str(python)], self.folder, **env)

    def refusal(self, python: str | Path = "", **env: str) -> str:
        """Run setup, which must fail with one line on stderr and nothing else, and return it."""
        done = self.setup(python, **env)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.strip()

    def calls(self) -> list[str]:
        """Return what was called since the last look."""
        file = self.beside / "calls"
        calls = file.read_text().split() if file.exists() else []
        file.unlink(missing_ok=True)
        return calls


def run(command: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env={**os.environ, **env}, check=False, capture_output=True, text=True)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_setup_installs_once_and_then_does_nothing(clone: Clone) -> None:
    assert clone.setup(clone.python).returncode == 0
    assert clone.calls() == ["venv", "packages", "project"]
    again = clone.setup(clone.python)
    assert (again.returncode, again.stdout, clone.calls()) == (0, "", [])


def test_the_python_that_was_chosen_once_stays(clone: Clone) -> None:
    clone.setup(clone.python)
    clone.calls()
    assert clone.setup().returncode == 0
    assert clone.calls() == []


def test_a_changed_project_file_installs_only_the_project(clone: Clone) -> None:
    clone.setup(clone.python)
    clone.calls()
    (clone.folder / "pyproject.toml").write_text("# changed\n")
    clone.setup()
    assert clone.calls() == ["project"]


def test_changed_pins_install_all_again(clone: Clone) -> None:
    clone.setup(clone.python)
    clone.calls()
    (clone.folder / "requirements" / "dev.txt").write_text("# changed\n")
    clone.setup()
    assert clone.calls() == ["venv", "packages", "project"]


def test_a_moved_clone_installs_all_again(clone: Clone) -> None:
    clone.setup(clone.python)
    clone.calls()
    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    clone.setup()
    assert clone.calls() == ["venv", "packages", "project"]


def test_a_run_after_an_interrupted_one_repairs_it(clone: Clone) -> None:
    says = clone.beside / "pip-says"
    says.write_text("Killed")
    message = clone.refusal(clone.python)
    assert message == "setup: could not install the pinned packages; details in .setup.log"
    says.unlink()
    clone.calls()
    assert clone.setup(clone.python).returncode == 0
    assert clone.calls() == ["venv", "packages", "project"]


def test_a_lost_command_is_installed_again(clone: Clone) -> None:
    clone.setup(clone.python)
    clone.calls()
    (clone.folder / ".venv" / "bin" / "groundplane").unlink()
    clone.setup()
    assert clone.calls() == ["project"]


def test_an_old_python_is_named_with_its_version(clone: Clone) -> None:
    (clone.beside / "is-old").touch()
    assert clone.refusal(clone.python) == (
        f"setup: {clone.python} is Python 3.9.2, but Groundplane needs 3.11 or newer;"
        " choose another one: make setup PYTHON=python3.11"
    )


def test_a_python_that_does_not_run_is_named(clone: Clone) -> None:
    assert clone.refusal("no-such-python") == (
        "setup: PYTHON=no-such-python does not run; name a Python 3.11 or newer, as a command or a path"
    )


def test_a_machine_with_only_an_old_python_is_told_what_it_needs(clone: Clone) -> None:
    (clone.beside / "is-old").touch()
    (clone.beside / "python3").symlink_to(clone.python)
    for tool in ("sh", "dirname", "cat"):
        (clone.beside / tool).symlink_to(shutil.which(tool) or tool)
    assert clone.refusal(PATH=str(clone.beside)) == (
        "setup: found no Python 3.11 or newer (python3 is 3.9.2); install one,"
        " or name it: make setup PYTHON=/path/to/python3.11"
    )


def test_a_python_without_venv_says_which_package_to_install(clone: Clone) -> None:
    (clone.beside / "lacks-venv").touch()
    assert clone.refusal(clone.python) == (
        f"setup: {clone.python} has no venv module; install it (Debian, Ubuntu: apt-get install python3.12-venv)"
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "is not the one pinned"),
        ("ERROR: No matching distribution found for x==1", "x==1 has no build for Python 3.12.1"),
        ("Retrying after connection broken by NewConnectionError", "index cannot be reached"),
    ],
)
def test_what_pip_says_becomes_one_line(clone: Clone, said: str, told: str) -> None:
    (clone.beside / "pip-says").write_text(said)
    assert told in clone.refusal(clone.python)
    assert said in (clone.folder / ".setup.log").read_text()


def test_without_a_network_the_real_pip_ends_in_one_line(clone: Clone) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    message = clone.refusal(sys.executable, **nowhere)
    assert message == (
        "setup: could not download the pinned packages: the package index cannot be reached;"
        " connect and run make setup again; details in .setup.log"
    )
    assert not list((clone.folder / ".venv").glob(".*-installed"))
