"""The OpenAPI schemas that a request brings when a function probes for kinds: by far its largest part."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from groundplane.core.manifest import JSON, Kind, Manifest

# Kilobytes of JSON that each kind's schema takes in the releases that tools/crds.toml pins.
_KILOBYTES = {
    "clusters.postgresql.cnpg.io": 271,
    "databases.postgresql.cnpg.io": 16,
    "databaseroles.postgresql.cnpg.io": 10,
    "scheduledbackups.postgresql.cnpg.io": 5,
    "objectstores.barmancloud.cnpg.io": 21,
    "podmonitors.monitoring.coreos.com": 41,
    "prometheusrules.monitoring.coreos.com": 7,
    "instances.rds.aws.m.upbound.io": 100,
}
_OTHERS = 12  # kilobytes
_LEAF = {"type": "string", "maxLength": 253, "description": "What this field means, in about one line of text."}
_LEAVES_PER_KILOBYTE = 8


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C where built
    """Reads a CRD as Kubernetes does: a time is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if not tag.endswith((":timestamp", ":value"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def crds_folder() -> Path | None:
    """Return the folder of upstream CRDs: what GROUNDPLANE_CRDS names, else where the tests look; None without one."""
    chosen, root = os.environ.get("GROUNDPLANE_CRDS"), Path(__file__).resolve().parents[2]
    places = (Path(chosen),) if chosen else (root / "_crds", root.parent / "shared" / "crds")
    return next((place for place in places if place.is_dir()), None)


def schema_of(kind: Kind, folder: Path | None) -> tuple[Manifest, bool]:
    """Return the schema of *kind*, and whether it is the real one; else it is made up, of about the same size."""
    name = f"{kind.group}_{kind.plural}.yaml"
    path = next(iter(sorted(folder.rglob(name))), None) if folder else None
    if path is None:
        return _made_up(_KILOBYTES.get(kind.crd, _OTHERS)), False
    with path.open(encoding="utf-8") as file:
        definition: JSON = yaml.load(file, _Loader)  # noqa: S506  # A safe loader that reads times as text.
    wanted = kind.api_version.rpartition("/")[2]
    found = [one for one in definition["spec"]["versions"] if one["name"] == wanted]
    schema: Manifest = found[0]["schema"]["openAPIV3Schema"]
    return schema, True


def _made_up(kilobytes: int) -> Manifest:
    groups = {
        f"group{number}": {
            "type": "object",
            "description": "A group of fields.",
            "properties": {f"field{leaf}": _LEAF for leaf in range(_LEAVES_PER_KILOBYTE)},
        }
        for number in range(kilobytes)
    }
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": groups}}}
