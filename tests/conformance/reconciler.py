"""Crossplane's own reconciler: ``crossplane internal render``, one real reconcile with a client that is made up.

It is given what our offline render is given, and calls the same function, by gRPC on loopback.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import grpc
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

import catalogue
import second_engine
from catalogue import Manifest
from conformance.messages import RenderRequest, RenderResponse
from groundplane import contracts, engines
from groundplane.core.manifest import Kind
from groundplane.crossplane import function_client as function
from groundplane.crossplane.structs import manifest
from groundplane.function import server
from groundplane.function.fn import FunctionRunner
from groundplane.render import Function, Outcome
from groundplane.render.offline_cluster import Cluster
from scenarios import NOON, Asked, answer

FATAL: Final = 3  # its exit code when a function refuses fatally; every other failure has another
SECONDS: Final = 60.0


class Moment:
    """When the function is asked, and the password it is handed: what makes two answers the same."""

    now = NOON
    password = ""

    def set(self, asked: Asked) -> None:
        """Stand at the moment of *asked*."""
        self.now, self.password = asked.now, asked.password


class Heard(grpcv1.FunctionRunnerServiceServicer):
    """A function that remembers what it was asked since `since_last` was called."""

    def __init__(self, runner: grpcv1.FunctionRunnerServiceServicer) -> None:
        self.runner = runner
        self._requests: list[fnv1.RunFunctionRequest] = []

    async def RunFunction(  # noqa: N802  # the protocol's name
        self, request: fnv1.RunFunctionRequest, context: Any
    ) -> fnv1.RunFunctionResponse:
        """Answer as the runner does."""
        self._requests.append(request)
        answered: fnv1.RunFunctionResponse = await self.runner.RunFunction(request, context)
        return answered

    def since_last(self) -> list[fnv1.RunFunctionRequest]:
        """Return what it was asked, and forget it."""
        requests, self._requests = self._requests, []
        return requests


@dataclass(frozen=True)
class Ran:
    """What the program said."""

    code: int
    said: str  # on standard error
    output: Any = field(repr=False)  # a CompositeOutput; empty when there was none
    calls: list[fnv1.RunFunctionRequest] = field(repr=False)  # what the function was asked


@dataclass(frozen=True)
class Reconciler:
    """The program, and the function that it calls."""

    program: Path
    function: Heard
    address: str  # of the function
    call: Function  # likewise
    moment: Moment

    def offline(self, asked: Asked) -> tuple[Outcome, list[fnv1.RunFunctionRequest]]:
        """Reconcile once with our offline render, through the same function; return what that was asked as well.

        Raises:
            RenderError: it would not be reconciled.
        """
        self.moment.set(asked)
        self.function.since_last()
        return answer(asked, self.call), self.function.since_last()

    def run(self, asked: Asked) -> Ran:
        """Reconcile once."""
        self.moment.set(asked)
        self.function.since_last()
        request = RenderRequest()
        given = request.composite
        given.composite_resource.update(asked.claim)
        given.composition.update(asked.composition)
        given.composite_resource_definition.update(definition(asked.claim))
        for name in functions(asked.composition):
            given.functions.add(name=name, address=self.address)
        for found in observed(asked):
            given.observed_resources.add().update(found)
        for found in surroundings(asked):
            given.required_resources.add().update(found)
        given.required_schemas.add().update(schemas(asked.absent))
        return self._answer(request.SerializeToString())

    def _answer(self, request: bytes) -> Ran:
        words = [str(self.program), "internal", "render"]
        done = subprocess.run(words, input=request, capture_output=True, timeout=SECONDS, check=False)
        output = RenderResponse.FromString(done.stdout).composite
        return Ran(done.returncode, done.stderr.decode(), output, self.function.since_last())


@contextmanager
def made(program: Path, runner: grpcv1.FunctionRunnerServiceServicer, moment: Moment) -> Iterator[Reconciler]:
    """Serve *runner* in plain text on a port of loopback, and give the reconciler that calls it."""
    heard = Heard(runner)
    with function._quiet(), function._background_loop() as run:
        # The server asks no more of a runner than the protocol does.
        listening, port = run(server.start(cast("FunctionRunner", heard), "127.0.0.1:0"))
        address = f"127.0.0.1:{port}"
        try:
            with grpc.insecure_channel(address) as channel:
                yield Reconciler(program, heard, address, function._caller(channel), moment)
        finally:
            run(server.stop(listening))


def functions(composition: Manifest) -> list[str]:
    """Return the names of the functions that *composition* calls."""
    return [step["functionRef"]["name"] for step in composition["spec"]["pipeline"]]


def definition(claim: Manifest) -> Manifest:
    """Return the XRD of *claim*."""
    found = (catalogue.one(path) for path in sorted((catalogue.ROOT / "apis").glob("*.yaml")))
    return next(one for one in found if one["spec"]["names"]["kind"] == claim["kind"])


def observed(asked: Asked) -> list[Manifest]:
    """Return what is observed in the order of a claim's references: internal render makes them from it as it comes."""
    return sorted(asked.observed, key=lambda one: one["apiVersion"] + one["kind"] + one["metadata"]["name"])


def surroundings(asked: Asked) -> tuple[Manifest, ...]:
    """Return what a function may require, each object once, as our own render takes them."""
    return Cluster.of(asked.required, asked.absent).objects


def schemas(absent: list[str]) -> Manifest:
    """Return an OpenAPI document of every kind that an engine composes or requires, but those that are *absent*."""
    cluster = Cluster.of((), absent)
    installed = [one for one in kinds() if cluster.installed(one.api_version, one.kind)]
    return {
        "openapi": "3.0.0",
        "info": {"title": "what is installed", "version": "1"},
        "paths": {},
        "components": {
            "schemas": {f"{one.kind}.{one.api_version.replace('/', '.')}": _schema(one) for one in installed}
        },
    }


def kinds() -> list[Kind]:
    """Return the kinds of all engines, the made-up one included, each once."""
    known = [engines.load(one, name) for one in contracts.names() for name in engines.names(one)]
    of_engines = (kind for engine in known for kind in (*engine.kinds, *engine.optional_kinds))
    found = {(kind.api_version, kind.kind): kind for kind in (*of_engines, second_engine.SHEET)}
    return [found[key] for key in sorted(found)]


def _schema(kind: Kind) -> Manifest:
    version = kind.api_version.rpartition("/")[2]
    told = {"group": kind.group, "version": version, "kind": kind.kind}
    return {"type": "object", "x-kubernetes-group-version-kind": [told]}


def plain(structs: Any) -> list[Manifest]:
    """Return *structs* as plain data."""
    return [manifest(one) for one in structs]
