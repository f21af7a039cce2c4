"""The work around the server: its first data, roles and database, backups, and what it says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from groundplane.apis import processes
from groundplane.core.manifest import GROUP
from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database import _pg_settings as pg_settings
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database._pg_values import number, plain
from groundplane.engines.database.local import _access as access
from groundplane.engines.database.local._names import CLUSTER, DISTRIBUTION, MAJOR, SUPERUSER, Place, archive
from groundplane.engines.database.local._server import ARCHIVE_TIMEOUT

if TYPE_CHECKING:
    from groundplane.core.manifest import Manifest
    from groundplane.core.observation import Observed

EXTENSIONS: Final = f"{GROUP}/extensions"  # what the setup makes, read back to tell what was left out
MODULE: Final = "groundplane.dataplane.postgresql"
DAY: Final = 24 * 60 * 60
MINUTE: Final = 60
SETUP_SECONDS: Final = 10 * MINUTE  # until what the application changed of its own login is put right
WRAPPERS: Final = frozenset({"postgres_fdw"})  # extensions that nobody can use who may not use what they bring
_TOOLS: Final = ["--bin", "$(BIN)"]
_SERVER: Final = ["--socket", "$(RUN)", "--port", "$(PORT_PRIMARY)"]

_REPORT: Final = """\
SELECT json_build_object(
  'version', split_part(current_setting('server_version'), ' ', 1),
  'archiving', CASE
    WHEN archived_count = 0 AND failed_count = 0 THEN 'unknown'
    WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN 'failing'
    ELSE 'working' END)
FROM pg_stat_archiver;
"""


def init(place: Place, observed: Observed | None) -> Manifest:
    """Return the Task that makes the first data. How it began is history: it is read back from *observed*.

    Raises:
        Refusal: the source of a restore is another database.
    """
    name = place.task("init")
    if observed is not None and isinstance(begun := observed.at("spec"), dict):
        return processes.TASK.manifest(name, spec=_plain(begun))
    restore = place.ask.spec.restore
    words = ["init", *_TOOLS] if restore is None else ["restore", *_TOOLS, "--archive", archive(_source(place))]
    if restore is not None and restore.point_in_time:
        words += ["--until", restore.point_in_time, "--archived-within", str(2 * ARCHIVE_TIMEOUT)]
    if restore is not None and (prepared := _prepared(place)):
        words += ["--prepared", prepared]
    spec = _task(place, [*words, "--data", CLUSTER], when="Before")
    if source := place.ask.source:
        told = ["--source-socket", "$(SOURCE_RUN)", "--source-port", "$(SOURCE_PORT_PRIMARY)"]
        spec = _task(place, [*words, "--data", CLUSTER, *told], when="Before")
        spec = spec.model_copy(update={"source": source.claim.object(source.slot)})
    return processes.TASK.manifest(name, spec=processes.spec_of(spec))


def setup(place: Place, secret: str) -> Manifest:
    """Return the Task that makes roles, database and extensions as they should be, again and again.

    A role may change its own password, and an owner may close its database: both lock the application out.
    """
    files = [
        processes.ConfigFile(name="setup.sql", content=_setup(place)),
        processes.ConfigFile(name="password", secret=processes.SecretKey(name=secret, key="password")),
    ]
    spec = _sql(place, "setup.sql", files).model_copy(update={"every_seconds": SETUP_SECONDS})
    manifest = processes.TASK.manifest(place.task("setup"), spec=processes.spec_of(spec))
    manifest["metadata"]["annotations"] = {EXTENSIONS: json.dumps(postgresql.extensions(place.ask.spec))}
    return manifest


def made(observed: Observed | None) -> list[str]:
    """Return the extensions that *observed*, the setup, makes."""
    try:
        found = json.loads((observed and observed.annotation(EXTENSIONS)) or "[]")
    except ValueError:
        return []
    return [str(name) for name in found] if isinstance(found, list) else []


def report(place: Place) -> Manifest:
    """Return the Task that asks the server, every minute, what runs and whether its log is archived."""
    files = [processes.ConfigFile(name="report.sql", content=_REPORT)]
    spec = _sql(place, "report.sql", files).model_copy(update={"every_seconds": MINUTE, "timeout_seconds": 30})
    return processes.TASK.manifest(place.task("report"), spec=processes.spec_of(spec))


def backup(place: Place) -> Manifest:
    """Return the Task that makes a base backup a day, and lets go of what is kept no longer."""
    words = ["backup", *_TOOLS, *_SERVER, "--archive", place.archive, "--scratch", "$(RUN)"]
    spec = _task(place, [*words, "--keep-days", str(place.ask.effective.retention_days or 1)], when="Ready")
    spec = spec.model_copy(update={"every_seconds": DAY, "timeout_seconds": 60 * MINUTE})
    return processes.TASK.manifest(place.task("backup"), spec=processes.spec_of(spec))


def _prepared(place: Place) -> str | None:
    """Return how many transactions the claim lets be prepared, if it says so: a recovery must not have fewer."""
    name = "max_prepared_transactions"
    setting, value = pg_settings.known(MAJOR).get(name), pg_settings.parameters(place.ask.spec).get(name)
    told = number(value, setting.unit, whole=True) if setting and value else None
    return plain(told) if told else None


def _source(place: Place) -> str:
    """Return the name of the backups to restore."""
    restore, source = place.ask.spec.restore, place.ask.source
    postgresql.refuse_other_source(place.ask)
    if source:
        return source.backups
    if restore is None or restore.backup_id is None:
        raise Refusal(Reason.RESTORE_SOURCE_NOT_FOUND, "restore: it names neither a claim nor a backup. Name one.")
    return restore.backup_id


def _task(place: Place, words: list[str], when: str) -> processes.TaskSpec:
    program = processes.Program(distribution=DISTRIBUTION, module=MODULE, args=words)
    return processes.TaskSpec.model_validate({"program": program, "process": place.name, "when": when})


def _sql(place: Place, file: str, files: list[processes.ConfigFile]) -> processes.TaskSpec:
    args = [*access.PSQL, *access.AS_SUPERUSER, "-f", f"$(FILES)/{file}"]
    program = processes.Program(distribution=DISTRIBUTION, name="psql", args=args)
    return processes.TaskSpec(program=program, process=place.name, files=files)


def _setup(place: Place) -> str:
    owner, (active, resting) = postgresql.OWNER, postgresql.LOGINS
    name = place.ask.spec.database.name
    lines = [
        *access.QUIET,
        access.READ_PASSWORD,
        *(_unless(f"CREATE ROLE {role} NOLOGIN", "pg_roles", "rolname", role) for role in (owner, active, resting)),
        f"ALTER ROLE {active} LOGIN PASSWORD :'password';",
        f"ALTER ROLE {resting} NOLOGIN PASSWORD NULL;",
        *(
            statement
            for login in (active, resting)
            for statement in (f"GRANT {owner} TO {login};", f"ALTER ROLE {login} SET role TO {owner};")
        ),
        # What a restore was told is for the recovery alone; the claim's own settings hold after it.
        *(["ALTER SYSTEM RESET ALL;"] if place.ask.spec.restore else []),
        # It sees what all sessions do, and ends them, but the superuser's: there are no others than its own, of both
        # of its logins, for the server is this claim's alone.
        f"GRANT pg_read_all_stats, pg_signal_backend TO {owner};",
        _unless(f"CREATE DATABASE {_name(name)} OWNER {owner}", "pg_database", "datname", name),
        *access.database(name),
        "SELECT json_build_object('version', split_part(current_setting('server_version'), ' ', 1));",
        *_inside(place),
    ]
    return "\n".join(lines) + "\n"


def _inside(place: Place) -> list[str]:
    """Return what is done in the database itself, where functions that the application made may have any name."""
    names = postgresql.extensions(place.ask.spec)
    if not names:
        return []
    return [
        f"\\setenv PGOPTIONS '{access.options(role='none', search_path='public')}'",
        f"\\connect \"host='$(RUN)' port=$(PORT_PRIMARY) user={SUPERUSER} dbname={place.ask.spec.database.name}\"",
        *(f"CREATE EXTENSION IF NOT EXISTS {_name(name)} CASCADE;" for name in names),
        *(f"GRANT USAGE ON FOREIGN DATA WRAPPER {name} TO {postgresql.OWNER};" for name in names if name in WRAPPERS),
    ]


def _unless(statement: str, catalog: str, column: str, name: str) -> str:
    """Return SQL that runs *statement* while *catalog* has no *name*: not every object knows IF NOT EXISTS."""
    text = statement.replace("'", "''")
    return f"SELECT '{text}' WHERE NOT EXISTS (SELECT FROM {catalog} WHERE {column} = '{name}') \\gexec"  # noqa: S608  # It is SQL for psql; names are patterns or quoted.


def _name(name: str) -> str:
    return processes.literal('"' + name.replace('"', '""') + '"')


def _plain(value: object) -> Manifest:
    """Return *value*, which was read from an object, as data of our own."""
    return {str(key): entry for key, entry in value.items()} if isinstance(value, dict) else {}
