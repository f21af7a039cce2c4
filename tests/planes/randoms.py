"""Random values that fit a schema, and random writes of one object."""

import copy
import random
from dataclasses import dataclass, field
from typing import Any

from planes.kinds import Schema

MANAGERS = ("ann", "bob", "kubectl")
_TEXTS = ("a", "b", "c", 'q"<&é', "x.y/z")
_NUMBERS = (1, 2, 80, 1234567)
_FRACTIONS = (0.5, 2, 1.25, 3000000.5)
_FREE: tuple[Any, ...] = (1, "s", True, None, [1, {"u": 2}], {"u": 1}, {"u": {"v": "w"}, "t": []}, {}, 2.5)
_KEYS = ("k1", "k2", "k.3")
# What a client may write into managedFields, whether it makes sense or not.
_CLAIMS: tuple[dict[str, Any], ...] = (
    {"f:text": {}, "f:wholeList": {".": {}, "i:0": {}}, "f:named": {}, "f:wholeMap": {"f:a": {}}},
    {
        "f:named": {'k:{"name": "a"}': {".": {}}, 'k:{"name":"b"}': {"f:name": {}}},
        "f:numbers": {"v:1.0": {}, "v:2": {}},
    },
    {
        "f:free": {".": {}, "f:k1": {"f:u": {}}},
        "x:later": {},
        "f:objects": {"f:k1": {"f:a": {}}},
        "f:gone": {"f:x": {}},
    },
    {
        "f:ports": {'k:{"protocol":"TCP","port":80}': {".": {}, "f:hosts": {}}, 'k:{"port":1}': {}},
        "f:words": {"v:": {}},
    },
)


@dataclass(frozen=True)
class Move:
    """One write: which verb, by whom, of what.

    Attributes:
        verb: "create", "apply", "merge", "strategic" or "put".
        body: The object, the configuration or the patch.
        manager: The field manager.
        force: Whether an apply takes what others own.
        subresource: "status", or empty for the object itself.
    """

    verb: str
    body: dict[str, Any]
    manager: str
    force: bool = False
    subresource: str = ""


@dataclass
class Maker:
    """Makes random values and moves for one kind."""

    identity: dict[str, str]
    schema: Schema
    random: random.Random
    built_in: bool = False
    configs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The sections of an object, beside what all objects have."""
        return tuple(part for part in self.schema["properties"] if part not in ("apiVersion", "kind", "metadata"))

    def value(self, schema: Schema, depth: int = 0) -> Any:
        """Return a random value that fits *schema*."""
        if schema.get("nullable") and self._chance(0.2):
            return None
        if schema.get("x-kubernetes-embedded-resource"):
            return {"apiVersion": "v1", "kind": "Thing", "metadata": self._metadata(), "more": self._pick(_FREE)}
        if schema.get("x-kubernetes-int-or-string"):
            return self._pick((5, "5%"))
        kind = schema.get("type", "")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._list(schema, depth)
        choices = {"integer": _NUMBERS, "string": _TEXTS, "boolean": (True, False), "number": _FRACTIONS}
        return self._pick(choices.get(kind, _FREE))

    def first(self, name: str) -> Move:
        """Return the write that makes the object *name*."""
        verb = self._pick(("create", "apply", "apply"))
        return Move(verb, self._whole(name, None), self._pick(MANAGERS), force=self._chance(0.5))

    def next(self, name: str, live: dict[str, Any]) -> Move:
        """Return another write of the object *name*, which is *live* now."""
        verb = self._pick(("apply",) * 5 + ("merge",) * 3 + ("null", "put", "manage"))
        subresource = "status" if "status" in self.parts and self._chance(0.25) else ""
        manager = self._pick(MANAGERS)
        if verb == "apply":
            return Move("apply", self._config(name, manager, subresource), manager, self._chance(0.4), subresource)
        if verb == "null":
            return Move("merge", self._nulled(live, subresource), manager, subresource=subresource)
        if verb == "manage":
            return Move("merge", self._managed(live), manager)
        body = self._whole(name, live if self._chance(0.6) else None, subresource)
        if verb == "merge":
            body = {**{part: body[part] for part in self.parts if part in body}, "metadata": self._metadata()}
            verb = self._pick(("merge", "strategic")) if self.built_in else verb
        return Move(verb, body, manager, subresource=subresource)

    def _config(self, name: str, manager: str, subresource: str) -> dict[str, Any]:
        """Return a configuration: a new one, or the manager's last one, the same or changed."""
        slot = (manager, subresource)
        config = self.configs.get(slot)
        if config is None or self._chance(0.35):
            config = self._whole(name, None, subresource)
        elif self._chance(0.7):
            config = self._changed(config)
        self.configs[slot] = config
        return config

    def _whole(self, name: str, live: dict[str, Any] | None, subresource: str = "") -> dict[str, Any]:
        if live is not None:
            return self._changed(
                {part: entry for part, entry in live.items() if part != "metadata"} | self._named(name)
            )
        parts = ("status",) if subresource and self._chance(0.8) else self.parts
        sections = {part: self.value(self.schema["properties"][part]) for part in parts if self._chance(0.9)}
        return {**self._named(name), **sections}

    def _named(self, name: str) -> dict[str, Any]:
        return {**self.identity, "metadata": {**self._metadata(), "name": name}}

    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._chance(0.3):
            found["labels"] = {self._pick(("l1", "l2")): self._pick(("u", "v"))}
        if self._chance(0.2):
            found["annotations"] = {self._pick(("example.org/x", "y")): self._pick(_TEXTS)}
        if self._chance(0.15):
            found["finalizers"] = self.random.sample(["example.org/a", "example.org/b", "example.org/c"], 2)
        return found

    def _changed(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of an object with some parts of its sections made again, or gone."""
        value = copy.deepcopy(value)
        for part in self.parts:
            schema = self.schema["properties"][part]
            if isinstance(value.get(part), dict):
                for _ in range(self.random.randint(1, 3)):
                    self._change(value[part], schema)
        return value

    def _change(self, value: Any, schema: Schema) -> None:
        """Make one place below *value* again, take it away, or shuffle it."""
        if isinstance(value, list):
            self._change_list(value, schema)
        elif isinstance(value, dict):
            properties = schema.get("properties") or {}
            name = self._pick(tuple(properties) or _KEYS)
            below = properties.get(name) or schema.get("additionalProperties") or {}
            below = below if isinstance(below, dict) else {}
            if name in value and self._chance(0.25):
                del value[name]
            elif isinstance(value.get(name), dict | list) and value[name] and self._chance(0.7):
                self._change(value[name], below)
            else:
                value[name] = self.value(below, 2)

    def _change_list(self, value: list[Any], schema: Schema) -> None:
        kind = schema.get("x-kubernetes-list-type", "atomic")
        if value and self._chance(0.4):
            value.pop(self.random.randrange(len(value)))
        elif self._chance(0.4):
            self.random.shuffle(value)
        elif value and kind == "map" and self._chance(0.5):
            item = self._pick(value)
            keys = {key: item[key] for key in schema["x-kubernetes-list-map-keys"] if key in item}
            self._change(item, schema["items"])
            item.update(keys)
            for key in schema["x-kubernetes-list-map-keys"]:
                if key not in keys:
                    item.pop(key, None)
        elif kind == "atomic":
            value.append(self.value(schema.get("items", {}), 2))
        else:
            value[:] = self._unique([*value, *self._list(schema, 2)], schema)

    def _nulled(self, live: dict[str, Any], subresource: str) -> dict[str, Any]:
        """Return a merge patch that takes one random place away."""
        part = subresource or self._pick((self.parts[0], self.parts[0], "metadata"))
        patch: dict[str, Any] = {}
        here, at = live.get(part), patch.setdefault(part, {})
        while isinstance(here, dict) and here:
            name = self._pick(tuple(name for name in here if name not in _SYSTEM) or ("labels",))
            if not isinstance(here.get(name), dict) or self._chance(0.4):
                at[name] = None
                break
            here, at = here[name], at.setdefault(name, {})
        return patch

    def _managed(self, live: dict[str, Any]) -> dict[str, Any]:
        """Return a merge patch of managedFields: forget all, forget one, or let one own something else."""
        entries = copy.deepcopy(live["metadata"].get("managedFields") or [])
        if entries and self._chance(0.8):
            entry = self._pick(entries)
            if self._chance(0.5):
                entries.remove(entry)
            else:
                entry["fieldsV1"] = {"f:spec": self._pick(_CLAIMS)}
        elif self._chance(0.5):
            entries = [{}]
        return {"metadata": {"managedFields": entries}}

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        extra = schema.get("additionalProperties")
        if self._chance(0.05) and not schema.get("required"):
            return {}
        share = 0.3 if depth == 0 and len(properties) > 6 else 0.5
        found = {
            name: self.value(below, depth + 1)
            for name, below in properties.items()
            if name in schema.get("required", ()) or self._chance(share)
        }
        if extra or schema.get("x-kubernetes-preserve-unknown-fields"):
            below = extra if isinstance(extra, dict) else {}
            found |= {name: self.value(below, depth + 1) for name in _KEYS if self._chance(0.4)}
        return found

    def _list(self, schema: Schema, depth: int) -> list[Any]:
        items = [self.value(schema.get("items", {}), depth + 1) for _ in range(self._pick((0, 1, 2, 3)))]
        return self._unique(items, schema)

    def _unique(self, items: list[Any], schema: Schema) -> list[Any]:
        """Return *items* without those that repeat another's key."""
        kind = schema.get("x-kubernetes-list-type", "atomic")
        if kind == "atomic":
            return items
        keys = schema.get("x-kubernetes-list-map-keys", ())
        properties = schema["items"].get("properties", {})
        seen: dict[str, Any] = {}
        for item in items:
            key = [item.get(name, properties[name].get("default")) for name in keys] if keys else item
            seen.setdefault(repr(key), item)
        return list(seen.values())

    def _pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share


_SYSTEM = frozenset(
    {"apiVersion", "creationTimestamp", "generation", "managedFields", "name", "namespace", "resourceVersion", "uid"}
)
