"""Versions, as images and packages tell them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from groundplane.core.observation import Observed

_NUMBERS: Final = re.compile(r"v?([0-9]+)\.([0-9]+)(?=$|[.+-])")


def of_reference(reference: str) -> str:
    """Return the tag of an image or a package; empty when it has none, or only a digest."""
    name = reference.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def repository(reference: str) -> str:
    """Return an image's or a package's repository, without registry tag and digest, as it is written."""
    head, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def of_image(deployment: Observed) -> str:
    """Return the version of *deployment*: its first image's tag, else what its label says, else nothing."""
    containers = deployment.at("spec", "template", "spec", "containers")
    first = containers[0] if isinstance(containers, list) and containers else {}
    return of_reference(str(first.get("image") or "")) or deployment.label("app.kubernetes.io/version") or ""


def matches(found: str, wanted: str) -> bool | None:
    """Whether *found*, such as v1.30.2, is of the minor *wanted*, such as 1.30; None when *found* is no version."""
    numbers = _NUMBERS.match(found)
    return f"{numbers[1]}.{numbers[2]}" == wanted if numbers else None


def older(found: str, wanted: str) -> bool:
    """Whether *found*, such as v2.1.3, is older than the minor *wanted*, such as 2.2; not so when it is no version."""
    has, least = _NUMBERS.match(found), _NUMBERS.match(wanted)
    if has is None or least is None:
        return False
    return (int(has[1]), int(has[2])) < (int(least[1]), int(least[2]))
