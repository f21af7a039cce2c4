"""Sets of field paths: what a manager owns, what changed, what to remove. Their JSON form is FieldsV1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.managedfields import element

Path = tuple[str, ...]
_SELF = "."


class FieldsError(ValueError):
    """The message says why FieldsV1 cannot be read."""


@dataclass(frozen=True, slots=True)
class FieldSet:
    """A set of paths, as a tree. Immutable; no child is empty.

    Attributes:
        members: The steps that end a path here.
        children: What stands below a step; that a step has children does not make it a member.
    """

    members: frozenset[str] = frozenset()
    children: Mapping[str, FieldSet] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.members or self.children)

    def __or__(self, other: FieldSet) -> FieldSet:
        if not (self and other):
            return self or other
        children = dict(self.children)
        for step, below in other.children.items():
            children[step] = children[step] | below if step in children else below
        return FieldSet(self.members | other.members, children)

    def __and__(self, other: FieldSet) -> FieldSet:
        children = {
            step: both for step, below in self.children.items() if (both := below & other.children.get(step, EMPTY))
        }
        return FieldSet(self.members & other.members, children)

    def __sub__(self, other: FieldSet) -> FieldSet:
        """Return the paths of this set that *other* does not have; what stands below one that it has stays."""
        if not other:
            return self
        children = {
            step: left for step, below in self.children.items() if (left := below - other.children.get(step, EMPTY))
        }
        return FieldSet(self.members - other.members, children)

    def without_trees(self, other: FieldSet) -> FieldSet:
        """Return the paths of this set that neither are in *other* nor stand below one that is."""
        children = {
            step: left
            for step, below in self.children.items()
            if step not in other.members and (left := below.without_trees(other.children.get(step, EMPTY)))
        }
        return FieldSet(self.members - other.members, children)

    def below(self, step: str) -> FieldSet:
        """Return what stands below *step*."""
        return self.children.get(step, EMPTY)

    def paths(self) -> Iterator[Path]:
        """Yield all paths: of each place the members first, then what stands below, both in order."""
        for step in sorted(self.members, key=element.order):
            yield (step,)
        for step in sorted(self.children, key=element.order):
            for rest in self.children[step].paths():
                yield (step, *rest)

    def to_fields(self) -> Manifest:
        """Return the set as FieldsV1."""
        fields: Manifest = {}
        for step in sorted({*self.members, *self.children}, key=element.order):
            below = self.children.get(step)
            inner = below.to_fields() if below else {}
            fields[step] = {_SELF: {}, **inner} if below and step in self.members else inner
        return fields


EMPTY = FieldSet()


def at(*paths: Path) -> FieldSet:
    """Return the set of *paths*; the empty path, which is the whole object, is never in a set."""
    gathering = Gathering()
    for path in paths:
        gathering.add(path)
    return gathering.set()


def from_fields(fields: JSON) -> FieldSet:
    """Return the set that FieldsV1 says.

    Raises:
        FieldsError: it is no FieldsV1.
    """
    found, _ = _read(fields)
    return found


def shown(path: Path) -> str:
    """Return *path* as messages write it: `.spec.ports[port=80].name`."""
    return "".join(map(element.shown, path))


class Gathering:
    """A set in the making."""

    __slots__ = ("_below", "_members")

    def __init__(self) -> None:
        self._members: set[str] = set()
        self._below: dict[str, Gathering] = {}

    def add(self, path: Path) -> None:
        """Make *path* a member."""
        if not path:
            return
        here = self
        for step in path[:-1]:
            here = here._below.setdefault(step, Gathering())
        here._members.add(path[-1])  # noqa: SLF001  # of the same class

    def set(self) -> FieldSet:
        """Return what was gathered."""
        return FieldSet(frozenset(self._members), {step: below.set() for step, below in self._below.items()})


def _read(fields: JSON) -> tuple[FieldSet, bool]:
    """Return the set below a step, and whether the step itself is a member: also when nothing stands below it."""
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        raise FieldsError("fields must be objects")
    members: set[str] = set()
    children: dict[str, FieldSet] = {}
    for text, below in fields.items():
        step = None if text == _SELF else _step(text)
        if step is None:
            continue
        inner, is_member = _read(below)
        if is_member:
            members.add(step)
        if inner:
            children[step] = inner
    found = FieldSet(frozenset(members), children)
    return found, not found or _SELF in fields


def _step(text: str) -> str | None:
    try:
        return element.canonical(text)
    except element.ElementError as error:
        raise FieldsError(str(error)) from None
