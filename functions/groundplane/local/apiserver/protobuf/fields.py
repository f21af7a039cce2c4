"""What a message of protobuf holds, and what the metadata of an object hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Type = Literal[
    "text",
    "texts",
    "bytes",
    "number",
    "flag",
    "text map",
    "bytes map",
    "object",
    "objects",
    "inline",
    "time",
    "fine time",
    "json",
]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message.

    Attributes:
        name: As JSON writes it.
        type: What it holds; ``json`` is JSON as bytes, and the fields of what is ``inline`` stand beside it in JSON.
        fields: Of an object, or of each of several.
        optional: Whether zero and empty are said, as in ``holderIdentity: ""``; others leave a field out by them.
    """

    name: str
    type: Type
    fields: Fields = field(default_factory=dict)
    optional: bool = False


Fields = dict[int, Field]


def texts(*names: str, start: int = 1) -> Fields:
    """Return fields that are texts, numbered from *start*."""
    return {number: Field(name, "text") for number, name in enumerate(names, start)}


def optional(one: Field) -> Field:
    """Return *one* as a field of which zero is said, too."""
    return replace(one, optional=True)


_OWNER: Fields = {
    1: Field("kind", "text"),
    3: Field("name", "text"),
    4: Field("uid", "text"),
    5: Field("apiVersion", "text"),
    6: optional(Field("controller", "flag")),
    7: optional(Field("blockOwnerDeletion", "flag")),
}
_MANAGED: Fields = {
    1: Field("manager", "text"),
    2: Field("operation", "text"),
    3: Field("apiVersion", "text"),
    4: Field("time", "time"),
    6: Field("fieldsType", "text"),
    7: Field("fieldsV1", "object", {1: Field("", "json")}),
    8: Field("subresource", "text"),
}
_META: Fields = {
    **texts("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"),
    7: Field("generation", "number"),
    8: Field("creationTimestamp", "time"),
    9: Field("deletionTimestamp", "time"),
    10: optional(Field("deletionGracePeriodSeconds", "number")),
    11: Field("labels", "text map"),
    12: Field("annotations", "text map"),
    13: Field("ownerReferences", "objects", _OWNER),
    14: Field("finalizers", "texts"),
    17: Field("managedFields", "objects", _MANAGED),
}
METADATA = Field("metadata", "object", _META)
