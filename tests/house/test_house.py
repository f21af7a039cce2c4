"""What holds for every file of the repository: size, words, reasons, pins, and help."""

import io
import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pins import PIN, pinned

ROOT = Path(__file__).resolve().parents[2]
OURS_THOUGH_HIDDEN = {".ci", ".github", ".gitignore"}
NOT_OURS = {"_binaries", "_clients", "_crds", "dist", "__pycache__"}
LONGEST = 300

# Each pattern has a character class somewhere, so that this file does not match itself.
REGISTRY_HOSTS = re.compile(
    r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|crates[.]io|proxy[.]golang[.]org"
    r"|repo1?[.]maven|rubygems[.]org|deb[.]debian[.]org|archive[.]ubuntu[.]com"
)
ELSEWHERE = re.compile(
    r"/[w]ork/|/[r]oot/|/[h]ome/(?!nonroot)\w|/[U]sers/\w|\b[C]EO\b|[w]orkplace|[t]his session"
    r"|sub-?[a]gent|\bthe [b]rief|\bthe [h]elper\b|co-[a]uthored-by|language [m]odel"
    r"|\b[i]ssue (#|no\.? ?)?\d",
    re.IGNORECASE,
)
REASONED_NOQA = re.compile(r"# noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*\s+(#|-) ?\S")
REASONED_TYPE_IGNORE = re.compile(r"# type: ignore\[[a-z, -]+\]\s+# ?\S")


def our_files(*folders: str, suffix: str = "") -> Iterator[Path]:
    """Yield the repository's own text files, without what tools leave behind."""
    tops = [ROOT / folder for folder in folders] or [
        top
        for top in ROOT.iterdir()
        if top.name in OURS_THOUGH_HIDDEN or not (top.name.startswith(".") or top.name in NOT_OURS)
    ]
    for top in sorted(tops):
        for path in sorted(top.rglob(f"*{suffix}")) if top.is_dir() else [top]:
            if path.is_file() and not NOT_OURS & set(path.parts):
                yield path


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for path in our_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def comments(path: Path) -> Iterator[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return (token for token in tokens if token.type == tokenize.COMMENT)


def project() -> dict[str, list[str]]:
    """Return the requirements that pyproject.toml states, by the group that states them."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    metadata = document["project"]
    build = document["build-system"]["requires"]
    return {
        "dependencies": metadata["dependencies"],
        "build": build,
        **metadata["optional-dependencies"],
    }


def test_no_file_of_code_is_longer_than_a_person_reads() -> None:
    too_long = {
        str(path.relative_to(ROOT)): length
        for path in our_files("functions", "tests", "tools", suffix=".py")
        if (length := len(path.read_text().splitlines())) > LONGEST
    }
    assert not too_long


def test_no_file_names_a_package_registry() -> None:
    assert not lines_matching(REGISTRY_HOSTS)


def test_the_project_speaks_of_itself_alone() -> None:
    assert not lines_matching(ELSEWHERE)


def test_every_exception_to_a_tool_carries_its_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{comment.start[0]}: {comment.string}"
        for path in our_files("functions", "tests", "tools", suffix=".py")
        for comment in comments(path)
        if ("noqa" in comment.string and not REASONED_NOQA.search(comment.string))
        or ("type: ignore" in comment.string and not REASONED_TYPE_IGNORE.search(comment.string))
    ]
    assert not bare


@pytest.mark.parametrize("file", ["clients.txt", "dev.txt", "function.txt", "lock.txt"])
def test_every_pinned_package_has_hashes_and_no_address(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text()
    code = re.sub(r"(?m)^\s*#.*\n", "", text)
    packages = re.split(r"(?m)^(?=\S)", code)[1:]
    assert packages
    for package in packages:
        first, *hashes = package.rstrip().splitlines()
        assert PIN.match(first), first
        assert hashes, first
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)
    assert "://" not in text
    assert "/" not in code


def test_the_pins_are_what_the_project_asks_for() -> None:
    versions = pinned("dev.txt")
    for line in [line for lines in project().values() for line in lines]:
        wanted = Requirement(line)
        version = versions.get(canonicalize_name(wanted.name))
        assert version, f"{wanted.name} is not pinned; run make lock"
        assert wanted.specifier.contains(version), f"{line} is pinned as {version}; run make lock"


def test_the_function_image_runs_what_the_tests_run_and_nothing_more() -> None:
    function, everything, groups = pinned("function.txt"), pinned("dev.txt"), project()
    asked = {canonicalize_name(Requirement(line).name) for line in groups["dependencies"]}
    others = groups["render"] + groups["dev"] + groups["build"]
    not_for_it = {canonicalize_name(Requirement(line).name) for line in others}
    assert asked <= function.keys()
    assert function.items() <= everything.items()
    assert not not_for_it & function.keys()


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"(?m)^([a-z][a-z-]*):(?!=)(.*)$", makefile)
    phony = re.search(r"(?m)^\.PHONY: (.*)$", makefile)
    assert phony
    assert {name for name, _ in targets} == set(phony[1].split())
    assert [name for name, rest in targets if " ## " not in rest] == []
    plain_make = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True)
    told = [line.split()[1] for line in plain_make.stdout.splitlines()]
    assert told == [name for name, _ in targets]


def test_every_script_that_a_make_target_runs_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    scripts = set(re.findall(r"tools/[a-z_-]+\.(?:py|sh)", makefile))
    assert [script for script in sorted(scripts) if not (ROOT / script).is_file()] == []
