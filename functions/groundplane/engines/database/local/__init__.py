"""XDatabase on one machine: PostgreSQL 17 as a process, with its backups in a folder beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.apis import processes
from groundplane.contracts.database import DatabaseSpec
from groundplane.core.capability import AtLeast, Never, OneOf
from groundplane.core.manifest import SECRET
from groundplane.core.rendered import Desired, Footprint, Rendered
from groundplane.engines.database import _pg_settings as pg_settings
from groundplane.engines.database import _postgresql as postgresql
from groundplane.engines.database.local import _build as build
from groundplane.engines.database.local import _status as status
from groundplane.engines.database.local import _tasks as tasks
from groundplane.engines.database.local._names import DISTRIBUTION, HOST, MAJOR, Place
from groundplane.engines.database.local._server import MANAGED_PARAMETERS, server
from groundplane.engines.database.local._settings import LocalKnobs
from groundplane.engines.interface import Anchor, Ask, Distribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from groundplane.core.binding import Binding
    from groundplane.core.capability import Capability
    from groundplane.core.manifest import Kind, Manifest
    from groundplane.core.observation import Observation
    from groundplane.core.slot import Slot


class LocalPostgres:
    """One server per slot, with its first data, its roles and its backups."""

    name = "local"
    product = "PostgreSQL on this machine"
    provider = "local"
    anchor = Anchor("server", processes.PROCESS)
    archive = None  # every database of a machine has its backups in one folder
    kinds: tuple[Kind, ...] = (processes.PROCESS, processes.TASK, SECRET)
    optional_kinds: tuple[Kind, ...] = ()
    operators = (processes.PROVIDER,)
    distributions = (Distribution(DISTRIBUTION, "PostgreSQL"),)
    knobs = LocalKnobs
    # fmt: off
    capabilities: Mapping[str, Capability] = {
        "version": OneOf.of(MAJOR),
        "deletionPolicy": OneOf.of("Protect", "Delete"),
        "objectives.failureTolerance": OneOf.of("None"),
        "objectives.rpoSeconds": AtLeast(60),
        "restore.from": OneOf.of("Claim", "Backup"),
        "maintenanceWindow": Never("changes are made at once"),
    }
    # fmt: on

    def render(self, ask: Ask[DatabaseSpec, LocalKnobs], slot: Slot, seen: Observation) -> Rendered:
        """Return everything *ask* needs in *slot*.

        Raises:
            Refusal: a parameter that is managed or unfit, an extension that cannot be had or was forgotten, a
                restore source that cannot be, a password that is gone.
        """
        pg_settings.refuse_unfit(ask.spec, self.product, MANAGED_PARAMETERS)
        pg_settings.refuse_no_room(ask.spec)
        pg_settings.refuse_too_few(ask.spec, {"max_wal_senders": 2}, "a base backup needs two.")
        build.refuse_extensions(ask.spec, self.product)
        place = Place(ask, slot)
        ready = status.Readiness(seen, place)
        postgresql.refuse_forgotten(ask.spec, tasks.made(ready.found("setup")))
        secret = postgresql.login_secret(ask, slot, slot.resource("server"), seen)
        resources = _resources(place, secret, ready)
        return Rendered(
            resources={slot.resource(role): desired for role, desired in resources.items()},
            retired=frozenset({slot.resource("backup")} - {slot.resource(role) for role in resources}),
            binding=_binding(place, secret, seen),
            facts=status.read(place, seen),
            given=postgresql.given(ask, "None"),
            footprint=_footprint(place),
        )


def _binding(place: Place, secret: Manifest, seen: Observation) -> Binding | None:
    ready = status.Readiness(seen, place)
    port = ready.port()
    if port is None or not (postgresql.bound_to(place.ask, seen, HOST) or ready.login()):
        return None
    return postgresql.binding(
        place.ask, seen, provider="postgresql", host=HOST, port=port, secret=secret, certificates=ready.authority()
    )


def _resources(place: Place, secret: Manifest, ready: status.Readiness) -> dict[str, Desired]:
    resources = {
        "server": Desired(server(place, secret["metadata"]["name"]), ready.answers(), guarded=True),
        "init": Desired(tasks.init(place, ready.found("init")), ready.done("init")),
        "setup": Desired(tasks.setup(place, secret["metadata"]["name"]), ready.done("setup")),
        "report": Desired(tasks.report(place), ready.found("report") is not None),
        "secret-a": Desired(secret, ready.found("secret-a") is not None, guarded=True),
    }
    if place.ask.effective.backups:
        resources["backup"] = Desired(tasks.backup(place), ready.found("backup") is not None)
    return resources


def _footprint(place: Place) -> Footprint:
    cpu, memory = postgresql.compute(place.ask)
    days = place.ask.effective.retention_days
    kept = f"a base backup a day and the log, kept {days} day{'' if days == 1 else 's'}" if days else ""
    return Footprint(1, f"{cpu} CPU, {memory} memory", place.ask.spec.storage.size, kept)


ENGINE: Final = LocalPostgres()
