"""The kinds of the random objects: one as Crossplane makes it, one with all that a schema can say, some built in."""

from pathlib import Path
from typing import Any

import yaml

from groundplane.kubernetes.schema import Registry

ROOT = Path(__file__).resolve().parent.parent.parent
Schema = dict[str, Any]
VERSION = "v1"
# What restricts values, and would only refuse random ones.
_RESTRICTIONS = frozenset(
    {
        "enum", "format", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minProperties", "minimum",
        "maxProperties", "pattern", "required", "x-kubernetes-validations", "oneOf", "anyOf", "allOf", "not",
        "description",
    }
)  # fmt: skip

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(items: Schema, *keys: str, kind: str = "atomic") -> Schema:
    found: Schema = {"type": "array", "items": items, "x-kubernetes-list-type": "map" if keys else kind}
    if keys:
        found["x-kubernetes-list-map-keys"] = list(keys)
        found["items"] = {**items, "required": [key for key in keys if "default" not in items["properties"][key]]}
    return found


_PORT = _object(
    port=_NUMBER,
    protocol={"type": "string", "default": "TCP"},
    name=_TEXT,
    hosts=_list(_object(host=_TEXT, weight=_NUMBER), "host"),
)
_ITEM = _object(
    name=_TEXT,
    value=_NUMBER,
    inner=_object(x=_NUMBER, y=_TEXT),
    tags=_list(_TEXT, kind="set"),
    whole={"type": "object", "additionalProperties": _NUMBER, "x-kubernetes-map-type": "atomic"},
)
_ODD = _object(
    wholeMap={**_object(a=_NUMBER, b=_TEXT), "x-kubernetes-map-type": "atomic"},
    wholeList={"type": "array", "items": _TEXT},
    wholeObjects=_list(_object(name=_TEXT, n=_NUMBER)),
    named=_list(_ITEM, "name"),
    ports=_list(_PORT, "port", "protocol"),
    numbers=_list(_NUMBER, kind="set"),
    words=_list(_TEXT, kind="set"),
    ratios=_list({"type": "number"}, kind="set"),
    objects={"type": "object", "additionalProperties": _object(a=_NUMBER, b=_object(c=_TEXT, d=_NUMBER))},
    sets={"type": "object", "additionalProperties": _list(_TEXT, kind="set")},
    free={**_object(known=_object(k=_NUMBER)), "x-kubernetes-preserve-unknown-fields": True},
    anything={"x-kubernetes-preserve-unknown-fields": True},
    maybeMap={**_object(a=_NUMBER, b=_object(c=_TEXT)), "nullable": True},
    maybeText={"type": "string", "nullable": True},
    maybeList={**_list(_TEXT, kind="set"), "nullable": True},
    amount={"x-kubernetes-int-or-string": True},
    defaulted={**_object(level={"type": "integer", "default": 3}, text=_TEXT), "default": {}},
    embedded={
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    },
    flag={"type": "boolean"},
    text=_TEXT,
    deep=_object(er=_object(est=_object(a=_NUMBER, b=_list(_TEXT, kind="set")))),
)
_STATUS = _object(
    phase=_TEXT,
    conditions=_list(_object(type=_TEXT, status=_TEXT, reason=_TEXT), "type"),
    endpoints={"type": "object", "additionalProperties": _TEXT},
    seen={**_object(at=_NUMBER), "x-kubernetes-map-type": "atomic"},
)


def config_map() -> Schema:
    """Return what is written of a ConfigMap."""
    return _object(metadata={"type": "object"}, data={"type": "object", "additionalProperties": _TEXT})


def lease() -> Schema:
    """Return what is written of a Lease."""
    spec = _object(holderIdentity=_TEXT, leaseDurationSeconds=_NUMBER, leaseTransitions=_NUMBER)
    return _object(metadata={"type": "object"}, spec=spec)


def odd() -> Schema:
    """Return the schema with every kind of list and map."""
    return _object(spec=_ODD, status=_STATUS)


def database() -> Schema:
    """Return XDatabase's schema as Crossplane makes it of the XRD, without what restricts values."""
    xrd = yaml.safe_load((ROOT / "apis" / "xdatabases.yaml").read_text())
    (kind,) = Registry.of([xrd])
    found: Schema = _unrestricted(kind.root.raw)
    return {word: part for word, part in found.items() if word != "x-kubernetes-embedded-resource"}


def definition(kind: str, group: str, schema: Schema) -> Schema:
    """Return the CRD of *kind*, with the status subresource."""
    plural = f"{kind.lower()}s"
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _unrestricted(schema: Any, *, named: bool = False) -> Any:
    """Return *schema* without restrictions; *named* says that its keys are names of fields."""
    if isinstance(schema, list):
        return [_unrestricted(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        word: _unrestricted(part, named=word == "properties" and not named)
        for word, part in schema.items()
        if named or word not in _RESTRICTIONS
    }
    if keys := schema.get("x-kubernetes-list-map-keys"):
        items = kept["items"]
        kept["items"] = {**items, "required": [key for key in keys if "default" not in items["properties"][key]]}
    return kept
