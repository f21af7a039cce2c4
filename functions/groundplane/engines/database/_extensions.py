"""Extensions: which need a library that the server loads when it starts, and which a build has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Libraries by extension, from each one's own manual: without its library the extension's functions fail.
LIBRARIES: Final[Mapping[str, str]] = {
    "citus": "citus",
    "pg_cron": "pg_cron",
    "pg_partman": "pg_partman_bgw",
    "pg_qualstats": "pg_qualstats",
    "pg_squeeze": "pg_squeeze",
    "pg_stat_kcache": "pg_stat_kcache",
    "pg_stat_monitor": "pg_stat_monitor",
    "pg_stat_statements": "pg_stat_statements",
    "pg_tle": "pg_tle",
    "pg_wait_sampling": "pg_wait_sampling",
    "pgaudit": "pgaudit",
    "pglogical": "pglogical",
    "pgnodemx": "pgnodemx",
    "set_user": "set_user",
    "timescaledb": "timescaledb",
}


def libraries(names: Iterable[str]) -> list[str]:
    """Return the libraries that the server must load when it starts for the extensions *names*, each once, sorted."""
    return sorted({LIBRARIES[name] for name in names if name in LIBRARIES})


def refuse_missing(names: Iterable[str], product: str, offered: Iterable[str]) -> None:
    """Return if *product* has every extension in *names*; *offered* are those that its build has.

    Raises:
        Refusal: NotOffered, naming the extensions and those there are.
    """
    there = frozenset(offered)
    missing = sorted(set(names) - there)
    if missing:
        raise Refusal(
            Reason.NOT_OFFERED,
            f"database.extensions: {', '.join(missing)} cannot be had on {product}, whose build does not have it."
            f" Remove it, or choose among: {', '.join(sorted(there))}.",
        )
