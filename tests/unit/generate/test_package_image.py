"""The function's image: what its Dockerfile promises, and that its files alone serve the function, read only."""

import asyncio
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import catalogue
import image
import image_tree
from image_call import is_answered
from pins import pinned

TEXT = image_tree.DOCKERFILE.read_text(encoding="utf-8")
DOCKERFILE = image_tree.parsed(TEXT)
BUILD, FINAL = DOCKERFILE.stages
PYTHON = os.path.realpath(sys.executable)  # without the packages of the virtual environment


def test_the_final_stage_has_python_and_no_shell() -> None:
    assert FINAL.base == "${RUN_BASE}"
    assert "/distroless/python3-" in DOCKERFILE.arguments["RUN_BASE"]
    assert ":debug" not in TEXT
    assert [word for word, _ in FINAL.instructions if word in {"RUN", "SHELL", "CMD", "HEALTHCHECK"}] == []


def test_nothing_but_the_installed_packages_comes_into_the_final_stage() -> None:
    assert FINAL.all("COPY") == ["--from=build /build/app /app"]
    assert BUILD.name == "build"
    assert FINAL.all("ADD") + BUILD.all("ADD") == []


def test_both_stages_have_the_same_python() -> None:
    """What is compiled for one does not load in the other: Debian 13 has Python 3.13."""
    assert ":3.13-" in DOCKERFILE.arguments["BUILD_BASE"]
    assert "python3-debian13" in DOCKERFILE.arguments["RUN_BASE"]


def test_the_process_is_the_user_that_crossplane_runs_functions_as() -> None:
    assert FINAL.one("USER") == "2000:2000"


def test_the_entrypoint_needs_no_shell_and_serves() -> None:
    assert json.loads(FINAL.one("ENTRYPOINT")) == ["/usr/bin/python3", "-m", "groundplane", "serve"]
    assert image_tree.environment(FINAL)["PYTHONPATH"] == "/app"


def test_the_process_writes_no_byte_code_because_it_is_there() -> None:
    assert image_tree.environment(FINAL)["PYTHONDONTWRITEBYTECODE"] == "1"
    assert "compileall -q -j 0 --invalidation-mode unchecked-hash" in BUILD.all("RUN")[-1]


def test_every_installed_package_is_pinned_by_its_hash_or_built_here() -> None:
    installs = [text for text in BUILD.all("RUN") if "pip install" in text]
    pins, own = installs
    assert pins.endswith("--require-hashes --only-binary=:all: --target app -r requirements/function.txt")
    assert own.endswith("--no-index --no-deps --target app dist/groundplane-*.whl")


def test_no_step_depends_on_the_processor() -> None:
    assert not re.search("amd64|arm64|x86_64|aarch64|TARGETARCH|BUILDPLATFORM|--platform", _instructions())


def _instructions() -> str:
    return "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))


def test_the_build_sees_only_what_it_copies() -> None:
    ignore = image_tree.DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignore if not line.startswith("#")]
    assert rules[0] == "*"
    assert [f"!{text.split()[0]}" for text in BUILD.all("COPY")] == rules[1:]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Give the pinned packages, as they are installed here, with the function: the image's /app without a download."""
    folder = tmp_path / "app"
    for name in pinned("function.txt"):
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(distribution.locate_file(file)), folder / file)
    shutil.copytree(catalogue.PACKAGE, folder / "groundplane", ignore=shutil.ignore_patterns("__pycache__"))
    image_tree.read_only(folder)
    yield folder
    image_tree.removable(folder)


def test_the_pinned_packages_alone_serve_the_function_from_where_nothing_can_be_written(tree: Path) -> None:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("this is root, whom permissions do not stop, and there is no setpriv to give that up")
    before = image_tree.files(tree)
    write = (*image_tree.powerless(), PYTHON, "-c", "open('written', 'w')")
    assert b"PermissionError" in subprocess.run(write, cwd=tree, capture_output=True, check=False).stderr
    with image_tree.serving(FINAL, tree, PYTHON) as address:
        assert asyncio.run(is_answered(address))
    assert image_tree.files(tree) == before


def stand_in(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_without_docker_make_image_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert image.main({"PATH": str(tmp_path)}, tmp_path) == 1
    assert capsys.readouterr().err == (
        "image: needs a Docker engine with buildx, and there is none here; install Docker, or start it\n"
    )


def test_an_image_is_built_for_every_platform_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    docker = stand_in(tmp_path / "bin" / "docker", f'echo "$@" >>{tmp_path}/calls')
    path = f"{docker.parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    monkeypatch.chdir(tmp_path)
    settings = {"PATH": path, "PLATFORMS": "linux/amd64,linux/arm64", "RUN_BASE": "base@sha256:0"}
    assert image.main(settings, tmp_path / "dist") == 0
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith("buildx build")]
    assert [re.findall(r"--platform=(\S+)", call) for call in calls] == [["linux/amd64"], ["linux/arm64"]]
    first, second = (call.replace("linux/arm64", "linux/amd64").replace("linux-arm64", "linux-amd64") for call in calls)
    assert first == second
    assert "--build-arg=RUN_BASE=base@sha256:0" in first
    assert "rewrite-timestamp=true" in first
    told = capfd.readouterr().out.splitlines()[-1]
    assert told.endswith('RUNTIME_IMAGE_TARBALL="dist/runtime-linux-amd64.tar dist/runtime-linux-arm64.tar"')


def test_the_same_tree_gives_the_same_wheel(tmp_path: Path) -> None:
    first, second = (image.wheel(tmp_path / name).read_bytes() for name in ("one", "two"))
    assert first == second
