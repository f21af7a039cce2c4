"""What ownership reads in a structural schema: which values are owned as a whole, and what identifies an item."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.managedfields import element


class Absent(Enum):
    """That a value is not there, which null is not."""

    ABSENT = auto()


ABSENT: Final = Absent.ABSENT
#: A value, or that there is none.
Value = JSON | Absent


class Form(Enum):
    """How a value is looked at. ANY is a value of unknown form, null, where several forms are allowed."""

    MAP = auto()
    SCALAR = auto()
    LIST = auto()
    ANY = auto()


class ItemError(ValueError):
    """The message says why the item of a list has no key."""


_FREE_FORMATS = frozenset({"", "byte"})


class Shape:
    """One place in a schema. Its children are read when they are first asked for.

    Attributes:
        scalar: The scalars allowed here: "numeric", "string", "boolean" or "untyped"; empty when none are.
        is_list: Whether a list may stand here.
        is_map: Whether a map, or an object, may stand here.
        whole_list: Whether a list is owned as a whole.
        whole_map: Whether a map is owned as a whole.
        map_keys: The fields that identify an item; without any the items are a set.
    """

    __slots__ = (
        "_children",
        "_open",
        "_properties",
        "_raw",
        "is_list",
        "is_map",
        "map_keys",
        "scalar",
        "whole_list",
        "whole_map",
    )

    def __init__(self, raw: Manifest, *, is_open: bool = False) -> None:
        """Read *raw*; *is_open* says that a place above preserves unknown fields, which goes for all below it."""
        kind = raw.get("type", "")
        self._raw = raw
        self._open = is_open or raw.get("x-kubernetes-preserve-unknown-fields") is True
        self._properties: Manifest = _properties(raw)
        self._children: dict[str, Shape | None] = {}
        self.scalar = _scalar(kind, raw.get("format", ""))
        self.is_list = kind in {"", "array"}
        self.is_map = kind in {"", "object"}
        self.whole_list = raw.get("x-kubernetes-list-type", "atomic") == "atomic"
        self.whole_map = raw.get("x-kubernetes-map-type") == "atomic"
        self.map_keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys", ()))

    def declares(self, name: str) -> bool:
        """Tell whether *name* is a field, not the key of a map."""
        return name in self._properties

    def child(self, name: str) -> Shape | None:
        """Return what stands under *name*, or None when nothing may."""
        if name not in self._properties:
            return self.values
        if name not in self._children:
            raw = self._properties[name]
            # What metadata holds is the same everywhere, also where unknown fields are preserved.
            self._children[name] = Shape(raw, is_open=self._open and raw is not OBJECT_META)
        return self._children[name]

    @property
    def values(self) -> Shape | None:
        """What stands under a key that is no field, or None when there is no such key."""
        said = self._raw.get("additionalProperties")
        if isinstance(said, dict):
            return self._part("additionalProperties", said)
        if said is None:
            said = self._open or not self._properties
        return DEDUCED if said else None

    @property
    def items(self) -> Shape:
        """What every item of a list is."""
        said = self._raw.get("items")
        return self._part("items", said) if isinstance(said, dict) else WHOLE

    def _part(self, keyword: str, raw: Manifest) -> Shape:
        slot = f".{keyword}"  # no field is called like this
        known = self._children.get(slot)
        if known is None:
            known = self._children[slot] = Shape(raw, is_open=self._open)
        return known

    @property
    def is_unknown_map(self) -> bool:
        """Whether only keys of unknown or free type may stand here, so that no change of the schema shows."""
        values = self.values
        return not self._properties and values is not None and values is not WHOLE and values.scalar == "untyped"

    def form(self, value: Value) -> Form:
        """Return how to look at *value*: as what it is, where that is allowed, else as what is allowed first."""
        if isinstance(value, dict) and self.is_map:
            return Form.MAP
        if isinstance(value, list) and self.is_list:
            return Form.LIST
        if isinstance(value, str | int | float) and self.scalar:
            return Form.SCALAR
        if self.is_map and (self.scalar or self.is_list):
            return Form.ANY
        return Form.MAP if self.is_map else Form.SCALAR if self.scalar else Form.LIST

    def step(self, item: JSON) -> str:
        """Return the step that leads to *item* of a list.

        Raises:
            ItemError: it has no key.
        """
        return self._keyed(item) if self.map_keys else _of_set(item)

    def place(self, item: JSON) -> str:
        """Return the step that leads to *item* of a list; taking fields away may have left it without its key."""
        try:
            return self.step(item)
        except ItemError:
            return element.NOWHERE

    def _keyed(self, item: JSON) -> str:
        if item is None:
            raise ItemError("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise ItemError("associative list with keys may not have non-map elements")
        fields = {name: item.get(name, self._default(name)) for name in self.map_keys if self._has(item, name)}
        if not fields:
            names = " ".join(f'"{name}"' for name in self.map_keys)
            raise ItemError(
                f"associative list with keys has an element that omits all key fields [{names}]"
                " (and doesn't have default values for any key fields)"
            )
        return element.key(fields)

    def _has(self, item: Manifest, name: str) -> bool:
        return name in item or self._default(name) is not None

    def _default(self, name: str) -> JSON:
        declared = self.items._properties.get(name)  # noqa: SLF001  # of the same class
        return declared.get("default") if declared else None


def _of_set(item: JSON) -> str:
    if isinstance(item, dict):
        raise ItemError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ItemError("not supported: associative list with lists as elements")
    if item is None:
        raise ItemError("associative list without keys has an element that's an explicit null")
    return element.value(item)


def _scalar(kind: str, form: str) -> str:
    if kind in {"integer", "number"}:
        return "numeric"
    if kind == "string":
        return "string" if form in _FREE_FORMATS else "untyped"
    return {"boolean": "boolean", "": "untyped"}.get(kind, "")


def _properties(raw: Manifest) -> Manifest:
    declared: Manifest = raw.get("properties") or {}
    return {**declared, **IDENTITY} if raw.get("x-kubernetes-embedded-resource") is True else declared


class _Deduced(Shape):
    """A place without a schema: maps are owned by key, lists as a whole."""

    __slots__ = ()

    @property
    def values(self) -> Shape:
        return self


class _Whole(_Deduced):
    """A place without a schema that is owned as a whole."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__({"x-kubernetes-map-type": "atomic"})


_TEXT: Manifest = {"type": "string"}
_TIME: Manifest = {"type": "string", "format": "date-time"}
_NUMBER: Manifest = {"type": "integer"}
_FLAG: Manifest = {"type": "boolean"}
_TEXTS: Manifest = {"type": "object", "additionalProperties": _TEXT}

OBJECT_META: Manifest = {
    "type": "object",
    "properties": {
        "annotations": _TEXTS,
        "creationTimestamp": _TIME,
        "deletionGracePeriodSeconds": _NUMBER,
        "deletionTimestamp": _TIME,
        "finalizers": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
        "generateName": _TEXT,
        "generation": _NUMBER,
        "labels": _TEXTS,
        "managedFields": {"type": "array", "items": {}},
        "name": _TEXT,
        "namespace": _TEXT,
        "ownerReferences": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {
                    "apiVersion": _TEXT,
                    "blockOwnerDeletion": _FLAG,
                    "controller": _FLAG,
                    "kind": _TEXT,
                    "name": _TEXT,
                    "uid": {"type": "string", "default": ""},
                },
            },
        },
        "resourceVersion": _TEXT,
        "selfLink": _TEXT,
        "uid": _TEXT,
    },
}
#: The fields of every object, whatever its schema says of them.
IDENTITY: Manifest = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": OBJECT_META}

#: What a value without any schema is.
DEDUCED: Final[Shape] = _Deduced({})
WHOLE: Final[Shape] = _Whole()


def root(schema: Manifest) -> Shape:
    """Return the shape of a kind whose structural schema is *schema*."""
    return Shape({**schema, "properties": {**(schema.get("properties") or {}), **IDENTITY}})
