"""The companion set: what lets Crossplane work, and what protects data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
UNTIED: Final = "nothing ties claims to the environment of their namespace, and to its engine"
APPLY: Final = f"Apply the companion set of this release: {APPLY_COMPANION}"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say what is missing or out of date of the companion set."""
    yield _grants(snapshot)
    yield from _settings(snapshot)
    blind = {kind: lack for kind in wants.POLICIES if (lack := snapshot.read(Listing(kind)).lack)}
    if blind:
        text = f"whether data are protected is not known: {'; '.join(blind.values())}"
        yield Finding(CHECK, POLICIES, State.UNKNOWN, text, "Run the doctor as a user who may read them.")
    # What is not served is told as a missing feature.
    wanted = [one for one in expected.policies() if _kind(one) not in blind and snapshot.serves(_kind(one))]
    missing = [one for one in wanted if _found(snapshot, one) is None]
    yield from _missing(missing)
    wrong = [finding for one in wanted if one not in missing and (finding := _wrong(snapshot, one))]
    yield from wrong
    if wanted and not missing and not wrong and not blind:
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
    wanted = expected.grants()["data"]
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


def _settings(snapshot: Snapshot) -> Iterator[Finding]:
    """Say so when the policies take somebody else for Crossplane."""
    reading, wanted = snapshot.read(wants.ENVIRONMENTS), expected.settings()
    name = wanted["metadata"]["name"]
    found = reading.named(name)
    if reading.lack:
        return
    if found is None:
        text = "it does not exist: policies that need it refuse everything they are asked about"
        yield Finding(CHECK, f"{ENVIRONMENT_CONFIG.kind} {name}", State.PROBLEM, text, APPLY)
        return
    users = found.at("data", "users", "crossplane")
    named = [str(user) for user in users] if isinstance(users, list) else []
    if snapshot.crossplane.name not in named:
        text = f"its users.crossplane is {', '.join(named) or 'empty'}, and Crossplane is {snapshot.crossplane.name}"
        remedy = "Name Crossplane's user there, in an overlay of the companion set; or --crossplane-user is wrong."
        yield Finding(CHECK, f"{ENVIRONMENT_CONFIG.kind} {name}", State.PROBLEM, text, remedy)


def _kind(manifest: Manifest) -> Kind:
    return next(kind for kind in wants.POLICIES if kind.kind == manifest["kind"])


def _found(snapshot: Snapshot, wanted: Manifest) -> Observed | None:
    return snapshot.read(Listing(_kind(wanted))).named(str(wanted["metadata"]["name"]))


def _missing(manifests: list[Manifest]) -> Iterator[Finding]:
    """Say what is lost without *manifests*, those of one kind and loss together."""
    together: dict[tuple[Kind, str], list[str]] = {}
    for one in manifests:
        name = str(one["metadata"]["name"])
        together.setdefault((_kind(one), _loss(name)), []).append(name)
    for (kind, loss), names in together.items():
        are = "it is not installed" if len(names) == 1 else f"{', '.join(names)} are not installed"
        subject = f"{kind.kind} {names[0]}" if len(names) == 1 else f"{len(names)} {kind.plural}"
        yield Finding(CHECK, subject, State.PROBLEM, f"{are}: {loss}", APPLY)


def _wrong(snapshot: Snapshot, wanted: Manifest) -> Finding | None:
    """Return what is wrong with the installed policy or binding that *wanted* is; None when nothing is."""
    kind, found = _kind(wanted), _found(snapshot, wanted)
    if found is None:
        return None
    subject = f"{kind.kind} {found.name}"
    weaker = _actions(Observed.of(wanted)) - _actions(found)
    if weaker:
        text = f"it does not {', '.join(sorted(weaker))}: {_loss(found.name)}"
        return Finding(CHECK, subject, State.PROBLEM, text, APPLY)
    if found.at("spec", "failurePolicy") == "Ignore" != at(wanted, "spec", "failurePolicy"):
        text = "its failurePolicy is Ignore: an error in it lets everything pass"
        return Finding(CHECK, subject, State.PROBLEM, text, APPLY)
    if found.at("status", "typeChecking", "expressionWarnings"):
        text = "the API server warns of its expressions"
        return Finding(CHECK, subject, State.WARNING, text, f"kubectl describe {kind.plural} {found.name}")
    if found.at("spec") != wanted["spec"]:
        text = "it is not as this release has it: another release's, or changed by hand or by an overlay"
        return Finding(CHECK, subject, State.WARNING, text, APPLY)
    return None


def _actions(binding: Observed) -> set[str]:
    actions = binding.at("spec", "validationActions")
    return {str(action) for action in actions} if isinstance(actions, list) else set()


def _loss(name: str) -> str:
    """Return what is lost without the policy *name*, or its binding, which has the same name."""
    return UNTIED if name in expected.of_environments() else UNPROTECTED
