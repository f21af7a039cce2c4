"""Put together the folder that each package is built from."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from groundplane import contracts
from groundplane.generate import packages
from groundplane.kubernetes import yaml_writer
from xpkg.target import PackageError, Target

METADATA = "crossplane.yaml"
FUNCTION = "Function"


@dataclass(frozen=True, slots=True)
class Staged:
    """A package that is ready to be built.

    Attributes:
        name: what its metadata call it, and the last part of its repository.
        kind: Function or Configuration.
        folder: the root of its files.
        inside: what it holds, for people.
    """

    name: str
    kind: str
    folder: Path
    inside: str


def stage(root: Path, target: Target, folder: Path) -> list[Staged]:
    """Write the files of every package of the repository *root* below *folder*; what depends on others comes last.

    Raises:
        PackageError: a Composition calls a function that the package does not depend on.
    """
    shutil.rmtree(folder, ignore_errors=True)
    names = contracts.names()
    return [
        *(_function(root, target, folder, name) for name in names),
        *(_configuration(root, target, folder, name) for name in names),
        _staged(_metadata(root, target, folder, packages.WHOLE)),
    ]


def _function(root: Path, target: Target, folder: Path, contract: str) -> Staged:
    made = _metadata(root, target, folder, packages.function(contract))
    shutil.copyfile(root / "package" / "input" / "inputs.yaml", made / "inputs.yaml")
    return _staged(made)


def _configuration(root: Path, target: Target, folder: Path, contract: str) -> Staged:
    made = _metadata(root, target, folder, packages.configuration(contract))
    plural = contracts.load(contract).plural
    shutil.copyfile(root / "apis" / f"{plural}.yaml", made / f"{plural}.yaml")
    for path in sorted((root / "compositions" / contract).glob("*.yaml")):
        manifests = [_bound(manifest, contract, target.org) for manifest in _documents(path)]
        (made / f"composition-{path.name}").write_text(yaml_writer.stream(manifests), encoding="utf-8")
    return _staged(made)


def _metadata(root: Path, target: Target, folder: Path, name: str) -> Path:
    """Copy the folder of the package *name* with its placeholders filled in, and return the copy."""
    made = folder / name
    shutil.copytree(root / "package" / name, made)
    places = {"REGISTRY": target.registry, "ORG": target.org, "VERSION": target.version}
    metadata = made / METADATA
    metadata.write_text(Template(metadata.read_text(encoding="utf-8")).substitute(places), encoding="utf-8")
    return made


def _bound(composition: dict[str, Any], contract: str, org: str) -> dict[str, Any]:
    """Return *composition* with its function called as Crossplane will call it."""
    name = packages.function(contract)
    for step in composition["spec"]["pipeline"]:
        if step["functionRef"]["name"] != packages.installed(name):
            raise PackageError(
                f"Composition {composition['metadata']['name']} calls {step['functionRef']['name']}, which its"
                f" package does not depend on; run make generate"
            )
        step["functionRef"]["name"] = packages.installed(name, org)
    return composition


def _staged(folder: Path) -> Staged:
    documents = [document for path in sorted(folder.glob("*.yaml")) for document in _documents(path)]
    (metadata,) = (one for one in documents if one["apiVersion"].startswith("meta.pkg."))
    others = [f"{one['kind']} {one['metadata']['name']}" for one in documents if one is not metadata]
    needs = [one["package"].rpartition("/")[2] for one in metadata["spec"].get("dependsOn", [])]
    inside = ", ".join([*others, *(f"needs {name}" for name in needs)])
    return Staged(metadata["metadata"]["name"], metadata["kind"], folder, inside)


def _documents(path: Path) -> Iterator[dict[str, Any]]:
    return (one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one)
