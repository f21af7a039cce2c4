"""Claims that pass the schema and that nobody would write: every string field in turn, with all it may hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from catalogue import Manifest
from groundplane.kubernetes.formats import is_date_time

Path = tuple[str, ...]
POOL = 300  # strings that are tried for each form
ITEM, KEY = "[]", "{}"  # steps of a path: an item of a list, an entry of a map

STRANGE = (
    *("", " ", "\n", "a\n", "\t", "\x00", "a\x00b", "\x7f", "\u0085", "\u2028", "\ufeff", "\u202e", "\U0001f600"),
    *("'", "''", '"', "\\", "\\n", "$(HOME)", "$((", "$$(X)", "${X}", "`id`", "%s", "%(x)s", "{}", "{0}", "{x!r}"),
    *("null", "true", "off", "-1", "0", "00", "1e999", "NaN", "-inf", "0x1F", "1_000", "\u0663", "\u00b2", "\u00bd"),
    *(
        "../../x",
        "/etc/passwd",
        "a/b",
        "a.b",
        "a.b.c",
        ".",
        "..",
        "-",
        "--",
        "a=b",
        "a b",
        "A",
        "\u017f",
        "\u0130",
        "\u00df",
        "\u00e9",
        "\uff11",
    ),
    *("1GB", "1 GB", "1gb", "10 ms", "1.5ms", "9" * 30, "9" * 30 + "GB", "-9" + "9" * 400, "0." + "0" * 300 + "1"),
    *("2026-11-24T08:59:00Z", "work_mem", "Work_Mem", "archive_mode", "rds.force_ssl", "vector", "pg_stat_statements"),
)
ZONES = ("Z", "z", "+00:00", "-00:00", "+23:59", "-23:59", "+14:00", "+24:00", "+99:99", "-12:60")
FRACTIONS = ("", ".5", ",5", "x5", ".123456789", "." + "9" * 30)
DATES = ("0000-01-01", "0001-01-01", "1582-10-10", "1970-01-01", "2024-02-29", "2026-11-24", "9999-12-31")
TIMES = ("00:00:00", "08:59:00", "23:59:59")


@dataclass
class Fuzz:
    """Claims from *schema*, the schema of a spec; the same *seed* gives the same claims."""

    schema: Manifest
    seed: int
    base: Manifest
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  # Nothing secret comes of it.
        self.leaves = sorted(strings(self.schema))

    def spec(self, number: int) -> Manifest:
        """Return claim *number*: the field whose turn it is, sometimes with others beside it."""
        found = deepcopy(self.base)
        others = self.chance.choices((0, 1, 2), (6, 3, 1))[0]
        for path in (self.leaves[number % len(self.leaves)], *self.chance.choices(self.leaves, k=others)):
            self._put(found, self.schema, path)
        return coherent(found)

    def _put(self, into: Manifest, schema: Manifest, path: Path) -> None:
        step, rest = path[0], path[1:]
        if step == KEY:
            into[self._text({"maxLength": 63})] = self._any(schema["additionalProperties"], rest)
            return
        inner = schema["properties"][step]
        if inner.get("type") == "object" and rest and isinstance(into.get(step), dict):
            self._put(into[step], inner, rest)
        else:
            into[step] = self._any(inner, rest)

    def _any(self, schema: Manifest, path: Path) -> Any:
        """Return a value of *schema* that has what *path* leads to."""
        kind = schema.get("type")
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        if kind == "string":
            return self._text(schema)
        if kind == "integer":
            low, high = schema.get("minimum", -(2**40)), schema.get("maximum", 2**40)
            return self.chance.choice((low, high, self.chance.randint(low, high)))
        if kind == "array":
            return self._list(schema, path[1:])
        found: Manifest = {}
        for name in schema.get("required", ()):
            found[name] = self._any(schema["properties"][name], ())
        if path:
            self._put(found, schema, path)
        return found

    def _list(self, schema: Manifest, path: Path) -> list[Any]:
        keys = schema.get("x-kubernetes-list-map-keys", [])
        found: dict[str, Any] = {}
        for _ in range(self.chance.choice((1, 1, 2, 5))):
            item = self._any(schema["items"], path)
            found[repr([item[key] for key in keys] if keys else item)] = item
        return list(found.values())[: schema.get("maxItems", 100)]

    def _text(self, schema: Manifest) -> str:
        if "enum" in schema:
            return str(self.chance.choice(schema["enum"]))
        least, most = schema.get("minLength", 0), schema.get("maxLength", 100)
        pool = pool_of(schema.get("pattern", ""), schema.get("format", ""), self.seed)
        fitting = [text for text in pool if least <= len(text) <= most]
        return self.chance.choice(fitting)


def coherent(spec: Manifest) -> Manifest:
    """Return *spec* as the rules beside the schema demand it: what they refuse never reaches the function."""
    if restore := spec.get("restore"):
        way = "Backup" if "backupID" in restore else "Claim"
        restore.pop("claimRef" if way == "Backup" else "backupID", None)
        if way == "Claim":
            restore.setdefault("claimRef", {"name": "shop"})
        restore["from"] = way
    if "resources" in spec:
        spec.pop("size", None)
    return spec


def strings(schema: Manifest, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every string that an object of *schema* may hold."""
    kind = schema.get("type")
    if kind == "string":
        yield path
    elif kind == "array":
        yield from strings(schema["items"], (*path, ITEM))
    elif kind == "object":
        if "additionalProperties" in schema:
            yield from strings(schema["additionalProperties"], (*path, KEY))
        for name, inner in schema.get("properties", {}).items():
            if path or name != "crossplane":
                yield from strings(inner, (*path, name))


@cache
def pool_of(pattern: str, form: str, seed: int) -> tuple[str, ...]:
    """Return strings to try of one form: those that *pattern* matches, the times of a calendar, or anything."""
    if form == "date-time":
        zoned = (f"{d}{t}{u}{f}{z}" for d in DATES for t in "Tt" for u in TIMES for f in FRACTIONS for z in ZONES)
        return tuple(text for text in zoned if is_date_time(text))
    if not pattern:
        return (*STRANGE, *_drawn(st.text(st.characters(codec="utf-8"), max_size=1024), seed))
    return tuple(_drawn(st.from_regex(pattern.replace("$", r"\Z"), fullmatch=True), seed))


def _drawn(strategy: st.SearchStrategy[str], seed: int) -> list[str]:
    found: list[str] = []

    @seeded(seed)
    @settings(max_examples=POOL, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(text: str) -> None:
        found.append(text)

    draw()
    return sorted(set(found))
