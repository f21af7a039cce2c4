"""Claims that are not served, each with the reason a person needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status
from groundplane.core.manifest import ENVIRONMENT_LABEL, GROUP
from groundplane.doctor import wants
from groundplane.doctor.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from groundplane.contracts._base import Contract
    from groundplane.core.condition import Verdict
    from groundplane.core.observation import Observed
    from groundplane.doctor.snapshot import Snapshot

CHECK: Final = "claim"
PASSING: Final = frozenset({"Provisioning", "Restoring", "Upgrading", "AwaitingCredentials", "Resolving", "Creating"})
TELLING: Final = ("Accepted", "Serving", "Synced", "Ready")  # the first that does not hold is the reason


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Name every claim that is not accepted, serving, applied or ready, and count the others."""
    for contract in wants.every_contract():
        listing = wants.claims(contract)
        reading = snapshot.read(listing)
        yield from reading.unread(CHECK, contract.kind)
        if not snapshot.serves(listing.kind) or reading.lack:
            continue
        labels = {one.name: one.label(ENVIRONMENT_LABEL) for one in snapshot.read(wants.NAMESPACES).objects}
        found = [finding for claim in reading.objects if (finding := _claim(contract, claim, labels))]
        yield from found
        well = len(reading.items) - len(found)
        if well or not found:
            where = f" in namespace {snapshot.namespace}" if snapshot.namespace else ""
            text = f"{well} of {len(reading.items)}{where} are served" if reading.items else f"there is none{where}"
            yield Finding(CHECK, contract.kind, State.OK, text)


def _claim(contract: Contract, claim: Observed, environments: Mapping[str, str | None]) -> Finding | None:
    namespace = claim.at("metadata", "namespace")
    subject = f"{contract.kind} {namespace}/{claim.name}"
    look = f"kubectl -n {namespace} describe {contract.plural}.{GROUP} {claim.name}"
    if claim.at("metadata", "deletionTimestamp"):
        return Finding(CHECK, subject, State.WARNING, "it is being deleted, and something holds it", look)
    if claim.annotation("crossplane.io/paused") == "true":
        text = "it is paused: nothing of it is reconciled"
        return Finding(CHECK, subject, State.WARNING, text, "Remove annotation crossplane.io/paused when you are done.")
    if not claim.at("status", "conditions"):
        text = "it has no condition: it is new, or Crossplane does not reconcile it"
        return Finding(CHECK, subject, State.WARNING, text, "See xrd, rights and package above.")
    lacking = [(name, verdict) for name in TELLING if not (verdict := claim.condition(name)).holds]
    if not lacking:
        return _backup(claim, subject, look)
    name, verdict = next(((name, verdict) for name, verdict in lacking if verdict.message), lacking[0])
    remedy = _unlabelled(claim, environments.get(str(namespace))) or _remedy(name, verdict, look)
    return Finding(CHECK, subject, _state(lacking), _text(name, verdict), remedy)


def _unlabelled(claim: Observed, environment: str | None) -> str:
    """Return what to do for a claim that does not know the environment of its namespace; empty when it does."""
    begun = claim.at("status", "engine") or claim.at("spec", "crossplane", "resourceRefs")
    if environment is None or claim.label(ENVIRONMENT_LABEL) or begun:
        return ""
    return (
        f"Its namespace is of environment {environment}, and the claim does not know: it was written before that, or"
        " without the companion set. Delete it, it has composed nothing, and write it again."
    )


def _state(lacking: list[tuple[str, Verdict]]) -> State:
    """Return a warning for what passes by itself, and a problem for what does not."""
    lasting = [name for name, verdict in lacking if verdict.reason not in PASSING]
    return State.PROBLEM if {"Accepted", "Serving", "Synced"} & set(lasting) else State.WARNING


def _text(name: str, verdict: Verdict) -> str:
    message = f": {verdict.message}" if verdict.message else ""
    return f"{name} {verdict.status} {verdict.reason}{message}"


def _remedy(name: str, verdict: Verdict, look: str) -> str:
    if name == "Accepted" and verdict.status is Status.FALSE:
        return ""  # a refusal says itself what to do
    return "Wait." if verdict.reason in PASSING else look


def _backup(claim: Observed, subject: str, look: str) -> Finding | None:
    backup = claim.condition("BackupCurrent")
    if backup.status is not Status.FALSE:
        return None
    return Finding(CHECK, subject, State.WARNING, _text("it serves, and BackupCurrent", backup), look)
