"""The environments: what the function would say of each, before a claim has to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from groundplane import engines
from groundplane.contracts.environment import DEFAULT, Environment, read
from groundplane.core.manifest import ENVIRONMENT_LABEL
from groundplane.core.refusal import Refusal
from groundplane.doctor import usage, wants
from groundplane.doctor.finding import Finding, State
from groundplane.engines.sections import unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from groundplane.contracts._base import Contract
    from groundplane.core.observation import Observed
    from groundplane.doctor.snapshot import Snapshot
    from groundplane.engines.interface import Engine

CHECK: Final = "environment"
SAMPLES: Final = "docs/environments has a sample for each engine."
SHOWN: Final = 3  # namespaces named in one finding


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Say what is wrong in an environment, and which one a namespace names that is not there."""
    reading = snapshot.read(wants.ENVIRONMENTS)
    yield from reading.unread(CHECK, "all")
    yield from snapshot.read(wants.NAMESPACES).unread(CHECK, "namespaces' labels")
    if reading.lack:
        return
    named = usage.named_by_namespaces(snapshot)
    there = usage.environments(snapshot)
    for environment in there:
        found = list(_environment(environment))
        yield from found
        if all(finding.state is State.OK for finding in found):
            yield Finding(CHECK, environment.name, State.OK, _serves(environment, named.get(environment.name, [])))
    names = {environment.name for environment in there}
    for name in sorted(named.keys() - names):
        text = f"it does not exist: claims in {_some(named[name])}, which should be served there, are refused"
        yield Finding(CHECK, name, State.PROBLEM, text, f"Create EnvironmentConfig {name}. {SAMPLES}")
    if not names:
        text = "no EnvironmentConfig names an engine: no claim can be served"
        yield Finding(CHECK, "all", State.WARNING, text, f"Create one. {SAMPLES}")
    elif DEFAULT not in names:
        text = f"there is none: claims in namespaces without label {ENVIRONMENT_LABEL} are refused"
        yield Finding(CHECK, DEFAULT, State.OK, text)


def _environment(environment: Observed) -> Iterator[Finding]:
    name, data = environment.name, environment.at("data")
    try:
        common: Environment = read(Environment, name, data)
    except Refusal as refusal:
        yield _wrong(name, refusal)
        return
    for notice in unread(name, data, _engines(common)):
        text = notice.removeprefix(f"environment {name}: ")
        yield Finding(CHECK, name, State.WARNING, text, "Correct or remove the section.")
    known = {contract.name: contract for contract in wants.every_contract()}
    for unknown in sorted(common.engines.keys() - known.keys()):
        text = f"engines.{unknown} is no contract of this release; there are: {', '.join(known)}"
        yield Finding(CHECK, name, State.PROBLEM, text, "Correct or remove it.")
    for contract in known.values():
        yield from _engine(name, data, contract, common.engines.get(contract.name))


def _engines(common: Environment) -> Iterator[Engine[Any, Any]]:
    for contract, engine in common.engines.items():
        if engine in engines.names(contract):
            yield engines.load(contract, engine)


def _engine(name: str, data: Any, contract: Contract, chosen: str | None) -> Iterator[Finding]:
    if chosen is None:
        text = f"engines.{contract.name} is missing: nobody says what serves a {contract.kind}"
        remedy = f"Set it to one of: {', '.join(engines.names(contract.name))}."
        yield Finding(CHECK, name, State.WARNING, text, remedy)
        return
    try:
        engine = engines.load(contract.name, chosen)
    except LookupError as error:
        text = f"engines.{contract.name}: {error}"
        yield Finding(CHECK, name, State.PROBLEM, text, "Choose one that there is.")
        return
    try:
        read(engine.knobs, name, data)
    except Refusal as refusal:
        yield _wrong(name, refusal)


def _wrong(name: str, refusal: Refusal) -> Finding:
    """Return what the function says of an environment, without the words that are for an application team."""
    said = refusal.message.removeprefix(f"environment {name}: ").partition(" Ask the platform team")[0]
    remedy = f"Correct EnvironmentConfig {name}: until then its claims are refused. {SAMPLES}"
    return Finding(CHECK, name, State.PROBLEM, said.rstrip("."), remedy)


def _serves(environment: Observed, namespaces: list[str]) -> str:
    chosen = environment.at("data", "engines") or {}
    serves = ", ".join(f"{contract} by {engine}" for contract, engine in sorted(chosen.items()))
    if environment.name == DEFAULT:
        return f"{serves}; for namespaces without a label"
    return f"{serves}; {_some(namespaces)}" if namespaces else f"{serves}; no namespace names it"


def _some(namespaces: list[str]) -> str:
    shown = ", ".join(namespaces[:SHOWN])
    more = f" and {len(namespaces) - SHOWN} more" if len(namespaces) > SHOWN else ""
    return f"namespace{'s' if len(namespaces) > 1 else ''} {shown}{more}"
