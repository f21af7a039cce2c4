"""What this engine reads from an environment."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from groundplane.contracts.environment import Knobs, Section
from groundplane.engines._environment import BackupTarget, Kubernetes, Monitoring


class Cnpg(Section):
    """How CloudNativePG is installed."""

    operator_namespace: str = "cnpg-system"
    """Namespace the operator runs in: it must reach the pods."""
    image_catalog: str | None = None
    """Name of a ClusterImageCatalog to take images from. Default: the project's own images, by major version."""
    image_extensions: list[str] | None = None
    """Extensions that the images of the catalog have beside PostgreSQL's own; others are refused. Default: not told.
    Then one that is missing shows in the claim's condition Settled, and one that needs a library at the server's start
    is refused."""

    @model_validator(mode="after")
    def _images_are_of_a_catalog(self) -> Self:
        if self.image_extensions is not None and self.image_catalog is None:
            msg = "imageExtensions tells of the images of imageCatalog, which is not set"
            raise ValueError(msg)
        return self


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
