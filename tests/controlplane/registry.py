"""A real registry on loopback, and what lies in it."""

import contextlib
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from bareplane.binaries import need
from xpkg.build import Built, Runtime, build, push
from xpkg.stage import stage
from xpkg.target import Target

ROOT = Path(__file__).resolve().parent.parent.parent
LISTENING = re.compile(r"serving on port (\d+)")
NO_IMAGE = Runtime()


@dataclass(frozen=True)
class Registry:
    """A registry at *address*."""

    address: str
    folder: Path

    def target(self, org: str = "groundplane", version: str = "v0.1.0") -> Target:
        return Target(self.address, org, version)

    def crane(self, *words: str) -> bytes:
        return subprocess.run([str(need("crane")), *words], capture_output=True, check=True).stdout

    def digest(self, reference: str) -> str:
        return self.crane("digest", reference).decode().strip()

    def manifest(self, reference: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.crane("manifest", reference))
        return found

    def package(self, reference: str) -> list[dict[str, Any]]:
        """Return the objects of the package, read as Crossplane reads it: from the layer that is marked."""
        (layer,) = (one for one in self.manifest(reference)["layers"] if marked(one))
        repository = reference.rpartition(":")[0]
        blob = self.crane("blob", f"{repository}@{layer['digest']}")
        with tarfile.open(fileobj=BytesIO(blob)) as archive:
            file = archive.extractfile("package.yaml")
            assert file is not None
            return [one for one in yaml.safe_load_all(file.read()) if one]

    def publish(self, target: Target, runtime: Runtime = NO_IMAGE) -> dict[str, str]:
        """Build every package for *target*, push it, and return the digests by name."""
        return {one.staged.name: push(one, target) for one in built(target, self.folder / target.version, runtime)}


def built(target: Target, folder: Path, runtime: Runtime = NO_IMAGE, root: Path = ROOT) -> list[Built]:
    return build(stage(root, target, folder / "stage"), target, runtime, folder)


def marked(layer: dict[str, Any]) -> bool:
    return bool(layer.get("annotations", {}).get("io.crossplane.xpkg") == "base")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    """Serve a registry that keeps its blobs in *folder*, on a port of its own."""
    (folder / "blobs").mkdir(parents=True)
    words = [str(need("crane")), "registry", "serve", "--address", "127.0.0.1:0", "--disk", str(folder / "blobs")]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Registry(f"127.0.0.1:{_port(process)}", folder)
        finally:
            process.terminate()


def _port(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if found := LISTENING.search(line):
            return found[1]
    raise AssertionError(said)
