"""The XRDs, and a Composition for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from groundplane.core.manifest import GROUP
from groundplane.doctor import wants
from groundplane.doctor.checks import packages
from groundplane.doctor.finding import Finding, State
from groundplane.doctor.snapshot import Listing, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.contracts._base import Contract
    from groundplane.core.observation import Observed
    from groundplane.doctor.snapshot import Reading
    from groundplane.engines.interface import Engine

INSTALL: Final = "Install the Configuration package of this release."


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say whether claims can be written, and which engines are installed to serve them."""
    definitions = snapshot.read(Listing(wants.XRD))
    yield from definitions.unread("xrd", "all")
    if not definitions.lack:
        yield from _definitions(definitions)
    compositions = snapshot.read(Listing(wants.COMPOSITION))
    yield from compositions.unread("composition", "all")
    if not compositions.lack:
        for contract, engine in wants.every_engine():
            yield _composition(compositions, contract, engine)


def _definitions(definitions: Reading) -> Iterator[Finding]:
    wanted = {f"{contract.plural}.{GROUP}" for contract in wants.every_contract()}
    for name in sorted(wanted):
        yield _definition(name, definitions.named(name))
    for found in definitions.objects:
        if found.at("spec", "group") == GROUP and found.name not in wanted:
            text = "this release does not know it: another release installed it"
            remedy = "Use the doctor of the release that is installed."
            yield Finding("xrd", found.name, State.WARNING, text, remedy)


def _definition(name: str, definition: Observed | None) -> Finding:
    if definition is None:
        return Finding("xrd", name, State.PROBLEM, "it is not installed: no such claim can be written", INSTALL)
    if definition.at("metadata", "deletionTimestamp"):
        text = "it is being deleted: claims live on, and are not reconciled any more"
        return Finding("xrd", name, State.PROBLEM, text, "See why with kubectl describe xrd, and install it again.")
    established = definition.condition("Established")
    if established.holds:
        return Finding("xrd", name, State.OK, "Established")
    if established.reason == "NotObserved":
        text = "it has no condition: Crossplane does not handle it, or may not"
        remedy = "Is Crossplane running, and its RBAC manager, which gives it the rights?"
        return Finding("xrd", name, State.PROBLEM, text, remedy)
    text = f"it is not Established: {established.message or established.reason}"
    return Finding("xrd", name, State.PROBLEM, text, f"kubectl describe xrd {name}")


def _composition(compositions: Reading, contract: Contract, engine: Engine[Any, Any]) -> Finding:
    name = contract.composition(engine.name)
    found = compositions.named(name)
    if found is None:
        text = f"it is not installed: no claim can be served by {engine.product}"
        return Finding("composition", name, State.PROBLEM, text, INSTALL)
    reference = found.at("spec", "compositeTypeRef") or {}
    kind = wants.claim_kind(contract)
    if (reference.get("apiVersion"), reference.get("kind")) != (kind.api_version, kind.kind):
        text = f"it serves {reference.get('apiVersion')} {reference.get('kind')}, not {kind.api_version} {kind.kind}"
        return Finding("composition", name, State.PROBLEM, text, f"Delete it. {INSTALL}")
    asked = {(step.get("input") or {}).get("engine") for step in packages.steps(found)} - {None}
    if asked != {engine.name}:
        said = ", ".join(sorted(map(str, asked))) or "no engine"
        return Finding("composition", name, State.PROBLEM, f"its input names {said}, not {engine.name}", INSTALL)
    return Finding("composition", name, State.OK, f"serves {kind.kind} by {engine.product}")
