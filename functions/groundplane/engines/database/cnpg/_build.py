"""Which extensions the images have, and what the server must load for those that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database import _extensions
from groundplane.engines.database import _postgresql as postgresql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.engines.database.cnpg._names import Place

# PostgreSQL's own, as its Debian packages bring them without the procedural languages.
OWN: Final = frozenset(
    """
    amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw
    fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache
    pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks
    pgstattuple plpgsql postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent
    uuid-ossp xml2
    """.split()  # noqa: SIM905  # Fifty quoted names would take fifty lines.
)
OWN_OF_SOME: Final[Mapping[str, frozenset[str]]] = {
    "15": frozenset({"adminpack", "old_snapshot"}),
    "16": frozenset({"adminpack", "old_snapshot"}),
    "18": frozenset({"pg_logicalinspect"}),
}
# What the standard images of the operator's project add.
ADDED: Final = frozenset({"pgaudit", "vector"})
# The operator loads the libraries of these itself, and drops the extension at its next start, unless a parameter of
# theirs is set. Each stands here with the value that it has anyway.
MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "pg_stat_statements": ("pg_stat_statements.track", "top"),
    "pgaudit": ("pgaudit.log", "none"),
}


def refuse_unfit(place: Place, product: str) -> None:
    """Return if the images have every extension asked for, as far as it is told.

    Raises:
        Refusal: NotOffered, when the images are known to lack one; EnvironmentIncomplete, when one needs a library
            that unknown images may lack: with such a library in its settings a server without it does not start.
    """
    names, known, version = postgresql.extensions(place.ask.spec), _known(place), place.ask.spec.version
    if known is not None:
        _extensions.refuse_missing(names, f"{product} with PostgreSQL {version}", known)
        return
    untold = sorted(name for name in names if name in _extensions.LIBRARIES and name not in OWN | place.created)
    if untold:
        environment = place.ask.claim.environment
        raise Refusal(
            Reason.ENVIRONMENT_INCOMPLETE,
            f"database.extensions: {', '.join(untold)} needs a library that the server loads when it starts, and"
            f" environment {environment} does not say that the images of its catalog have it. Remove it, or ask the"
            f" platform team to list it in cnpg.imageExtensions of EnvironmentConfig {environment}.",
        )


def parameters(place: Place) -> dict[str, str]:
    """Return the parameters by which the operator knows that an extension is wanted; the claim's own come after."""
    return dict(MARKS[name] for name in _loaded(place) if name in MARKS)


def libraries(place: Place) -> list[str]:
    """Return the libraries that the server must be told to load, because the operator does not know them."""
    return _extensions.libraries(name for name in _loaded(place) if name not in MARKS)


def _loaded(place: Place) -> list[str]:
    """Return the extensions whose libraries stay loaded: those asked for, and those given up, which nobody drops."""
    spec = place.ask.spec
    retired = (spec.migration and spec.migration.retired_entries) or ()
    given_up = [entry.removeprefix("extensions/") for entry in retired if entry.startswith("extensions/")]
    known = _known(place) or OWN | place.created
    return [name for name in dict.fromkeys([*postgresql.extensions(spec), *given_up]) if name in known]


def _known(place: Place) -> frozenset[str] | None:
    """Return the extensions of the images; None when they are the platform's own and nobody told."""
    cnpg, own = place.ask.knobs.cnpg, OWN | OWN_OF_SOME.get(place.ask.spec.version, frozenset())
    if cnpg.image_catalog is None:
        return own | ADDED
    return own | frozenset(cnpg.image_extensions) if cnpg.image_extensions is not None else None
