"""Building and pushing packages: what the command line is told, and what people are told."""

import json
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

import package
from xpkg import build
from xpkg.target import PackageError


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in the place of Crossplane's command line; return where it notes what it was told."""
    program, calls = tmp_path / "crossplane", tmp_path / "calls"
    script = 'for word in "$@"; do case $word in --package-file=*) echo built >"${word#*=}";; esac; done'
    program.write_text(f'#!/bin/sh\necho "$@" >>{calls}\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("CROSSPLANE_CLI", str(program))
    return calls


def image(path: Path, architecture: str) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in (
            ("manifest.json", [{"Config": "c"}]),
            ("c", {"os": "linux", "architecture": architecture}),
        ):
            text = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, BytesIO(text))
    return path


def test_no_example_of_the_repository_gets_into_a_package(command_line: Path, tmp_path: Path) -> None:
    assert package.main([], {}, tmp_path / "dist") == 0
    for line in command_line.read_text().splitlines():
        (folder,) = (word.partition("=")[2] for word in line.split() if word.startswith("--examples-root="))
        assert not Path(folder).exists()


def test_without_an_image_the_function_says_that_it_is_metadata_only(
    command_line: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.main([], {}, tmp_path / "dist") == 0
    told = capsys.readouterr()
    (row,) = (line for line in told.out.splitlines() if line.startswith("function-database "))
    assert row.endswith("NO runtime image")
    assert "metadata only, and its pod cannot start" in told.err
    assert "--embed" not in command_line.read_text()


def test_an_image_is_embedded_in_functions_alone_a_file_for_each_platform(
    command_line: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [str(image(tmp_path / f"{name}.tar", name)) for name in ("amd64", "arm64")]
    assert package.main([], {"RUNTIME_IMAGE_TARBALL": " ".join(images)}, tmp_path / "dist") == 0
    embedding = [line for line in command_line.read_text().splitlines() if "--embed-runtime-image-tarball=" in line]
    files = [word for line in embedding for word in line.split() if word.startswith("--package-file=")]
    names = [Path(word).name for word in files]
    assert names == [f"function-database-v0.1.0-linux-{name}.xpkg" for name in ("amd64", "arm64")]
    told = capsys.readouterr()
    assert "NO runtime image" not in told.out
    assert told.err == ""


def test_a_docker_image_is_embedded_by_its_name(command_line: Path, tmp_path: Path) -> None:
    assert package.main([], {"RUNTIME_IMAGE": "groundplane:dev"}, tmp_path / "dist") == 0
    lines = command_line.read_text().splitlines()
    assert [line.split()[-1] for line in lines if "--embed" in line] == ["--embed-runtime-image=groundplane:dev"]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"RUNTIME_IMAGE_TARBALL": "gone.tar"}, "package: RUNTIME_IMAGE_TARBALL=gone.tar is not there; make image"),
        ({"RUNTIME_IMAGE_TARBALL": "a", "RUNTIME_IMAGE": "b"}, "package: RUNTIME_IMAGE_TARBALL and RUNTIME_IMAGE are"),
        ({"VERSION": "latest"}, "package: VERSION=latest is no version"),
    ],
)
def test_bad_settings_end_in_one_line(
    setting: dict[str, str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.main([], setting, tmp_path) == 1
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert said.count("\n") == 1


def test_a_push_that_names_no_registry_builds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main(["push"], {}, tmp_path / "dist") == 1
    assert capsys.readouterr().err.startswith("package: nobody said where to; name a registry")
    assert not (tmp_path / "dist").exists()


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_text("no image")
    with pytest.raises(PackageError, match=r"image\.tar is no image as docker save writes one"):
        build.platform(path)
    images = tuple(image(tmp_path / f"{name}.tar", name) for name in ("amd64", "arm64"))
    assert [build.platform(one) for one in images] == ["linux-amd64", "linux-arm64"]


def test_what_the_command_line_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "crossplane"
    program.write_text("#!/bin/sh\necho 'failed to lint package' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("CROSSPLANE_CLI", str(program))
    assert package.main([], {}, tmp_path / "dist") == 1
    assert capsys.readouterr().err == "package: crossplane xpkg build failed:\nfailed to lint package\n"
