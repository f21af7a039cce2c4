"""The strategic merge patch, as far as the built-in kinds of the plane need it.

Maps are merged. Of the lists only finalizers (a set), ownerReferences (by uid), the conditions of a status (by type),
and conditions and variables of a policy (by name) are merged; any other is replaced.
"""

from __future__ import annotations

from groundplane.core.manifest import JSON, Manifest

_DIRECTIVE, _REPLACE, _DELETE, _MERGE = "$patch", "replace", "delete", "merge"
_DROP, _ORDER = "$deleteFromPrimitiveList/", "$setElementOrder/"
_INVALID, _INTERNAL = 422, 500
# The lists that are merged, by their path; the key of a set is None.
_KEYS: dict[tuple[str, ...], str | None] = {
    ("metadata", "finalizers"): None,
    ("metadata", "ownerReferences"): "uid",
    ("spec", "matchConditions"): "name",
    ("spec", "variables"): "name",
    ("status", "conditions"): "type",
}
_Path = tuple[str, ...]


class StrategicError(Exception):
    """The message says what does not fit.

    Attributes:
        code: The HTTP status.
    """

    def __init__(self, code: int, message: str) -> None:
        """Say *message*, and answer with *code*."""
        super().__init__(message)
        self.code = code


def combined(live: Manifest, patch: Manifest, path: _Path = ()) -> Manifest:
    """Return *live*, which stands at *path*, with *patch* applied; neither is changed.

    Raises:
        StrategicError: a directive is unknown, or does not fit what it stands at.
    """
    directive = patch.get(_DIRECTIVE, _MERGE)
    if directive == _DELETE:
        return {}
    if directive == _REPLACE:
        return {name: entry for name, entry in patch.items() if name != _DIRECTIVE}
    if directive != _MERGE:
        raise StrategicError(_INTERNAL, f"unknown patch type: {directive} in map")
    found = dict(live)
    for name in _fields(patch):
        below = (*path, name)
        if below in _KEYS:
            _set(found, name, _combined_list(found.get(name), patch, below))
        else:
            _set(found, name, _combined_value(found.get(name), patch[name], below))
    return found


def _fields(patch: Manifest) -> dict[str, None]:
    """Return the names of what is patched, also by a directive alone, each once and in order."""
    names = (name.removeprefix(_DROP).removeprefix(_ORDER) for name in patch if name != _DIRECTIVE)
    return dict.fromkeys(name for name in names if not name.startswith("$"))


def _set(found: Manifest, name: str, value: JSON) -> None:
    if value is None:
        found.pop(name, None)
    else:
        found[name] = value


def _combined_value(live: JSON, patch: JSON, path: _Path) -> JSON:
    if not isinstance(patch, dict):
        return patch
    return combined(live if isinstance(live, dict) else {}, patch, path)


def _combined_list(live: JSON, patch: Manifest, path: _Path) -> JSON:
    name, key = path[-1], _KEYS[path]
    said = patch.get(name, [])
    if said is None:
        return None
    if not isinstance(said, list):
        raise StrategicError(_INVALID, f"cannot restore slice from {type(said).__name__}")
    old: list[JSON] = live if isinstance(live, list) else []
    replaces = any(isinstance(item, dict) and item.get(_DIRECTIVE) == _REPLACE for item in said)
    if replaces:
        return [item for item in said if item.get(_DIRECTIVE) != _REPLACE]
    gone = _gone(patch, said, path)
    new = [item for item in said if not (isinstance(item, dict) and item.get(_DIRECTIVE) == _DELETE)]
    items = {_key(item, key): item for item in old}
    for item in new:
        step = _key(item, key)
        items[step] = combined(items.get(step, {}), item, path) if isinstance(item, dict) else item
    asked = [_key(item, key) for item in patch.get(_ORDER + name, new)]
    return [items[step] for step in _ordered(items, asked, [_key(item, key) for item in old]) if step not in gone]


def _gone(patch: Manifest, said: list[JSON], path: _Path) -> set[JSON]:
    deleted = {_key(item, _KEYS[path]) for item in said if isinstance(item, dict) and item.get(_DIRECTIVE) == _DELETE}
    return deleted | set(patch.get(_DROP + path[-1], []))


def _key(item: JSON, key: str | None) -> JSON:
    if key is None:
        return item
    if not isinstance(item, dict) or key not in item:
        raise StrategicError(_INTERNAL, f"map: {item} does not contain declared merge key: {key}")
    return item[key]


def _ordered(items: dict[JSON, JSON], asked: list[JSON], old: list[JSON]) -> list[JSON]:
    """Return the keys: those *asked* for in that order, the others before those that they stood before."""
    right = [step for step in asked if step in items]
    left = [step for step in items if step not in right]
    found = []
    while left and right:
        both = left[0] in old and right[0] in old
        found.append((left if both and old.index(left[0]) < old.index(right[0]) else right).pop(0))
    return [*found, *left, *right]
