"""Parameters of a Cluster: in words that the operator reads, too, and high enough for what is copied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from groundplane.engines.database import _pg_settings as pg_settings
from groundplane.engines.database._pg_values import number, plain, truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.observation import Observed
    from groundplane.engines.database.cnpg._names import Place

# Values with which the log lacks what backups and copies need; the operator refuses them as well.
UNARCHIVED: Final = {"wal_level": ["minimal"], "wal_log_hints": ["off"]}
UNARCHIVED_WHY: Final = "leaves the log without what backups and replicas need."
# With `remote_write` and all above, another server has a write before it is acknowledged.
UNCONFIRMED: Final = {"synchronous_commit": ["off", "local"]}
UNCONFIRMED_WHY: Final = "would lose acknowledged writes with one server, which objectives.failureTolerance rules out."

LEAST_WHY: Final = "each server that stands in for another needs one, and a new one two more while it is made."

# A server that recovers must have as much of each as the server had whose log it reads. The operator takes the greater
# of what the base backup tells and what the Cluster says, and reads the latter as decimal digits alone.
ENFORCED: Final = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)
# What the operator reads of the others: digits and a unit of bytes, or a word for on or off.
_SIZES: Final = frozenset({"max_wal_size", "min_wal_size", "shared_buffers"})
_SIZE: Final = re.compile(r"[0-9]+( ?(B|kB|MB|GB|TB))?", re.ASCII)
_SWITCHES: Final = frozenset({"hot_standby_feedback", "sync_replication_slots", "wal_log_hints"})


def least(instances: int) -> dict[str, int]:
    """Return what *instances* servers need to follow each other, and one to be made anew beside them."""
    return {"max_wal_senders": instances + 1, "max_replication_slots": instances + 1}


def wanted(place: Place, observed: Observed | None) -> dict[str, str]:
    """Return the parameters that the claim asks for; of a copy that is yet to recover, with what its source has.

    What the base backup tells the operator reads itself; what the source was raised to afterwards only its claim tells.
    """
    spec = place.ask.spec
    asked = {name: _read(name, value, spec.version) for name, value in pg_settings.parameters(spec).items()}
    if spec.restore is None or _recovered(observed):
        return asked
    before = observed.at("spec", "postgresql", "parameters") if observed else None
    known: list[Mapping[str, object]] = [asked, place.ask.source.parameters if place.ask.source else {}]
    if isinstance(before, dict):
        known.append(before)
    for written in known:
        for name, value in _enforced(written, spec.version).items():
            asked[name] = str(max(value, int(asked.get(name, 0))))
    return dict(sorted(asked.items()))


def _recovered(observed: Observed | None) -> bool:
    """Whether the first server is up: from then on the log is the Cluster's own."""
    return observed is not None and bool(observed.at("status", "currentPrimary"))


def _enforced(written: Mapping[str, object], major: str) -> dict[str, int]:
    """Return the values of `ENFORCED` among *written*, but for those that no server takes."""
    named = {pg_settings.folded(name, major): str(value) for name, value in written.items()}
    read = {name: _read(name, named[name], major) for name in ENFORCED if name in named and pg_settings.known(major)}
    known = pg_settings.known(major)
    return {name: int(value) for name, value in read.items() if value.isdecimal() and not known[name].trouble(value)}


def _read(name: str, value: str, major: str) -> str:
    """Return *value* as the operator reads it; most it only passes on."""
    setting = pg_settings.known(major).get(name)
    if setting is None:
        return value
    if name in _SWITCHES and (meaning := truth(value)) is not None:
        return "on" if meaning else "off"
    told = number(value, setting.unit, whole=True) if name in _SIZES or name in ENFORCED else None
    if told is None or (name in _SIZES and _SIZE.fullmatch(value)):
        return value
    if name in ENFORCED:
        return plain(told)
    bytes_of = {"8kB": (8, "kB"), "MB": (1, "MB")}[setting.unit]
    return f"{int(told) * bytes_of[0]}{bytes_of[1]}"
