"""The knobs of an environment, as engines declare them: one list for the tables, the samples and their tests."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

SECTION: Final = "section"


@dataclass(frozen=True, slots=True)
class Knob:
    """One knob, or a section of them. Its default is None where it has none."""

    path: tuple[str, ...]
    kind: str  # section, string, integer, boolean, list of ..., map of ...
    required: bool
    default: Any
    meaning: str


def of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[Knob]:
    """Yield every knob of *model*, a section before what stands in it."""
    for name, field in model.model_fields.items():
        path = (*above, field.alias or name)
        inner = _model_in(field.annotation)
        default = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
        kind = SECTION if inner else _kind(field.annotation)
        yield Knob(path, kind, field.is_required(), default, _meaning(field))
        if inner:
            yield from of(inner, path)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that *annotation* is, or may be besides None; a list of models is no section."""
    choices = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((choice for choice in choices if hasattr(choice, "model_fields")), None)


def _kind(annotation: Any) -> str:
    schema = TypeAdapter[Any](annotation).json_schema(by_alias=True)
    return _words(schema, schema.get("$defs", {}))


def _words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    choice = definitions[choices[0]["$ref"].rpartition("/")[2]] if "$ref" in choices[0] else choices[0]
    kind = str(choice.get("type", "string"))
    if kind == "array":
        return f"list of {_words(choice['items'], definitions)}"
    if kind == "object" and "properties" in choice:
        return f"{{{', '.join(choice['properties'])}}}"
    if kind == "object":
        return f"map of {_words(choice.get('additionalProperties', {}), definitions)}"
    return kind


def _meaning(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())
