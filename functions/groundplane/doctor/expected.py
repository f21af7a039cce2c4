"""What the companion set of this build holds: the one place that says which admission policies must be installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from groundplane.core.manifest import GROUP
from groundplane.doctor.wants import POLICIES

if TYPE_CHECKING:
    from groundplane.core.manifest import Manifest

LABEL: Final = f"{GROUP}/companion"  # on every object of the set


def _folder() -> Path:
    """Return where the companion set is: inside the wheel, else in the repository."""
    package = Path(__file__).parent.parent
    inside = package / "_package" / "companion"
    return inside if inside.is_dir() else package.parent.parent / "package" / "companion"


@cache
def policies() -> tuple[Manifest, ...]:
    """Return the admission policies and bindings of the set, of every file in its folder."""
    kinds = {kind.kind for kind in POLICIES}
    found = (one for path in sorted(_folder().glob("*.yaml")) for one in yaml.safe_load_all(path.read_text("utf-8")))
    return tuple(one for one in found if isinstance(one, dict) and one.get("kind") in kinds)
