"""Programs beside Crossplane that serve the kinds an engine composes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundplane.core.manifest import Kind


@dataclass(frozen=True, slots=True)
class Operator:
    """A program beside Crossplane that serves kinds of an engine, and how to recognise it in a cluster.

    An operator is known by a label of its Deployment, a provider by the last part of its package's repository, and one
    that is no workload of the cluster by its CRD alone.
    """

    name: str
    version: str  # the release that the engine was written for, such as 1.30
    kinds: tuple[Kind, ...]
    labels: tuple[str, ...] = ()  # selectors, such as app.kubernetes.io/name=acme; one of them fits
    packages: tuple[str, ...] = ()  # such as provider-acme; one of them is installed
    annotation: str = ""  # of the CRD of its first kind, when that tells the version
