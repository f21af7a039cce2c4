"""What is the same for every engine that runs PostgreSQL: roles, login, binding, extensions, parameters.

Objects of the database belong to a role without login. The application logs in with one of two roles that become that
owner, so that rotating a login never changes who owns a table.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from groundplane.contracts.database import SIZES
from groundplane.core.binding import RESOURCE, Binding
from groundplane.core.manifest import SECRET, Manifest, secret_data
from groundplane.core.quantity import parse
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.rendered import Given

if TYPE_CHECKING:
    from collections.abc import Iterable

    from groundplane.contracts.database import DatabaseSpec
    from groundplane.core.observation import Observation
    from groundplane.core.slot import Slot
    from groundplane.engines.interface import Ask, KnobsT

PORT: Final = 5432
OWNER: Final = "app_owner"
LOGINS: Final = ("app_login_a", "app_login_b")
ACTIVE: Final = LOGINS[0]  # the login in use; rotation, once carried out, alternates


def login_secret(ask: Ask[DatabaseSpec, KnobsT], slot: Slot, anchor: str, seen: Observation) -> Manifest:
    """Return the Secret of the active login: its password is made once and read back ever after.

    Raises:
        Refusal: WouldLoseData, when the database is there and its password is nowhere: a new one would lock the
        application out.
    """
    name = ask.claim.object(slot, "login-a")
    password = _known_password(ask, seen, slot.resource("secret-a"))
    if password is None:
        looked = seen.known(slot.resource("secret-a")) and seen.known(RESOURCE)
        if looked and seen.existing(anchor):
            raise Refusal(
                Reason.WOULD_LOSE_DATA,
                f"Secret {name} has no entry password that PostgreSQL takes, which is text in UTF-8, and the database"
                " is there. A new password is never made for a living database. Put the Secret back, with its labels"
                f" and annotations, username {ACTIVE} and the password that the application uses.",
            )
        password = ask.make_password()
    return SECRET.manifest(
        name, type="kubernetes.io/basic-auth", data=secret_data({"username": ACTIVE, "password": password})
    )


def binding(  # noqa: PLR0913  # What differs between engines, by name.
    ask: Ask[DatabaseSpec, KnobsT],
    seen: Observation,
    *,
    provider: str,
    host: str,
    secret: Manifest,
    certificates: str | None,
    port: int = PORT,
) -> Binding | None:
    """Return the binding to *port* of *host*, complete; None while the certificates to trust are not known.

    Certificates once published are kept when they cannot be read for a moment: a binding never comes and goes.
    """
    bound = seen.existing(RESOURCE)
    if certificates is None and bound and bound_to(ask, seen, host):
        certificates = bound.secret("certificates")
    if certificates is None:
        return None
    user = base64.b64decode(secret["data"]["username"]).decode()
    password = base64.b64decode(secret["data"]["password"]).decode()
    database = ask.spec.database.name
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    # No URL for Java: Spring and Quarkus would take it in place of the one that they build from the entries, which has
    # the certificates' path.
    entries = {
        "host": host,
        "port": str(port),
        "database": database,
        "username": user,
        "password": password,
        "uri": f"postgresql://{login}@{host}:{port}/{database}?sslmode=verify-full",
        "sslmode": "verify-full",
        "sslrootcert": "certificates",
        "certificates": certificates,
        "root.crt": certificates,  # where Node's kube-service-bindings looks
    }
    return Binding("postgresql", provider, entries)


def bound_to(ask: Ask[DatabaseSpec, KnobsT], seen: Observation, host: str) -> bool:
    """Whether the claim's binding already points at *host*."""
    bound = seen.existing(RESOURCE)
    return bound is not None and bound.same_life(ask.claim) and bound.secret("host") == host


def compute(ask: Ask[DatabaseSpec, KnobsT]) -> tuple[str, str]:
    """Return the floor of cores and memory that the claim asks for, as quantities."""
    if ask.spec.resources:
        return ask.spec.resources.cpu, ask.spec.resources.memory
    return SIZES[ask.effective.size or "Small"]


def given(ask: Ask[DatabaseSpec, KnobsT], failure_tolerance: str) -> Given:
    """Return what is given by an engine that gives exactly the compute asked."""
    cpu, memory = compute(ask)
    size = None if ask.spec.resources else ask.effective.size
    return Given(cpu, memory, failure_tolerance, size)


def extensions(spec: DatabaseSpec) -> list[str]:
    """Return the names of the extensions asked for, in the claim's order."""
    return [extension.name for extension in spec.database.extensions or ()]


def refuse_forgotten(spec: DatabaseSpec, present: Iterable[str]) -> None:
    """Return if every extension in *present* is still asked for, or given up by name.

    Raises:
        Refusal: UnsafeChange, with the consent to write and the SQL that really removes it.
    """
    retired = set((spec.migration and spec.migration.retired_entries) or ())
    for name in sorted(set(present) - set(extensions(spec))):
        if f"extensions/{name}" not in retired:
            raise Refusal(
                Reason.UNSAFE_CHANGE,
                f"database.extensions: {name} was removed from the list. Put it back, or add extensions/{name} to"
                " spec.migration.retiredEntries: then it is no longer managed. It is never dropped; to drop it"
                " yourself:"
                f' DROP EXTENSION "{name}";',
            )


def refuse_other_source(ask: Ask[DatabaseSpec, KnobsT]) -> None:
    """Return if the claim that is copied has the same database and major: a copy of files can change neither.

    Raises:
        Refusal: RestoreSourceNotFound, with the value to write.
    """
    source, spec = ask.source, ask.spec
    for field, theirs, ours in (
        ("database.name", source and source.database, spec.database.name),
        ("version", source and source.version, spec.version),
    ):
        if theirs and theirs != ours:
            raise Refusal(
                Reason.RESTORE_SOURCE_NOT_FOUND,
                f"restore.claimRef: a copy keeps the {field} of its source, which is {theirs}, not {ours}. Set {field}"
                f" to {theirs}; a version can be raised once the copy serves.",
            )


def refuse_smaller_copy(ask: Ask[DatabaseSpec, KnobsT]) -> None:
    """Return if the claim that is copied fits into the storage asked for: a copy of files is as large as its source.

    Raises:
        Refusal: RestoreSourceNotFound, with the size to write.
    """
    source, asked = ask.source, ask.spec.storage.size
    if source and source.storage and parse(asked) < parse(source.storage):
        raise Refusal(
            Reason.RESTORE_SOURCE_NOT_FOUND,
            f"storage.size: a copy needs at least the storage of its source, which is {source.storage}; {asked} is"
            f" less. Set storage.size to {source.storage}.",
        )


def _known_password(ask: Ask[DatabaseSpec, KnobsT], seen: Observation, resource: str) -> str | None:
    """Return the password that is known, without line breaks at its end; None when there is none.

    Editors, `echo` and files end a line. Who reads the Secret elsewhere, an operator or a program of the server, cuts
    none, one, or all of them; so it holds none.
    """
    login, bound = seen.existing(resource), seen.existing(RESOURCE)
    if login and (password := _line(login.secret("password"))):
        return password
    if login is None and bound and bound.same_life(ask.claim) and bound.secret("username") == ACTIVE:
        return _line(bound.secret("password"))
    return None


def _line(text: str | None) -> str | None:
    """Return *text* without line breaks at its end; None when nothing is left, or PostgreSQL takes no such text."""
    found = (text or "").rstrip("\r\n")
    return found if found and "\0" not in found else None
