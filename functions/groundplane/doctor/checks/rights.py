"""What Crossplane may do. One missing verb for one kind can stall every claim of a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.doctor import usage, wants
from groundplane.doctor.finding import APPLY_COMPANION, Finding, State
from groundplane.engines.interface import all_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from groundplane.doctor.snapshot import Right, Snapshot

CHECK: Final = "rights"
GRANT: Final = f"Grant it: {APPLY_COMPANION}"
MANAGER: Final = "Run Crossplane's RBAC manager, which grants it once the XRD is there."
SHOWN: Final = 6  # kinds named in one finding


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say which verbs Crossplane's user lacks, kinds that lack the same ones together."""
    yield from snapshot.rights_lack.unread(CHECK, snapshot.crossplane.name)
    gaps = [*_composed(snapshot), *_claims(snapshot)]
    yield from gaps
    if snapshot.rights and not gaps and not snapshot.rights_lack.lack:
        text = f"it has all {len(snapshot.rights)} rights that this release needs"
        yield Finding(CHECK, snapshot.crossplane.name, State.OK, text)


def _composed(snapshot: Snapshot) -> Iterator[Finding]:
    needed = _needed(snapshot)
    for verbs, kinds in _gaps(snapshot, wants.composed()).items():
        urgent = [kind for kind in kinds if kind in needed]
        spare = [kind for kind in kinds if kind not in needed]
        if urgent:
            yield Finding(CHECK, _subject(urgent), State.PROBLEM, _text(urgent, verbs), GRANT)
        if spare:
            text = f"{_text(spare, verbs)}; no environment chooses an engine that composes them"
            yield Finding(CHECK, _subject(spare), State.WARNING, text, GRANT)


def _claims(snapshot: Snapshot) -> Iterator[Finding]:
    for contract in wants.every_contract():
        if not snapshot.serves(wants.claim_kind(contract)):
            continue  # granted when its XRD is there
        for verbs, kinds in _gaps(snapshot, wants.of_claims(contract)).items():
            text = f"{_text(kinds, verbs)}: claims get no condition, and nothing says why"
            yield Finding(CHECK, _subject(kinds), State.PROBLEM, text, MANAGER)


def _needed(snapshot: Snapshot) -> set[str]:
    """Return the kinds whose gaps hurt: all but those that only engines without use compose."""
    used = usage.used(snapshot)
    composed: dict[bool, set[str]] = {True: set(), False: set()}
    for contract, engine in wants.every_engine():
        in_use = used is None or (contract.name, engine.name) in used
        composed[in_use] |= {kind.crd for kind in all_kinds(engine)}
    return {right.what for right in wants.rights()} - (composed[False] - composed[True])


def _gaps(snapshot: Snapshot, rights: Iterable[Right]) -> dict[tuple[str, ...], list[str]]:
    """Return the kinds that lack the same verbs, by these verbs."""
    lacking: dict[str, list[str]] = {}
    for right in rights:
        if snapshot.rights.get(right) is False:
            lacking.setdefault(right.what, []).append(right.verb)
    same: dict[tuple[str, ...], list[str]] = {}
    for kind, verbs in sorted(lacking.items()):
        same.setdefault(tuple(verbs), []).append(kind)
    return same


def _subject(kinds: list[str]) -> str:
    return kinds[0] if len(kinds) == 1 else f"{len(kinds)} kinds"


def _text(kinds: list[str], verbs: tuple[str, ...]) -> str:
    more = f" and {len(kinds) - SHOWN} more" if len(kinds) > SHOWN else ""
    named = f" {', '.join(kinds[:SHOWN])}{more}" if len(kinds) > 1 else " it"
    may = "do anything with" if len(verbs) == len(wants.EVERY_VERB) else ", ".join(verbs)
    return f"Crossplane may not {may}{named}"
