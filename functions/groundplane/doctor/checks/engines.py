"""What each engine needs of the cluster: its kinds, and who serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundplane.doctor import usage, wants
from groundplane.doctor.checks import packages, version
from groundplane.doctor.finding import Finding, State
from groundplane.doctor.snapshot import Listing, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.contracts._base import Contract
    from groundplane.core.manifest import Kind
    from groundplane.core.observation import Observed
    from groundplane.core.operator import Operator
    from groundplane.engines.interface import Engine


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say what is missing of each engine; it is a problem where the engine is in use."""
    used = usage.used(snapshot)
    for contract, engine in wants.every_engine():
        in_use = None if used is None else (contract.name, engine.name) in used
        yield from _engine(snapshot, contract, engine, in_use=in_use)


def _engine(
    snapshot: Snapshot, contract: Contract, engine: Engine[Any, Any], *, in_use: bool | None
) -> Iterator[Finding]:
    subject = f"{contract.name}/{engine.name}"
    bad = State.PROBLEM if in_use else State.WARNING
    absent = [kind for kind in engine.kinds if not kind.builtin and snapshot.serves(kind) is False]
    if absent and in_use is False:
        text = f"{engine.product} is not installed, or not whole, and no environment chooses it"
        yield Finding("engine", subject, State.OK, text)
        return
    untold = [kind for kind in wants.definitions(engine) if snapshot.serves(kind) is None]
    for name in sorted({kind.api_version for kind in untold}):
        text = f"{name} does not say what it has: {snapshot.undiscovered[name]}"
        yield Finding("engine", subject, State.UNKNOWN, text, "Is the API server behind it up?")
    reasons: dict[tuple[str, str], list[str]] = {}
    for kind in absent:
        reasons.setdefault(_absent(snapshot, engine, kind), []).append(kind.crd)
    for (why, remedy), names in reasons.items():
        are = "is" if len(names) == 1 else "are"
        yield Finding("engine", subject, bad, f"{', '.join(names)} {are} not served: {why}", remedy)
    missing = [kind.crd for kind in engine.optional_kinds if not kind.builtin and snapshot.serves(kind) is False]
    if not absent and not untold:
        without = f"; without {', '.join(missing)}, which it uses where they are" if missing else ""
        yield Finding("engine", subject, State.OK, f"all kinds of {engine.product} are served{without}")
    for operator in engine.operators:
        if any(snapshot.serves(kind) for kind in operator.kinds):
            yield _operator(snapshot, operator, subject, bad)


def _absent(snapshot: Snapshot, engine: Engine[Any, Any], kind: Kind) -> tuple[str, str]:
    """Return why *kind* is not served, and what to do."""
    operator = next((one for one in engine.operators if kind in one.kinds), None)
    install = f"Install {operator.name} {operator.version}" if operator else f"Install {engine.product}"
    others = snapshot.other_versions(kind)
    if others:
        return f"the API server has {', '.join(others)} of it, and {kind.api_version} is needed", f"{install}."
    reading = snapshot.read(Listing(wants.MANAGED, name=kind.crd))
    definition = reading.named(kind.crd)
    if definition is None:
        unsure = f" ({reading.lack})" if reading.lack else ""
        return f"no CRD is installed{unsure}", f"{install}, or choose another engine."
    if definition.at("spec", "state") != "Active":
        remedy = "Name it in spec.activate of a ManagedResourceActivationPolicy."
        return "a provider has it, and its ManagedResourceDefinition is Inactive", remedy
    why = definition.condition("Established").message or "its ManagedResourceDefinition is not Established yet"
    return why, f"kubectl describe mrd {kind.crd}"


def _operator(snapshot: Snapshot, operator: Operator, subject: str, bad: State) -> Finding:
    """Return whether *operator*, whose kinds are served, is there and of the release that the engine is written for."""
    check, name = "operator", f"{operator.name} ({subject})"
    if operator.packages:
        return _provider(snapshot, operator, name, bad)
    deployment, lack = _deployment(snapshot, operator)
    if deployment is None:
        told = _of_definition(snapshot, operator)
        if told:
            return _judged(operator, name, told, "its CRD says so")
        text = f"cannot tell: its kinds are served, and {lack or 'no Deployment has its labels'}"
        return Finding(check, name, State.UNKNOWN, text, f"See by hand that {operator.version} runs.")
    where = f"Deployment {deployment.at('metadata', 'namespace')}/{deployment.name}"
    if not deployment.at("status", "readyReplicas"):
        namespace = deployment.at("metadata", "namespace")
        look = f"kubectl -n {namespace} describe deployment {deployment.name}"
        return Finding(check, name, bad, f"{where} has no ready pod", look)
    return _judged(operator, name, version.of_image(deployment), where)


def _provider(snapshot: Snapshot, operator: Operator, name: str, bad: State) -> Finding:
    reading = snapshot.read(Listing(wants.PROVIDER))
    for provider in reading.objects:
        package = str(provider.at("spec", "package") or "")
        if version.repository(package).rpartition("/")[2] in operator.packages:
            told = packages.health(snapshot, wants.PROVIDER, provider, bad)
            if told.state is not State.OK:
                return Finding("operator", name, told.state, told.message, told.remedy)
            return _judged(operator, name, version.of_reference(package), f"Provider {provider.name}")
    text = reading.lack or "its kinds are served, and no Provider has its package"
    return Finding(
        "operator", name, State.UNKNOWN, f"cannot tell: {text}", f"See by hand that {operator.version} runs."
    )


def _judged(operator: Operator, name: str, found: str, where: str) -> Finding:
    fits = version.matches(found, operator.version)
    if fits is None:
        text = f"cannot tell its version: {found or 'its image has no tag'} ({where})"
        return Finding("operator", name, State.UNKNOWN, text, f"See by hand that it is {operator.version}.")
    if not fits:
        text = f"{found} ({where}); the engine is written for {operator.version}"
        return Finding("operator", name, State.WARNING, text, f"Install {operator.version}, or try your claims first.")
    return Finding("operator", name, State.OK, f"{found} ({where})")


def _deployment(snapshot: Snapshot, operator: Operator) -> tuple[Observed | None, str]:
    """Return the Deployment of *operator*, and why it is not known if it cannot be read."""
    lack = ""
    for selector in operator.labels:
        reading = snapshot.read(Listing(wants.DEPLOYMENT, selector))
        lack = lack or reading.lack
        if reading.objects:
            return reading.objects[0], ""
    return None, lack


def _of_definition(snapshot: Snapshot, operator: Operator) -> str:
    name = operator.kinds[0].crd
    found = snapshot.read(Listing(wants.CRD, name=name)).named(name) if operator.annotation else None
    return (found.annotation(operator.annotation) if found else None) or ""
