"""Contracts -> XRDs and the function's input schema.

Pydantic's JSON Schema is not a structural one: what does not translate is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from groundplane.contracts.common import ROOT_RULES
from groundplane.core.manifest import GROUP, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from groundplane.contracts._base import Column, Contract, Model
    from groundplane.core.manifest import JSON, Kind, Manifest

# Everything a structural schema of ours may say. The API server knows more; Crossplane copies less at the top (see
# definition()).
KEYWORDS: Final = frozenset(
    {
        *(
            "type",
            "description",
            "properties",
            "required",
            "items",
            "additionalProperties",
            "enum",
            "default",
            "format",
        ),
        *(
            "pattern",
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
        ),
        *("x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
    }
)
_DROPPED: Final = frozenset({"title", "examples"})


class NotStructuralError(Exception):
    """A model says something that a structural schema cannot."""


def definition(contract: Contract) -> Manifest:
    """Return the CompositeResourceDefinition of *contract*.

    Crossplane drops most keywords at the levels of spec and status, a default above all, so there stands only what
    it copies.
    """
    spec = structural(contract.spec)
    status = structural(contract.status)
    root = {
        "type": "object",
        "description": contract.summary,
        "x-kubernetes-validations": [rule.schema() for rule in ROOT_RULES],
        "properties": {"spec": spec, "status": status},
    }
    version = {
        "name": VERSION,
        "served": True,
        "referenceable": True,
        "additionalPrinterColumns": [_column(column) for column in contract.columns],
        "schema": {"openAPIV3Schema": root},
    }
    label = {"servicebinding.io/provisioned-service": "true"}
    return {
        "apiVersion": "apiextensions.crossplane.io/v2",
        "kind": "CompositeResourceDefinition",
        "metadata": {"name": f"{contract.plural}.{GROUP}", "labels": {f"{GROUP}/contract": contract.name}},
        "spec": {
            "scope": "Namespaced",
            "group": GROUP,
            "names": {
                "kind": contract.kind,
                "plural": contract.plural,
                "singular": contract.kind.lower(),
                "shortNames": [contract.short_name],
                "categories": ["groundplane"],
            },
            "metadata": {"labels": label},
            "defaultCompositionRef": {"name": contract.composition(contract.default_engine)},
            "versions": [version],
        },
    }


def input_schema() -> Manifest:
    """Return the CustomResourceDefinition of the function's input: the engine, and nothing else."""
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "engine": {
            "type": "string",
            "description": "The engine that serves claims of this Composition. Its name is read here, never from the"
            " Composition's.",
            "minLength": 1,
            "maxLength": 63,
        },
    }
    schema = {
        "type": "object",
        "description": "Which engine a Composition stands for.",
        "required": ["engine"],
        "properties": properties,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"inputs.fn.{GROUP}"},
        "spec": {
            "group": f"fn.{GROUP}",
            "names": {"kind": "Input", "listKind": "InputList", "plural": "inputs", "singular": "input"},
            "scope": "Namespaced",
            "versions": [{"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def custom(kind: Kind, model: type[Model], columns: Iterable[Column]) -> Manifest:
    """Return the CustomResourceDefinition of *kind*, whose objects are as *model* says."""
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in columns],
        "schema": {"openAPIV3Schema": structural(model)},
    }
    singular = kind.kind.lower()
    names = {"kind": kind.kind, "listKind": f"{kind.kind}List", "plural": kind.plural, "singular": singular}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd},
        "spec": {"group": kind.group, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def structural(model: type[Model]) -> Manifest:
    """Return the structural schema of *model*, without references, unions or titles.

    Raises:
        NotStructuralError: the model says something an API server would not understand, or Crossplane would drop.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _Translation(schema.pop("$defs", {}), _models(model)).of(schema, model.__name__)


def _models(model: type[Model], found: dict[str, type[Model]] | None = None) -> dict[str, type[Model]]:
    """Return every model that *model* is made of, by name: rules and atomicity stand on the class."""
    found = {} if found is None else found
    if model.__name__ not in found:
        found[model.__name__] = model
        for field in model.model_fields.values():
            for part in _parts(field.annotation):
                _models(part, found)
    return found


def _parts(annotation: Any) -> list[type[Model]]:
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [part for argument in getattr(annotation, "__args__", ()) for part in _parts(argument)]


class _Translation:
    """One schema on its way from pydantic's words to the API server's."""

    def __init__(self, definitions: Mapping[str, JSON], models: Mapping[str, type[Model]]) -> None:
        self.definitions = definitions
        self.models = models

    def of(self, node: Mapping[str, JSON], path: str) -> Manifest:
        node = self._flat(dict(node), path)
        name = node.pop("x-model", None) or (path if path in self.models else None)
        closed = node.get("additionalProperties") is False
        if closed:
            node.pop("additionalProperties")  # an API server prunes or refuses what is not declared by itself
        if node.get("type") == "object" and "properties" not in node and "additionalProperties" not in node:
            msg = f"{path}: an object without properties"
            raise NotStructuralError(msg)
        unknown = node.keys() - KEYWORDS - _DROPPED
        if unknown:
            msg = f"{path}: {', '.join(sorted(unknown))} cannot be said in a structural schema"
            raise NotStructuralError(msg)
        out = {key: value for key, value in node.items() if key not in _DROPPED}
        if "description" in out:
            out["description"] = " ".join(out["description"].split())
        if "properties" in out:
            out["properties"] = {key: self.of(entry, f"{path}.{key}") for key, entry in out["properties"].items()}
        for key in ("items", "additionalProperties"):
            if key in out:
                out[key] = self.of(out[key], f"{path}.{key}")
        return self._ruled(out, name)

    def _flat(self, node: Manifest, path: str) -> Manifest:
        """Return *node* with its references resolved and its optional null folded away."""
        if node.get("default", ...) is None:
            node.pop("default")
        if isinstance(node.get("default"), dict):
            node["default"] = {}  # the fields inside have defaults of their own; a null among them would be refused
        choices = [choice for choice in node.pop("anyOf", []) if choice != {"type": "null"}]
        if len(choices) > 1:
            msg = f"{path}: a union of {len(choices)} types"
            raise NotStructuralError(msg)
        inner = dict(choices[0]) if choices else {}
        reference = node.pop("$ref", None) or inner.pop("$ref", None)
        if reference:
            name = reference.rpartition("/")[2]
            inner = {**self.definitions[name], **inner}
            if name in self.models:
                inner["x-model"] = name
        merged = {**inner, **node}
        if "const" in merged:
            merged["enum"] = [merged.pop("const")]
        return self._flat(merged, path) if "$ref" in merged or "anyOf" in merged else merged

    def _ruled(self, node: Manifest, name: str | None) -> Manifest:
        model = self.models.get(name) if name else None
        if model is None:
            return node
        if model.atomic:
            node["x-kubernetes-map-type"] = "atomic"
        if model.rules:
            node["x-kubernetes-validations"] = [rule.schema() for rule in model.rules]
        return node


def _column(column: Column) -> Manifest:
    out: Manifest = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.wide:
        out["priority"] = 1
    return out
