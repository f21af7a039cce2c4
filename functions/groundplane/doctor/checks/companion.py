"""The companion set: what lets Crossplane work, and what protects data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane import generate
from groundplane.core.manifest import ENVIRONMENT_CONFIG, GRANTS, at
from groundplane.core.observation import Observed
from groundplane.doctor import expected, wants
from groundplane.doctor.finding import APPLY_COMPANION, Finding, State
from groundplane.doctor.snapshot import Listing, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.core.manifest import Kind, Manifest

CHECK: Final = "companion"
POLICIES: Final = "admission policies"
UNPROTECTED: Final = "claims with deletionPolicy Protect are NOT protected"
APPLY: Final = f"Apply the companion set of this release: {APPLY_COMPANION}"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say what is missing or out of date of the companion set."""
    yield _grants(snapshot)
    blind = {kind: lack for kind in wants.POLICIES if (lack := snapshot.read(Listing(kind)).lack)}
    if blind:
        text = f"whether data are protected is not known: {'; '.join(blind.values())}"
        yield Finding(CHECK, POLICIES, State.UNKNOWN, text, "Run the doctor as a user who may read them.")
    wanted = expected.policies()
    if not wanted and not blind:
        yield _undeclared(snapshot)
    wrong = [finding for one in wanted if _kind(one) not in blind and (finding := _policy(snapshot, one))]
    yield from wrong
    if wanted and not wrong and not blind:
        yield Finding(CHECK, POLICIES, State.OK, f"all {len(wanted)} policies and bindings are installed")


def _grants(snapshot: Snapshot) -> Finding:
    reading = snapshot.read(wants.ENVIRONMENTS)
    subject = f"{ENVIRONMENT_CONFIG.kind} {GRANTS}"
    if reading.lack:
        return reading.unread(CHECK, subject)[0]
    found = reading.named(GRANTS)
    if found is None:
        text = "it does not exist: the companion set is not installed, and every claim is refused"
        return Finding(CHECK, subject, State.PROBLEM, text, APPLY)
    wanted = generate.grants()["data"]
    listed = found.at("data", "kinds")
    granted = set(listed) if isinstance(listed, list) else set()
    missing = [] if "*" in granted else [kind for kind in wanted["kinds"] if kind not in granted]
    if missing:
        text = f"it does not list {', '.join(missing)}: the companion set is older than this release"
        return Finding(CHECK, subject, State.PROBLEM, text, APPLY)
    version = found.at("data", "version")
    if version != wanted["version"]:
        text = f"it is of version {version}, and this release has {wanted['version']}"
        return Finding(CHECK, subject, State.WARNING, text, APPLY)
    kinds = "every kind" if "*" in granted else f"all {len(wanted['kinds'])} kinds"
    return Finding(CHECK, subject, State.OK, f"version {version}, lists {kinds} of this release")


def _undeclared(snapshot: Snapshot) -> Finding:
    """Say what there is when this release does not say which policies there must be."""
    listings = [Listing(kind) for kind in (wants.VALIDATING, wants.MUTATING)]
    found = [one for listing in listings for one in snapshot.read(listing).objects if one.label(expected.LABEL)]
    if found:
        names = ", ".join(one.name for one in found)
        text = f"{names}: installed, and this release does not say which there must be"
        return Finding(CHECK, POLICIES, State.UNKNOWN, text)
    text = f"none has label {expected.LABEL}: {UNPROTECTED}"
    return Finding(CHECK, POLICIES, State.PROBLEM, text, APPLY)


def _kind(manifest: Manifest) -> Kind:
    return next(kind for kind in wants.POLICIES if kind.kind == manifest["kind"])


def _policy(snapshot: Snapshot, wanted: Manifest) -> Finding | None:
    """Return what is wrong with the installed policy or binding that *wanted* is; None when nothing is."""
    kind, name = _kind(wanted), str(wanted["metadata"]["name"])
    found = snapshot.read(Listing(kind)).named(name)
    subject = f"{kind.kind} {name}"
    if found is None:
        return Finding(CHECK, subject, State.PROBLEM, f"it is not installed: {_loss(kind)}", APPLY)
    if kind == wants.VALIDATING_BINDING:
        weaker = _actions(wanted) - _actions(found)
        if weaker:
            text = f"it does not {', '.join(sorted(weaker))}: {_loss(kind)}"
            return Finding(CHECK, subject, State.PROBLEM, text, APPLY)
    if at(wanted, "spec", "failurePolicy") != "Ignore" and found.at("spec", "failurePolicy") == "Ignore":
        text = "its failurePolicy is Ignore: an error in it lets everything pass"
        return Finding(CHECK, subject, State.PROBLEM, text, APPLY)
    warnings = found.at("status", "typeChecking", "expressionWarnings")
    if warnings:
        return Finding(
            CHECK,
            subject,
            State.WARNING,
            "the API server warns of its expressions",
            f"kubectl describe {kind.plural} {name}",
        )
    return None


def _actions(binding: Manifest | Observed) -> set[str]:
    found = Observed.of(binding) if isinstance(binding, dict) else binding
    actions = found.at("spec", "validationActions")
    return {str(action) for action in actions} if isinstance(actions, list) else set()


def _loss(kind: Kind) -> str:
    if kind in {wants.VALIDATING, wants.VALIDATING_BINDING}:
        return UNPROTECTED
    return "claims do not get the engine of their environment"
