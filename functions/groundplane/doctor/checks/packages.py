"""Our packages: Configurations, and the Functions that Compositions call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from groundplane.core.condition import Status
from groundplane.core.manifest import GROUP, JSON, Kind
from groundplane.doctor import wants
from groundplane.doctor.checks.version import of_reference
from groundplane.doctor.finding import Finding, State
from groundplane.doctor.snapshot import Listing, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.core.observation import Observed

LOOK: Final = "See kubectl get pkgrev, and describe what is not healthy."
OURS: Final = "groundplane"
PACKAGE_LABEL: Final = "pkg.crossplane.io/package"  # on a revision: the package it is of

REVISIONS: Final = {
    wants.CONFIGURATION: wants.CONFIGURATION_REVISION,
    wants.FUNCTION: wants.FUNCTION_REVISION,
    wants.PROVIDER: wants.PROVIDER_REVISION,
}


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say what is installed of ours, and whether it is healthy."""
    yield from _configurations(snapshot)
    functions = snapshot.read(Listing(wants.FUNCTION))
    unread = functions.unread("package", "Functions")
    yield from unread
    if not unread:
        for name, callers in sorted(called(snapshot).items()):
            yield _function(snapshot, functions.named(name), name, callers)


def _configurations(snapshot: Snapshot) -> Iterator[Finding]:
    reading = snapshot.read(Listing(wants.CONFIGURATION))
    yield from reading.unread("package", "Configurations")
    ours = [one for one in reading.objects if OURS in one.name or OURS in str(one.at("spec", "package"))]
    for one in ours:
        yield health(snapshot, wants.CONFIGURATION, one)
    if ours or reading.lack:
        return
    if any(_is_ours(one) for one in snapshot.read(Listing(wants.COMPOSITION)).objects):
        text = "none is installed: what there is was applied by hand, and nothing upgrades it"
        yield Finding("package", "Configuration", State.OK, text)
    else:
        text = "none is installed, and no Composition of ours either: no claim can be served"
        yield Finding("package", "Configuration", State.PROBLEM, text, "Install the Configuration package.")


def called(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the names of the Functions that Compositions of ours call, and who calls them."""
    found: dict[str, list[str]] = {}
    for composition in snapshot.read(Listing(wants.COMPOSITION)).objects:
        for step in steps(composition) if _is_ours(composition) else ():
            name = str((step.get("functionRef") or {}).get("name") or "")
            if name:
                found.setdefault(name, []).append(composition.name)
    return found


def steps(composition: Observed) -> list[dict[str, JSON]]:
    """Return the steps of the pipeline of *composition*."""
    pipeline = composition.at("spec", "pipeline")
    return [step for step in pipeline if isinstance(step, dict)] if isinstance(pipeline, list) else []


def _is_ours(composition: Observed) -> bool:
    return str(composition.at("spec", "compositeTypeRef", "apiVersion") or "").partition("/")[0] == GROUP


def _function(snapshot: Snapshot, function: Observed | None, name: str, callers: list[str]) -> Finding:
    if function is not None:
        return health(snapshot, wants.FUNCTION, function)
    subject = f"Function {name}"
    active = _active(snapshot, wants.FUNCTION, name)
    if active is not None:  # Crossplane calls it all the same
        state, text = _judged(active, State.PROBLEM)
        return Finding("package", subject, state, f"there is no such Function, only its revision; {text}", LOOK)
    text = f"it is not installed, and no claim of {', '.join(callers)} is reconciled: every call goes to it"
    remedy = "Install the Function package under that name, or correct functionRef of the Composition."
    return Finding("package", subject, State.PROBLEM, text, remedy)


def health(snapshot: Snapshot, kind: Kind, package: Observed, bad: State = State.PROBLEM) -> Finding:
    """Return whether *package* is installed and healthy; *bad* is how bad it is when it is not.

    Its active revision decides: where the runtime is somebody else's, the package itself never says Healthy.
    """
    subject = f"{kind.kind} {package.name}"
    version = of_reference(str(package.at("spec", "package") or "")) or "version unknown"
    unread = snapshot.read(Listing(REVISIONS[kind])).unread("package", subject)
    if unread:
        return unread[0]
    active = _active(snapshot, kind, package.name)
    if active is None:
        text = f"{version}; it has no active revision. {package.condition('Installed').message}".strip()
        return Finding("package", subject, bad, text, LOOK)
    state, text = _judged(active, bad)
    if state is State.OK and not package.condition("Healthy").holds:
        text = f"{text} (the {kind.kind} says of itself that it is not, as with an external runtime)"
    return Finding("package", subject, state, f"{version}; {text}", "" if state is State.OK else LOOK)


def _judged(revision: Observed, bad: State) -> tuple[State, str]:
    """Return whether *revision* is healthy, and the words for it."""
    healthy, runtime = revision.condition("RevisionHealthy"), revision.condition("RuntimeHealthy")
    told = healthy if not healthy.holds else runtime
    if healthy.holds and runtime.status is not Status.FALSE:
        return State.OK, f"revision {revision.name} is healthy"
    return bad, f"revision {revision.name} is not healthy: {told.message or told.reason}"


def _active(snapshot: Snapshot, kind: Kind, name: str) -> Observed | None:
    """Return the revision of package *name* that is in force."""
    found = (
        revision
        for revision in snapshot.read(Listing(REVISIONS[kind])).objects
        if revision.label(PACKAGE_LABEL) == name and revision.at("spec", "desiredState") == "Active"
    )
    return max(found, key=lambda revision: int(revision.at("spec", "revision") or 0), default=None)
