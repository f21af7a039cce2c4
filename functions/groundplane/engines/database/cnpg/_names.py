"""What every builder of this engine needs to know: the ask, the slot, and the names that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import Kind

if TYPE_CHECKING:
    from groundplane.contracts.database import DatabaseSpec
    from groundplane.core.slot import Slot
    from groundplane.engines._environment import BackupTarget
    from groundplane.engines.database.cnpg._settings import CnpgKnobs
    from groundplane.engines.interface import Ask

CLUSTER: Final = Kind("postgresql.cnpg.io/v1", "Cluster", "clusters")
DATABASE: Final = Kind("postgresql.cnpg.io/v1", "Database", "databases")
ROLE: Final = Kind("postgresql.cnpg.io/v1", "DatabaseRole", "databaseroles")
SCHEDULED_BACKUP: Final = Kind("postgresql.cnpg.io/v1", "ScheduledBackup", "scheduledbackups")
OBJECT_STORE: Final = Kind("barmancloud.cnpg.io/v1", "ObjectStore", "objectstores")

PLUGIN: Final = "barman-cloud.cloudnative-pg.io"


@dataclass(frozen=True, slots=True)
class Place:
    """One slot, for one ask."""

    ask: Ask[DatabaseSpec, CnpgKnobs]
    slot: Slot
    instances: int
    target: BackupTarget | None
    created: frozenset[str] = frozenset()
    """Extensions that are in the database now."""

    @property
    def name(self) -> str:
        """Name of the Cluster and its companions; at most 49 characters, the operator allows 50."""
        return self.ask.claim.object(self.slot)

    @property
    def server_name(self) -> str:
        """Name of this cluster's archive: never an earlier life's, whose archive must stay whole."""
        return f"{self.name}-{self.ask.claim.life}"

    @property
    def pods(self) -> dict[str, str]:
        """Labels of the cluster's pods."""
        return {"cnpg.io/cluster": self.name}
