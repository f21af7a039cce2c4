"""A claim whose service runs and has nothing left to do, as the function is asked about it again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from benchmark.stored import kept
from groundplane import contracts
from groundplane.contracts.environment import DEFAULT
from groundplane.core.binding import RESOURCE as BINDING
from groundplane.core.condition import Type
from groundplane.core.manifest import Manifest, at
from groundplane.function.fn import FunctionRunner
from groundplane.render import Outcome, files, installed, reconcile
from groundplane.render.admission import Admission
from groundplane.render.environment_policy import admitted, composition_of
from groundplane.render.offline_cluster import environments
from standins.served import played, secrets_made_for

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_TURNS = 8
FEWEST_RESOURCES = 7
MUST_HOLD = (Type.ACCEPTED, Type.SERVING, Type.SETTLED, Type.BACKUP_CURRENT)


class UnsettledError(Exception):
    """The example never became a whole, settled service: measuring it would measure something else."""


@dataclass(frozen=True, slots=True)
class Case:
    """One engine's settled claim, as bytes on the wire."""

    name: str
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)
    resources: int


def engines() -> Iterator[tuple[str, str, Path]]:
    """Yield contract, engine and example of every engine that has one: examples/<contract>/<engine>.yaml."""
    for contract in contracts.names():
        for path in sorted((ROOT / "examples" / contract).glob("*.yaml")):
            yield contract, path.stem, path


def settled(contract: str, engine: str, example: Path) -> Case:
    """Return the settled state of *example*, which *engine* serves.

    Raises:
        UnsettledError: the example does not become a whole service; the text says what is missing.
    """
    last = _Recorder()
    _settle(contract, engine, example, last)
    response = last(last.request)
    check(engine, response)
    count = len(response.desired.resources)
    return Case(engine, last.request.SerializeToString(), response.SerializeToString(), count)


def check(engine: str, response: fnv1.RunFunctionResponse) -> None:
    """Return if *response* is a whole and settled answer.

    Raises:
        UnsettledError: it is not; the text says what is missing.
    """
    desired = response.desired.resources
    said = {one.type: one for one in response.conditions}
    wrong = [f"{kind} is not said" for kind in MUST_HOLD if kind not in said]
    wrong += [
        f"{kind} is {said[kind].reason}: {said[kind].message}"
        for kind in MUST_HOLD
        if kind in said and said[kind].status != fnv1.STATUS_CONDITION_TRUE
    ]
    if len(desired) < FEWEST_RESOURCES:
        wrong.append(f"there are {len(desired)} resources, expected at least {FEWEST_RESOURCES}")
    if BINDING not in desired:
        wrong.append("there is no binding")
    wrong += [f"{name} is not ready" for name, one in desired.items() if one.ready != fnv1.READY_TRUE]
    wrong += [one.message for one in response.results]
    if wrong:
        raise UnsettledError(f"{engine}: the example does not settle: {'; '.join(wrong)}")


class _Recorder:
    """Calls the real function in this process and keeps its last request and response."""

    def __init__(self) -> None:
        self.runner = FunctionRunner()
        self.request = fnv1.RunFunctionRequest()
        self.response = fnv1.RunFunctionResponse()

    def __call__(self, request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        self.request = request
        self.response = asyncio.run(self.runner.RunFunction(request, None))
        return self.response


def _settle(contract: str, engine: str, example: Path, function: _Recorder) -> None:
    """Reconcile in turns with the operators, until the function says the same as the turn before."""
    claim, composition, around = _surroundings(contract, engine, example)
    observed: list[Manifest] = []
    before = None
    for _ in range(MOST_TURNS):
        required = [*around, *(kept(one, operator="") for one in secrets_made_for(observed))]
        outcome = reconcile(claim, composition, observed, required, contract=contract, function=function)
        if outcome.resources == before:
            return
        claim, before = _next(outcome), outcome.resources
        observed = [kept(played(one)) for one in before.values()]
    raise UnsettledError(f"{engine}: the example still changes after {MOST_TURNS} turns")


def _next(outcome: Outcome) -> Manifest:
    return kept(outcome.xr, manager="kubectl", operator="apiextensions.crossplane.io/composite")


def _surroundings(contract: str, engine: str, example: Path) -> tuple[Manifest, Manifest, list[Manifest]]:
    """Return the claim as stored, its Composition, and the environment and grants of a real installation."""
    document = files.of_file(example)[0]
    compositions = [one.manifest for one in installed.compositions()]
    folders = (ROOT / "examples" / "environments", ROOT / "package" / "companion")
    around = [kept(one) for one in _objects(*folders) if one["kind"] == "EnvironmentConfig"]
    known = environments(around)
    serving = [name for name, one in known.items() if at(one, "data", "engines", contract) == engine]
    name = next((name for name in serving if name != DEFAULT), None)
    if name is None:
        raise UnsettledError(f"{engine}: no file in examples/environments says engines.{contract}: {engine}")
    admission = Admission(installed.apis())
    bound = admitted(admission.admit(document), known, name, compositions, contract)
    composition = composition_of(bound, compositions, admission.kind_of(document), use_default=True)
    return kept(bound, manager="kubectl"), composition, around


def _objects(*folders: Path) -> Iterator[Manifest]:
    for folder in folders:
        yield from (one.manifest for one in files.of_file_or_folder(folder))
