"""What differs between two values of one schema, as sets of field paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from groundplane.core.manifest import JSON
from groundplane.kubernetes.managedfields import element
from groundplane.kubernetes.managedfields.fieldset import EMPTY, FieldSet, Gathering, Path, shown
from groundplane.kubernetes.managedfields.schema import ABSENT, Form, ItemError, Shape, Value
from groundplane.kubernetes.managedfields.typed import TypedError

_Sides = tuple[Value, Value]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one value became another.

    Attributes:
        added: Paths that only the later value has, of what holds others, too.
        modified: Leaves that both have, with different values.
        removed: Paths that only the earlier value has.
    """

    added: FieldSet = EMPTY
    modified: FieldSet = EMPTY
    removed: FieldSet = EMPTY

    @property
    def changed(self) -> FieldSet:
        """What was added or modified."""
        return self.added | self.modified

    def outside(self, trees: FieldSet) -> Comparison:
        """Return the comparison without *trees* and all that stands below them."""
        return Comparison(*(part.without_trees(trees) for part in (self.added, self.modified, self.removed)))


def compared(earlier: JSON, later: JSON, shape: Shape) -> Comparison:
    """Return how *earlier* became *later*; both fit *shape*, but that an item may have lost its key.

    Raises:
        TypedError: an item did.
    """
    walk = _Walk(Gathering(), Gathering(), Gathering())
    walk.visit((earlier, later), shape, ())
    return Comparison(walk.added.set(), walk.modified.set(), walk.removed.set())


def same(one: JSON, other: JSON) -> bool:
    """Tell whether two values are equal as JSON: 1 is 1.0, but not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(entry, other[name]) for name, entry in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


@dataclass(slots=True)
class _Walk:
    added: Gathering
    modified: Gathering
    removed: Gathering

    def visit(self, sides: _Sides, shape: Shape, path: Path) -> None:
        """Gather the differences of *sides*, of which at least one is there."""
        earlier, later = sides
        forms = {shape.form(side) for side in sides if side is not ABSENT}
        is_leaf = False
        for form in sorted(forms, key=lambda form: form is shape.form(later)):
            is_leaf = self._look(form, sides, shape, path)
        if not is_leaf:
            if earlier is ABSENT:
                self.added.add(path)
            elif later is ABSENT:
                self.removed.add(path)

    def _look(self, form: Form, sides: _Sides, shape: Shape, path: Path) -> bool:
        """Look at *sides* as *form*, and return whether they are a leaf."""
        if form is Form.SCALAR:
            return self._leaf(sides, path)
        if form is Form.LIST:
            return self._lists(sides, shape, path)
        return self._maps(sides, shape, path)

    def _leaf(self, sides: _Sides, path: Path) -> bool:
        earlier, later = sides
        if earlier is ABSENT:
            self.added.add(path)
        elif later is ABSENT:
            self.removed.add(path)
        elif not same(earlier, later):
            self.modified.add(path)
        return True

    def _maps(self, sides: _Sides, shape: Shape, path: Path) -> bool:
        earlier, later = (side if isinstance(side, dict) else {} for side in sides)
        if shape.whole_map or not (earlier or later):
            return self._leaf(sides, path)
        for name in {**earlier, **later}:
            child = shape.child(name)
            if child is not None:
                pair = (earlier.get(name, ABSENT), later.get(name, ABSENT))
                self.visit(pair, child, (*path, element.field(name)))
        return False

    def _lists(self, sides: _Sides, shape: Shape, path: Path) -> bool:
        earlier, later = (side if isinstance(side, list) else [] for side in sides)
        if shape.whole_list or not (earlier or later):
            return self._leaf(sides, path)
        for step, before, after in _paired(earlier, later, shape, path):
            self._items(before, after, shape, (*path, step))
        return False

    def _items(self, before: list[JSON], after: list[JSON], shape: Shape, path: Path) -> None:
        """Compare the items with one key: one by one where it is unique, else all at once."""
        repeated = (len(before) > 1, len(after) > 1)
        if repeated == (False, False):
            self.visit((_only(before), _only(after)), shape.items, path)
        elif repeated == (True, True):
            if not same(before, after):
                self.modified.add(path)
        elif repeated == (True, False):
            if after:
                self.visit((ABSENT, after[0]), shape.items, path)
            self.removed.add(path)
        else:
            if before:
                self.visit((before[0], ABSENT), shape.items, path)
            self.added.add(path)


def _paired(
    earlier: list[JSON], later: list[JSON], shape: Shape, path: Path
) -> Iterator[tuple[str, list[JSON], list[JSON]]]:
    pairs: dict[str, tuple[list[JSON], list[JSON]]] = {}
    for side, items in enumerate((earlier, later)):
        for index, item in enumerate(items):
            try:
                step = shape.step(item)
            except ItemError as error:
                raise TypedError((f"{shown(path)}: element {index}: {error}",)) from None
            pairs.setdefault(step, ([], []))[side].append(item)
    for step, (before, after) in pairs.items():
        yield step, before, after


def _only(items: list[JSON]) -> Value:
    return items[0] if items else ABSENT
