"""A value seen through its schema: does it fit, which fields does it set, what remains without some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.managedfields import element
from groundplane.kubernetes.managedfields.fieldset import FieldSet, Gathering, Path, shown
from groundplane.kubernetes.managedfields.schema import Form, ItemError, Shape

_SCALARS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "numeric": ((int, float), "numeric (int or float)"),
    "string": (str, "string"),
    "boolean": (bool, "boolean"),
    "untyped": ((str, int, float), "any scalar"),
}
_GO_TYPES = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool", float: "float64"}


class TypedError(ValueError):
    """A value does not fit its schema, so that nobody can tell who owns what.

    Attributes:
        problems: What is wrong, each as `path: reason`.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Say *problems* as the API server does."""
        lines = problems if len(problems) == 1 else ("errors:", *(f"  {problem}" for problem in problems))
        super().__init__("\n".join(lines))
        self.problems = problems


def check(value: JSON, shape: Shape, *, duplicates: bool) -> None:
    """Return when *value* fits; with *duplicates* an item of a set or of a list with keys may repeat another.

    Raises:
        TypedError: it does not fit.
    """
    if problems := tuple(_problems(value, shape, (), duplicates=duplicates)):
        raise TypedError(problems)


def fits_scalar(value: JSON, shape: Shape) -> bool:
    """Tell whether *value* is null, or a scalar that may stand at *shape*."""
    if value is None:
        return True
    kinds, _ = _SCALARS[shape.scalar]
    if isinstance(value, bool):
        return shape.scalar in {"boolean", "untyped"}
    return isinstance(value, kinds)


def _problems(value: JSON, shape: Shape, path: Path, *, duplicates: bool) -> Iterator[str]:
    form = shape.form(value)
    if form is Form.SCALAR:
        if not fits_scalar(value, shape):
            yield _problem(path, f"expected {_SCALARS[shape.scalar][1]}, got {_got(value, shape)}")
    elif value is None:
        return
    elif form is Form.LIST:
        if isinstance(value, list):
            yield from _problems_of_list(value, shape, path, duplicates=duplicates)
        else:
            yield _problem(path, f"expected list, got &{{{_go(value)}}}")
    elif isinstance(value, dict):
        yield from _problems_of_map(value, shape, path, duplicates=duplicates)
    else:
        yield _problem(path, f"expected map, got &{{{_go(value)}}}")


def _problems_of_map(value: Manifest, shape: Shape, path: Path, *, duplicates: bool) -> Iterator[str]:
    for name, entry in value.items():
        below = (*path, element.field(name))
        child = shape.child(name)
        if child is None:
            yield _problem(below, "field not declared in schema")
            return
        yield from _problems(entry, child, below, duplicates=duplicates)


def _problems_of_list(value: list[JSON], shape: Shape, path: Path, *, duplicates: bool) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        try:
            step = f"i:{index}" if shape.whole_list else shape.step(item)
        except ItemError as error:
            yield _problem(path, f"element {index}: {error}")
            return
        if step in seen and not duplicates:
            yield _problem(path, f"duplicate entries for key {element.shown(step)}")
        seen.add(step)
        yield from _problems(item, shape.items, (*path, step), duplicates=duplicates)


def _problem(path: Path, reason: str) -> str:
    return f"{shown(path)}: {reason}" if path else reason


def _got(value: JSON, shape: Shape) -> str:
    if shape.scalar == "numeric":
        return _GO_TYPES.get(type(value), "int64")
    if shape.scalar == "string":
        return f"&value.valueUnstructured{{Value:{_go(value, quoted=True)}}}"
    return f"&{{{_go(value)}}}"


def _go(value: JSON, *, quoted: bool = False) -> str:
    """Return *value* as Go prints it, by %v or, when *quoted*, by %#v."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if quoted else value
    if isinstance(value, dict):
        pairs = [f"{_go(name, quoted=quoted)}:{_go(value[name], quoted=quoted)}" for name in sorted(value)]
        return f"{_GO_TYPES[dict]}{{{', '.join(pairs)}}}" if quoted else f"map[{' '.join(pairs)}]"
    if isinstance(value, list):
        items = [_go(item, quoted=quoted) for item in value]
        return f"{_GO_TYPES[list]}{{{', '.join(items)}}}" if quoted else f"[{' '.join(items)}]"
    if value is None:
        return "interface {}(nil)" if quoted else "<nil>"
    return str(value)


def fields_of(value: JSON, shape: Shape) -> FieldSet:
    """Return the paths that *value*, which fits, sets.

    Leaves are set, and everything owned as a whole; of what holds others the items of lists, the keys of maps, and
    fields that are null or an empty map. An empty list with items of their own sets nothing.
    """
    gathering = Gathering()
    _gather(value, shape, (), gathering)
    return gathering.set()


def _gather(value: JSON, shape: Shape, path: Path, into: Gathering) -> None:
    form = shape.form(value)
    if form is Form.SCALAR:
        into.add(path)
    elif form is Form.LIST:
        if shape.whole_list:
            into.add(path)
        elif isinstance(value, list):
            _gather_items(value, shape, path, into)
    elif shape.whole_map:
        into.add(path)
    elif isinstance(value, dict):
        _gather_fields(value, shape, path, into)


def _gather_fields(value: Manifest, shape: Shape, path: Path, into: Gathering) -> None:
    for name, entry in value.items():
        below = (*path, element.field(name))
        child = shape.child(name)
        if child is not None:
            _gather(entry, child, below, into)
        if entry is None or entry == {} or not shape.declares(name):
            into.add(below)


def _gather_items(value: list[JSON], shape: Shape, path: Path, into: Gathering) -> None:
    steps = [shape.place(item) for item in value]
    counts = Counter(steps)
    for step, item in zip(steps, value, strict=True):
        below = (*path, step)
        into.add(below)
        if counts[step] == 1:
            _gather(item, shape.items, below, into)


def with_declared(fields: FieldSet, shape: Shape | None) -> FieldSet:
    """Return *fields* and, of each path in it, the declared fields that it leads through."""
    if not fields.children:
        return fields
    members = set(fields.members)
    children = {}
    for step, below in fields.children.items():
        name = element.field_name(step)
        child: Shape | None = None
        if name is not None and shape is not None and shape.is_map:
            child = shape.child(name)
            if shape.declares(name):
                members.add(step)
        elif step.startswith("k:") and shape is not None and shape.is_list:
            child = shape.items
        children[step] = with_declared(below, child)
    return FieldSet(frozenset(members), children)


def without(value: JSON, fields: FieldSet, shape: Shape) -> JSON:
    """Return *value* without the paths in *fields*. What loses everything becomes null."""
    form = shape.form(value)
    if form is Form.SCALAR:
        return value
    if form is Form.LIST:
        if not isinstance(value, list) or shape.whole_list:
            return None
        return _items_without(value, fields, shape) or None
    if not isinstance(value, dict) or shape.whole_map:
        return None
    return _fields_without(value, fields, shape) or None


def _items_without(value: list[JSON], fields: FieldSet, shape: Shape) -> list[JSON]:
    kept = []
    for item in value:
        step = shape.place(item)
        if step not in fields.members:
            below = fields.below(step)
            kept.append(without(item, below, shape.items) if below else item)
    return kept


def _fields_without(value: Manifest, fields: FieldSet, shape: Shape) -> Manifest:
    kept = {}
    for name, entry in value.items():
        step = element.field(name)
        if step in fields.members:
            continue
        below, child = fields.below(step), shape.child(name)
        kept[name] = without(entry, below, child) if below and child is not None else entry
    return kept


def adapted(fields: FieldSet, shape: Shape) -> FieldSet:
    """Return *fields*, written under an older schema, as it is under this one.

    Who owned a part of what is owned as a whole now owns all of it.
    """
    wholes = Gathering()
    _find_wholes(fields, shape, (), wholes, is_whole=False)
    found = wholes.set()
    return fields.without_trees(found) | found if found else fields


def _find_wholes(fields: FieldSet, shape: Shape, path: Path, into: Gathering, *, is_whole: bool) -> None:
    if shape.is_map:
        if shape.is_unknown_map:
            return
        if shape.whole_map and not is_whole:
            if fields:
                into.add(path)
            return
    elif shape.scalar:
        return
    elif shape.whole_list and not is_whole:
        into.add(path)
        return
    for step in fields.members | fields.children.keys():
        child = _below(step, shape)
        if child is not None:
            below = fields.below(step)
            _find_wholes(below, child, (*path, step), into, is_whole=step in fields.members and not below)


def _below(step: str, shape: Shape) -> Shape | None:
    if not shape.is_map:
        return shape.items
    name = element.field_name(step)
    return shape.values if name is None else shape.child(name)
