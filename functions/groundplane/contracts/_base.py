"""What every contract model is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule of the API server, and what it tells the person who breaks it."""

    rule: str
    message: str

    def schema(self) -> dict[str, str]:
        """Return the rule as an entry of ``x-kubernetes-validations``."""
        return {"rule": self.rule, "message": self.message}


class Closed(BaseModel):
    """An object as contracts and environments have it: camelCase on the wire, closed, immutable.

    Its attribute docstrings explain its fields, and an error about it never repeats what was written.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class Model(Closed):
    """An object of a contract. Its attribute docstrings are what `kubectl explain` prints."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    atomic: ClassVar[bool] = False  # replaced as a whole by server-side apply


def keyed(key: str) -> dict[str, Any]:
    """Return the schema extension of a list whose items are told apart by *key*."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def ruled(*rules: Rule, **keywords: Any) -> dict[str, Any]:
    """Return a schema extension with CEL *rules* on one field, beside other schema *keywords*."""
    return {"x-kubernetes-validations": [rule.schema() for rule in rules], **keywords}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``; *wide* ones show with ``-o wide`` only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """One kind of service. Everything about it that no engine decides."""

    name: str
    kind: str
    plural: str
    short_name: str
    stem: str
    summary: str
    default_engine: str
    spec: type[Model]
    status: type[Model]
    binding_types: Mapping[str, tuple[str, ...]]  # Service Binding type -> keys beside type and provider
    columns: tuple[Column, ...]

    def composition(self, engine: str) -> str:
        """Return the name of the Composition that serves this kind by *engine*."""
        return f"{self.kind.lower()}-{engine}"
