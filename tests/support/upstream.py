"""The schemas of other projects, as tests need them: upstream CRDs, and Kubernetes' own kinds."""

import dataclasses
import functools
import importlib
import os
import sys
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import Registry

_ROOT = Path(__file__).parents[2]
_CRD_DIRECTORIES = (_ROOT / "_crds", _ROOT / ".." / "shared" / "crds")
# YAML 1.1 makes times of unquoted text and a type of "="; Kubernetes reads both as strings.
_SURPRISES = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C where built
    yaml_implicit_resolvers: typing.ClassVar = {
        first: [(tag, form) for tag, form in resolvers if tag not in _SURPRISES]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_yaml(path: Path) -> list[Manifest]:
    """Return the documents of a YAML file as Kubernetes would read them, empty ones left out."""
    with path.open(encoding="utf-8") as file:
        return [document for document in yaml.load_all(file, _Loader) if document]


def crds_dir() -> Path | None:
    """Return the directory with upstream CRDs, or None when this machine has none."""
    chosen = os.environ.get("GROUNDPLANE_CRDS")
    candidates = (Path(chosen),) if chosen else _CRD_DIRECTORIES
    return next((path.resolve() for path in candidates if path.is_dir()), None)


@functools.cache
def upstream_registry() -> Registry:
    """Return every upstream kind; skips the test that asks when there are no CRDs."""
    directory = crds_dir()
    if directory is None:
        pytest.skip("no upstream CRDs: run `make crds`, or name their directory in GROUNDPLANE_CRDS")
    files = [*sorted(directory.rglob("*.yaml")), *sorted((_ROOT / "package" / "local").glob("*.yaml"))]
    return Registry.of(document for file in files for document in load_yaml(file))


_KEYS = "k.matches('^[-._a-zA-Z0-9]+$')"
_MAP_OF_TEXT: Manifest = {"type": "object", "additionalProperties": {"type": "string"}}
_QUANTITIES: Manifest = {
    "type": "object",
    "additionalProperties": {"x-kubernetes-int-or-string": True},
}
_BASE64: Manifest = {
    "type": "object",
    "additionalProperties": {"type": "string", "format": "byte", "maxLength": 1_398_104},
}


def _keys(field: str) -> Manifest:
    message = f"the keys of {field} consist of letters, digits, '-', '_' and '.'"
    return {"rule": f"!has(self.{field}) || self.{field}.all(k, {_KEYS})", "message": message}


@dataclasses.dataclass(frozen=True)
class _Builtin:
    """A kind of Kubernetes itself: where its model is, and what the API server checks beyond it."""

    api_version: str
    kind: str
    plural: str
    module: str
    fields: Manifest = dataclasses.field(default_factory=dict)
    rules: tuple[Manifest, ...] = ()


_BUILTINS = (
    _Builtin(
        "v1",
        "Secret",
        "secrets",
        "core_v1",
        fields={"data": _BASE64},
        rules=(_keys("data"), _keys("stringData")),
    ),
    _Builtin(
        "v1",
        "ConfigMap",
        "configmaps",
        "core_v1",
        fields={"binaryData": _BASE64},
        rules=(_keys("data"), _keys("binaryData")),
    ),
    _Builtin("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "networking_v1"),
    _Builtin(
        "batch/v1",
        "Job",
        "jobs",
        "batch_v1",
        rules=(
            {
                "rule": "has(self.spec.template.spec.restartPolicy) && "
                "self.spec.template.spec.restartPolicy in ['Never', 'OnFailure']",
                "message": "a Job's restartPolicy is Never or OnFailure",
            },
        ),
    ),
)


@functools.cache
def builtin_registry() -> Registry:
    """Return Secret, ConfigMap, NetworkPolicy and Job, strictly: unknown fields are refused.

    Fields, their types and which are required come from models generated out of Kubernetes' own
    OpenAPI document. Those models know no enums, patterns, list keys or integer ranges.
    """
    return Registry.of(_definition(builtin) for builtin in _BUILTINS)


def _definition(builtin: _Builtin) -> Manifest:
    group, _, version = builtin.api_version.rpartition("/")
    schema = _object_schema(getattr(_models(builtin.module), builtin.kind))
    schema["properties"] |= {"metadata": {"type": "object"}, **builtin.fields}
    schema["x-kubernetes-validations"] = list(builtin.rules)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{builtin.plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": builtin.kind, "plural": builtin.plural},
            "versions": [{"name": version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _models(module: str) -> types.ModuleType:
    # The models ask their client library for three names that the standard library also has.
    stand_in = types.ModuleType("lightkube.core.schema")
    vars(stand_in).update(dataclass=dataclasses.dataclass, field=dataclasses.field, DictMixin=object)
    sys.modules.setdefault("lightkube.core", types.ModuleType("lightkube.core"))
    sys.modules.setdefault("lightkube.core.schema", stand_in)
    return importlib.import_module(f"lightkube.models.{module}")


def _object_schema(model: type) -> Manifest:
    hints = typing.get_type_hints(model)
    return {
        "type": "object",
        "required": list(_required(model)),
        "properties": {
            # "continue_" and the like: names that Python keeps for itself.
            name.rstrip("_"): _QUANTITIES if name in {"limits", "requests"} else _schema(hint)
            for name, hint in hints.items()
        },
    }


def _required(model: type) -> Iterator[str]:
    for field in dataclasses.fields(model):
        missing = dataclasses.MISSING
        if field.default is missing and field.default_factory is missing:
            yield field.name.rstrip("_")


def _schema(hint: JSON) -> Manifest:
    origin: JSON = typing.get_origin(hint)
    choices = [choice for choice in typing.get_args(hint) if choice is not types.NoneType]
    if origin is list:
        return {"type": "array", "items": _schema(choices[0])}
    if set(choices) == {int, str}:
        return {"x-kubernetes-int-or-string": True}
    if len(choices) == 1:
        return _schema(choices[0])
    if dataclasses.is_dataclass(hint):
        return _object_schema(typing.cast("type", hint))
    return _SCALARS[hint]


_SCALARS: dict[JSON, Manifest] = {
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    dict: _MAP_OF_TEXT,
    typing.Dict: {  # noqa: UP006  # the very object that the models use for free-form fields
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    },
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
}
