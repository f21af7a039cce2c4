"""Where the application's logins may come in, and what they may do to sessions: the same on every engine.

The application owns its database. Kept out of every other one, it cannot drop it: PostgreSQL drops no database that the
session itself is in.
"""

from __future__ import annotations

from typing import Final

from groundplane.engines.database._postgresql import OWNER

# A session belongs to the login, and what it does to the owner, whom the login becomes: without these predefined roles
# the application could not see what its own sessions do, nor end them.
SESSIONS: Final = ("pg_read_all_stats", "pg_signal_backend")


def rules(database: str) -> list[str]:
    """Return the lines of pg_hba.conf that come before whatever an engine lets in: TLS only, and *database* only.

    They speak of the owner's members, never of the server's own roles. Quotes take the meaning of a keyword from a
    name such as all.
    """
    return [
        "hostnossl all all all reject",
        f'hostssl "{database}" +{OWNER} all scram-sha-256',
        f"hostssl all +{OWNER} all reject",
    ]
