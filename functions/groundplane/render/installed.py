"""The files of our own package: the XRDs and the Compositions a cluster would have installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from groundplane.core.manifest import GROUP, Manifest, at
from groundplane.render.files import Document, of_file

CONTRACT_LABEL = f"{GROUP}/contract"
ENGINE_LABEL = f"{GROUP}/engine"


def _folder() -> Path:
    """Return where ``apis`` and ``compositions`` are: inside the wheel, else in the repository."""
    package = Path(__file__).parent.parent
    inside = package / "_package"
    return inside if inside.is_dir() else package.parent.parent


def _documents(folder: str) -> tuple[Document, ...]:
    names = sorted((_folder() / folder).glob("**/*.yaml"))
    return tuple(document for name in names for document in of_file(name))


@cache
def apis() -> tuple[Manifest, ...]:
    """Return the XRDs of the package."""
    return tuple(
        document.manifest
        for document in _documents("apis")
        if document.manifest["kind"] == "CompositeResourceDefinition"
    )


@cache
def compositions() -> tuple[Document, ...]:
    """Return the Compositions of the package."""
    return tuple(document for document in _documents("compositions") if document.manifest["kind"] == "Composition")


@dataclass(frozen=True, slots=True)
class ClaimKind:
    """What an XRD says about the claims of its kind."""

    api_version: str
    kind: str
    contract: str
    default_composition: str
    enforced_composition: str


def claim_kinds(definitions: tuple[Manifest, ...]) -> tuple[ClaimKind, ...]:
    """Return a `ClaimKind` for every served version of *definitions*."""
    return tuple(
        ClaimKind(
            api_version=f"{definition['spec']['group']}/{version['name']}",
            kind=definition["spec"]["names"]["kind"],
            contract=at(definition, "metadata", "labels", CONTRACT_LABEL) or "",
            default_composition=at(definition, "spec", "defaultCompositionRef", "name") or "",
            enforced_composition=at(definition, "spec", "enforcedCompositionRef", "name") or "",
        )
        for definition in definitions
        for version in definition["spec"]["versions"]
        if version.get("served")
    )
