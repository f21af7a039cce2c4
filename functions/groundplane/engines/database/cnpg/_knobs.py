"""What this engine reads from an environment."""

from __future__ import annotations

from groundplane.contracts.environment import Knobs, Section
from groundplane.engines._environment import BackupTarget, Kubernetes, Monitoring


class Cnpg(Section):
    """How CloudNativePG is installed."""

    operator_namespace: str = "cnpg-system"
    """Namespace the operator runs in: it must reach the pods."""
    image_catalog: str | None = None
    """Name of a ClusterImageCatalog to take images from. Default: the project's own images, by major version."""


class CnpgKnobs(Knobs):
    """What this engine reads from an environment."""

    kubernetes: Kubernetes = Kubernetes()
    """Where data are kept."""
    backup: BackupTarget | None = None
    """The object store that backups go to. Without it no claim with backups is served."""
    monitoring: Monitoring | None = None
    """Prometheus Operator, where the platform runs it. Without it nothing is monitored."""
    cnpg: Cnpg = Cnpg()
    """How the operator is installed."""
