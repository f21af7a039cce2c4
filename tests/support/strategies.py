"""Claims and observations to try: valid specs, what may follow on them, and junk."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

from catalogue import Manifest

JSON = Any
QUANTITIES: Final = {"cpu": ("500m", "1", "2", "4"), "memory": ("1Gi", "2Gi", "8Gi")}

# Any value an API could hand us, and some that look right.
SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["True", "False", "2026-11-24T12:00:00Z", "2026-11-24", "cnpg-1", "-1", "17.6", "0"]),
)
JUNK: Final = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Manifest]:
    """Return objects with any of *fields*, at least one."""
    return st.fixed_dictionaries({}, optional=fields).filter(bool)


def _database(draw: st.DrawFn) -> Manifest:
    spec: Manifest = {
        "version": draw(st.sampled_from(["15", "16", "17", "18"])),
        "storage": {"size": draw(st.sampled_from(["1Gi", "20Gi", "64Gi", "1Ti"]))},
        "tier": draw(st.sampled_from(["Development", "Standard", "Critical"])),
    }
    optional = {
        "deletionPolicy": st.sampled_from(["Protect", "Retain", "Delete"]),
        "objectives": _some(
            failureTolerance=st.sampled_from(["None", "Node", "Zone"]),
            rpoSeconds=st.sampled_from([60, 599, 600, 900, 1200, 604800]),
            rtoSeconds=st.sampled_from([60, 604800]),
        ),
        "backup": _some(retentionDays=st.sampled_from([1, 7, 35, 36, 3650])),
        "consumers": st.lists(st.sampled_from(["team-x", "team-y"]), unique=True, max_size=2).map(
            lambda names: [{"namespace": name} for name in names]
        ),
        "maintenanceWindow": st.fixed_dictionaries(
            {"day": st.sampled_from(["Sunday", "Friday"]), "startHour": st.integers(0, 23)}
        ),
        "parameters": st.dictionaries(
            st.sampled_from(["work_mem", "log_min_duration_statement"]), st.sampled_from(["100", "200"]), max_size=2
        ),
        "database": st.fixed_dictionaries(
            {
                "name": st.sampled_from(["app", "shop"]),
                "extensions": st.lists(st.sampled_from(["pg_trgm", "pgcrypto"]), unique=True, max_size=2).map(
                    lambda names: [{"name": name} for name in names]
                ),
            }
        ),
    }
    spec |= draw(st.fixed_dictionaries({}, optional=optional))
    compute = draw(st.sampled_from(["", "size", "resources"]))
    if compute == "size":
        spec["size"] = draw(st.sampled_from(["XSmall", "Small", "Medium", "Large", "XLarge"]))
    if compute == "resources":
        spec["resources"] = {name: draw(st.sampled_from(values)) for name, values in QUANTITIES.items()}
    return spec


def _later_database(before: Manifest, wanted: Manifest) -> Manifest:
    """Return *wanted* with what may never change, or never fall, as it was in *before*."""
    sizes = ["1Gi", "20Gi", "64Gi", "1Ti"]
    database = {**wanted.get("database", {}), "name": before.get("database", {}).get("name", "app")}
    return {
        **wanted,
        "version": max(before["version"], wanted["version"]),
        "storage": {"size": max(before["storage"]["size"], wanted["storage"]["size"], key=sizes.index)},
        "database": database,
    }


# By contract: valid specs, and what an owner may make of one later. A contract without an entry fails its tests.
SPECS: Final = {"database": st.composite(_database)()}
LATER: Final = {"database": _later_database}


def paths(value: JSON, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value inside *value*."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in items:
        yield (*path, key)
        yield from paths(entry, (*path, key))


def replaced(value: JSON, path: tuple[str | int, ...], new: JSON) -> JSON:
    """Return *value* with *new* at *path*."""
    out = deepcopy(value)
    place = out
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return out
