"""Extensions on RDS: what it has not, and what its server loads when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database import _extensions as extensions
from groundplane.engines.database import _postgresql as postgresql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.engines.database.rds._names import Place

PRELOADED: Final = "shared_preload_libraries"
# As of 2026-12. AWS's pages on extensions say that pg_stat_statements is loaded by default, and name pg_cron and
# pg_tle; pgaudit and pglogical are not confirmed. The API's list of what the parameter takes needs an account, so an
# extension that needs any other library is refused.
_OFFERED: Final = frozenset({"pg_cron", "pg_stat_statements", "pg_tle", "pgaudit", "pglogical"})
_DEFAULT: Final = ("pg_stat_statements",)  # what RDS loads where the parameter is not set
_OPTIONAL: Final = frozenset({"pg_partman"})  # its library only calls its functions at times, which pg_cron can do, too
# What needs a superuser or the server's own files, which RDS gives to nobody.
_NEVER: Final = frozenset({"adminpack", "file_fdw", "plperlu", "plpython3u", "plpythonu", "pltclu"})
_CRON_DATABASE: Final = "cron.database_name"  # the one database in which pg_cron can be created


def refuse_missing(place: Place) -> None:
    """Return if RDS can have every extension that is asked for, as far as that is known.

    Raises:
        Refusal: NotOffered, naming the extensions.
    """
    names = [name for name in postgresql.extensions(place.ask.spec) if name not in _OPTIONAL]
    wrong = [name for name in names if name in _NEVER or not _OFFERED.issuperset(extensions.libraries([name]))]
    if wrong:
        raise Refusal(
            Reason.NOT_OFFERED,
            f"database.extensions: {', '.join(sorted(wrong))} cannot be had on Amazon RDS: it would need a library, a"
            " superuser or files that RDS does not offer. Remove it, or use an engine that has it.",
        )


def preload(place: Place, asked: Mapping[str, str], running: str | None) -> dict[str, str]:
    """Return the parameters that make the server load what extensions need; none where RDS's own values do.

    *asked* are the claim's parameters, which keep their part. *running* is what a server that has started was told to
    load, empty when nothing: it loads nothing more until it starts again.

    Raises:
        Refusal: NotOffered, when it has started without what an extension needs.
    """
    names = [name for name in postgresql.extensions(place.ask.spec) if name not in _OPTIONAL]
    needed = extensions.libraries(names)
    written = asked.get(PRELOADED)
    if running is not None and written is None:
        loaded = _listed(running) or list(_DEFAULT)
        if missing := sorted(set(needed) - set(loaded)):
            raise Refusal(
                Reason.NOT_OFFERED,
                f"database.extensions: the server loads {', '.join(missing)} only when it starts, and RDS does not"
                " restart it for that. Ask for the extension when the claim is created, or together with a higher"
                " version.",
            )
        return {**({PRELOADED: running} if running else {}), **_cron(place, names, asked)}
    libraries = [*(_DEFAULT if written is None else _listed(written))]
    libraries += [name for name in needed if name not in libraries]
    if written is None and libraries == list(_DEFAULT):
        return {}
    return {PRELOADED: ",".join(libraries), **_cron(place, names, asked)}


def _cron(place: Place, names: list[str], asked: Mapping[str, str]) -> dict[str, str]:
    is_needed = "pg_cron" in names and _CRON_DATABASE not in asked
    return {_CRON_DATABASE: place.ask.spec.database.name} if is_needed else {}


def _listed(value: str) -> list[str]:
    return [name for one in value.split(",") if (name := one.strip())]
