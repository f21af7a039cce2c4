"""Packages as they are really built, pushed to a real registry, and read back."""

import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from bareplane import binaries
from bareplane.binaries import need
from bareplane.groundplane import PACKAGE_PROGRAMS
from controlplane import registry as registries
from controlplane.registry import ROOT, Registry, built
from xpkg.build import Runtime, digest
from xpkg.target import Target

pytestmark = pytest.mark.bare("packages are built")
WORDS = ["/usr/bin/python3", "-m", "groundplane", "serve"]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if why := binaries.missing(*PACKAGE_PROGRAMS):
        pytest.skip(why)
    with registries.serving(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def images(registry: Registry, tmp_path: Path) -> tuple[Path, ...]:
    """Make an image for each of two platforms, which holds a file and knows its entrypoint."""
    layer = tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        member = tarfile.TarInfo("app/function.py")
        member.size = 4
        archive.addfile(member, BytesIO(b"pass"))
    found = []
    for name in ("amd64", "arm64"):
        reference, file = f"{registry.address}/images/{name}:v1", tmp_path / f"{name}.tar"
        registry.crane("append", f"--new_layer={layer}", f"--new_tag={reference}")
        registry.crane(
            "mutate", reference, f"--set-platform=linux/{name}", f"--entrypoint={','.join(WORDS)}", f"--tag={reference}"
        )
        registry.crane("pull", reference, str(file))
        found.append(file)
    return tuple(found)


def another_copy(folder: Path) -> Path:
    """Copy what packages are made of to *folder*, with other times on every file."""
    for name in ("apis", "compositions", "package"):
        shutil.copytree(ROOT / name, folder / name)
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (number, time.time() - 10**6 * number))
    return folder


def test_the_same_tree_gives_the_same_bytes_wherever_and_whenever(
    registry: Registry, images: tuple[Path, ...], tmp_path: Path
) -> None:
    target = registry.target()
    first = built(target, tmp_path / "one", Runtime(images))
    time.sleep(1.1)  # the clock of archives counts seconds
    second = built(target, tmp_path / "elsewhere" / "two", Runtime(images), another_copy(tmp_path / "copy"))
    sums = [[digest(file) for one in packages for file in one.files] for packages in (first, second)]
    assert sums[0] == sums[1]
    assert len(sums[0]) == len(set(sums[0])) == 4


def test_another_version_gives_other_bytes(registry: Registry, tmp_path: Path) -> None:
    versions = ("v0.1.0", "v0.1.1")
    sums = [digest(built(registry.target(version=one), tmp_path / one)[-1].files[0]) for one in versions]
    assert sums[0] != sums[1]


def test_what_was_pushed_twice_has_one_digest_and_comes_back_as_it_was(registry: Registry, tmp_path: Path) -> None:
    first, second = registry.target("first"), registry.target("second")
    one = registry.publish(first)["function-database"]
    assert registry.publish(second)["function-database"] == one
    reference = first.reference("function-database")
    assert registry.digest(reference) == one
    pulled = tmp_path / "pulled"
    registry.crane("pull", "--format=oci", reference, str(pulled))
    (entry,) = json.loads((pulled / "index.json").read_text())["manifests"]
    assert entry["digest"] == one


def test_a_package_in_the_registry_calls_what_its_dependency_will_be_called(registry: Registry) -> None:
    target = registry.target("acme/platform", "v1.2.3")
    registry.publish(target)
    found = registry.package(target.reference("configuration-database"))
    steps = [step for one in found if one["kind"] == "Composition" for step in one["spec"]["pipeline"]]
    assert {step["functionRef"]["name"] for step in steps} == {"acme-platform-function-database"}
    (metadata,) = (one for one in found if one["kind"] == "Configuration")
    (need,) = metadata["spec"]["dependsOn"]
    assert f"{need['package']}:{need['version']}" == target.reference("function-database")
    assert {one["kind"] for one in found} == {
        *("Configuration", "CompositeResourceDefinition", "Composition", "ManagedResourceActivationPolicy")
    }


def test_the_layer_that_is_the_package_is_marked(registry: Registry) -> None:
    """Without the mark Crossplane unpacks everything to find it, the runtime image included."""
    target = registry.target("marked")
    registry.publish(target)
    for name in ("function-database", "configuration-database", "configuration-groundplane"):
        layers = registry.manifest(target.reference(name))["layers"]
        assert [registries.marked(one) for one in layers] == [True]


def test_a_function_carries_its_image_for_each_platform(registry: Registry, images: tuple[Path, ...]) -> None:
    target = registry.target("with-image")
    registry.publish(target, Runtime(images))
    reference = target.reference("function-database")
    entries = registry.manifest(reference)["manifests"]
    assert [one["platform"]["architecture"] for one in entries] == ["amd64", "arm64"]
    for entry in entries:
        single = f"{reference.rpartition(':')[0]}@{entry['digest']}"
        config = json.loads(registry.crane("config", single))
        assert config["config"]["Entrypoint"] == WORDS
        assert config["architecture"] == entry["platform"]["architecture"]
        layers = registry.manifest(single)["layers"]
        assert [registries.marked(one) for one in layers] == [False, True]


def test_make_push_pushes_all_three(registry: Registry) -> None:
    settings = {**os.environ, "REGISTRY": registry.address, "ORG": "by-make"}
    done = subprocess.run(["make", "push"], cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    target = Target(registry.address, "by-make", "v0.1.0")
    pushed = dict(line.removeprefix("pushed ").split("@") for line in done.stdout.splitlines() if "@" in line)
    assert pushed == {
        (reference := target.reference(name)): registry.digest(reference)
        for name in ("function-database", "configuration-database", "configuration-groundplane")
    }


def test_the_command_line_refuses_what_does_not_belong_into_a_package(registry: Registry, tmp_path: Path) -> None:
    """The official check is real: a role, which a Configuration cannot carry, is refused."""
    del registry
    folder = tmp_path / "package"
    shutil.copytree(ROOT / "package" / "configuration-database", folder)
    shutil.copyfile(ROOT / "package" / "companion" / "crossplane.yaml", folder / "companion.yaml")
    words = ("xpkg", "build", f"--package-root={folder}", f"--package-file={tmp_path / 'out.xpkg'}")
    done = subprocess.run([str(need("crossplane-cli")), *words], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "ClusterRole" in done.stderr
