"""What the companion set of this build holds: the one place that says what of it must be installed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import GROUP
from groundplane.doctor.wants import POLICIES
from groundplane.generate import companion
from groundplane.generate.companion import roles

if TYPE_CHECKING:
    from groundplane.core.manifest import Manifest

LABEL: Final = f"{GROUP}/companion"  # on every object of the set


@cache
def policies() -> tuple[Manifest, ...]:
    """Return the admission policies and bindings of the set."""
    kinds = {kind.kind for kind in POLICIES}
    found = (manifest for manifests in companion.files().values() for manifest in manifests)
    return tuple(manifest for manifest in found if manifest["kind"] in kinds)


@cache
def of_environments() -> frozenset[str]:
    """Return the names of the policies that tie claims to environments; all others protect data."""
    return frozenset(policy.manifests()[0]["metadata"]["name"] for policy in companion.policies()["environment"])


@cache
def grants() -> Manifest:
    """Return the list of what Crossplane is granted, as the function reads it."""
    return roles.grants(companion.kinds())


@cache
def settings() -> Manifest:
    """Return the names of the users that the policies treat apart."""
    return roles.settings()
