"""Kubernetes, Crossplane, and what they must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import ENVIRONMENT_CONFIG, Kind
from groundplane.doctor import wants
from groundplane.doctor.checks.version import of_image, older
from groundplane.doctor.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.core.observation import Observed
    from groundplane.doctor.snapshot import Snapshot

OLDEST: Final = "2.2"  # what an older Crossplane cannot, the function refuses
UPGRADE_CROSSPLANE: Final = f"Install Crossplane {OLDEST} or newer."
VERSION_LABEL: Final = "app.kubernetes.io/version"
RBAC_MANAGER: Final = "-rbac-manager"  # how the chart ends the name of its second Deployment


@dataclass(frozen=True, slots=True)
class Feature:
    """Kinds that something of ours rests on, and what is lost without them."""

    subject: str
    kinds: tuple[Kind, ...]
    lacking: State
    loss: str
    remedy: str


FEATURES: Final = (
    Feature(
        "namespaced XRs (XRD v2)",
        (wants.XRD,),
        State.PROBLEM,
        "claims are namespaced XRs, which this Crossplane does not know",
        UPGRADE_CROSSPLANE,
    ),
    Feature(
        "EnvironmentConfig",
        (ENVIRONMENT_CONFIG,),
        State.PROBLEM,
        "environments cannot be written, so that no claim is served",
        UPGRADE_CROSSPLANE,
    ),
    Feature(
        "MRD and MRAP",
        (wants.MANAGED, wants.ACTIVATION),
        State.WARNING,
        "providers install every kind they have, and none can be activated by itself",
        UPGRADE_CROSSPLANE,
    ),
    Feature(
        "ValidatingAdmissionPolicy",
        (wants.VALIDATING, wants.VALIDATING_BINDING),
        State.PROBLEM,
        "nothing can refuse to delete data: claims with deletionPolicy Protect are NOT protected",
        "Upgrade Kubernetes: it serves the kind in v1 since 1.30.",
    ),
    Feature(
        "MutatingAdmissionPolicy",
        (wants.MUTATING, wants.MUTATING_BINDING),
        State.WARNING,
        "nothing can give a claim the engine of its environment: it gets the XRD's default, or what it names itself",
        "Upgrade Kubernetes, which serves the kind in v1 since 1.36; until then apply package/overlays/before-1.36.",
    ),
)


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say which Kubernetes and Crossplane these are, and what they lack."""
    yield Finding("kubernetes", "version", State.OK, snapshot.version)
    yield _crossplane(snapshot)
    yield from _asked_as(snapshot)
    for feature in FEATURES:
        yield _feature(snapshot, feature)


def _crossplane(snapshot: Snapshot) -> Finding:
    if not any(name.partition("/")[0].endswith("crossplane.io") for name in snapshot.served):
        text = "it is not installed: the API server has none of its kinds"
        return Finding("crossplane", "version", State.PROBLEM, text, UPGRADE_CROSSPLANE)
    version, where = _version(snapshot)
    deployment = _core(snapshot)
    if not version:
        return Finding("crossplane", "version", State.UNKNOWN, where, f"See by hand that it is {OLDEST} or newer.")
    if older(version, OLDEST):
        return Finding("crossplane", "version", State.PROBLEM, f"{version} ({where})", UPGRADE_CROSSPLANE)
    if deployment and not deployment.at("status", "readyReplicas"):
        namespace = deployment.at("metadata", "namespace")
        text = f"{version} ({where}); it has no ready pod, so nothing is reconciled"
        remedy = f"kubectl -n {namespace} describe deployment {deployment.name}"
        return Finding("crossplane", "version", State.PROBLEM, text, remedy)
    return Finding("crossplane", "version", State.OK, f"{version} ({where})")


def _version(snapshot: Snapshot) -> tuple[str, str]:
    """Return Crossplane's version and who says so; no version, and why."""
    deployment = _core(snapshot)
    if deployment and (version := of_image(deployment)):
        return version, f"Deployment {deployment.at('metadata', 'namespace')}/{deployment.name}"
    why = "no Deployment has the labels of its chart"
    if deployment:
        why = "the image of its Deployment has no tag"
    why = snapshot.read(wants.CROSSPLANE_PODS).lack or why
    role = snapshot.read(wants.CROSSPLANE_ROLE).named(wants.CROSSPLANE_ROLE.name)
    labelled = role.label(VERSION_LABEL) if role else None
    return (labelled, f"a label of its ClusterRole; {why}") if labelled else ("", why)


def _core(snapshot: Snapshot) -> Observed | None:
    found = (one for one in snapshot.read(wants.CROSSPLANE_PODS).objects if not one.name.endswith(RBAC_MANAGER))
    return next(found, None)


def _asked_as(snapshot: Snapshot) -> Iterator[Finding]:
    """Say so when rights are asked for a user that Crossplane does not run as."""
    deployment = _core(snapshot)
    if deployment is None:
        return
    account = deployment.at("spec", "template", "spec", "serviceAccountName") or "default"
    runs_as = f"system:serviceaccount:{deployment.at('metadata', 'namespace')}:{account}"
    if runs_as != snapshot.crossplane.name:
        text = f"Crossplane runs as {runs_as}, and rights are asked for {snapshot.crossplane.name}"
        yield Finding("crossplane", "user", State.WARNING, text, f"groundplane doctor --crossplane-user {runs_as}")


def _feature(snapshot: Snapshot, feature: Feature) -> Finding:
    versions = ", ".join(dict.fromkeys(kind.api_version for kind in feature.kinds))
    answers = [snapshot.serves(kind) for kind in feature.kinds]
    if all(answers):
        return Finding("feature", feature.subject, State.OK, f"served ({versions})")
    if None in answers and False not in answers:
        why = "; ".join(dict.fromkeys(snapshot.undiscovered.values()))
        return Finding("feature", feature.subject, State.UNKNOWN, f"{versions} does not say what it has: {why}")
    others = sorted({version for kind in feature.kinds for version in snapshot.other_versions(kind)})
    besides = f" (served as {', '.join(others)})" if others else ""
    text = f"{versions} is not served{besides}: {feature.loss}"
    return Finding("feature", feature.subject, feature.lacking, text, feature.remedy)
