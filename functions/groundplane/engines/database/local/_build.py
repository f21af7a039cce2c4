"""What the build of PostgreSQL that runs here brings: data, which a test holds against the files themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database import _extensions
from groundplane.engines.database import _postgresql as postgresql

if TYPE_CHECKING:
    from groundplane.contracts.database import DatabaseSpec

# Every extension of the build whose own requirements the build has.
EXTENSIONS: Final = frozenset(
    """
    amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance fuzzystrmatch
    hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap
    pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple
    plpgsql postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent
    """.split()  # noqa: SIM905  # Fifty quoted names would take fifty lines.
)
# In the build, and never made: what they are for needs the rights of the server's own user.
REFUSED: Final = {
    "file_fdw": "it reads files of the machine, which the application may not",
}


def refuse_extensions(spec: DatabaseSpec, product: str) -> None:
    """Return if every extension that *spec* asks for can be had.

    Raises:
        Refusal: NotOffered, naming the extensions, why, and those there are.
    """
    names = postgresql.extensions(spec)
    for name in sorted(REFUSED.keys() & set(names)):
        raise Refusal(
            Reason.NOT_OFFERED, f"database.extensions: {name} cannot be had on {product}: {REFUSED[name]}. Remove it."
        )
    _extensions.refuse_missing(names, product, EXTENSIONS)
