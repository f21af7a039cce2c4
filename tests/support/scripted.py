"""Functions of a pipeline that say what a test wants them to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.json_format import MessageToDict

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.crossplane.pipeline import Call

Answer = Callable[[fnv1.RunFunctionRequest], fnv1.RunFunctionResponse]
Ask = Callable[[Call], Awaitable[fnv1.RunFunctionResponse]]


def data(resource: fnv1.Resource) -> Manifest:
    found: Manifest = MessageToDict(resource.resource)
    return found


def config(**values: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": values}


def respond(desired: Mapping[str, Manifest], *, ready: bool = False, ttl: int = 0, **status: JSON) -> Any:
    """Return a response that desires objects by name, all of the same readiness."""
    response = fnv1.RunFunctionResponse()
    response.meta.ttl.seconds = ttl
    for name, one in desired.items():
        response.desired.resources[name].resource.update(one)
        response.desired.resources[name].ready = fnv1.READY_TRUE if ready else fnv1.READY_UNSPECIFIED
    if status:
        response.desired.composite.resource.update({"status": status})
    return response


def makes_names(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
    """Desire a ConfigMap for each of the claim's names, which is ready once somebody wrote so into it."""
    xr = data(request.observed.composite)
    response: fnv1.RunFunctionResponse = respond(
        {name: config(word=at(xr, "spec", "word") or "") for name in at(xr, "spec", "names") or []},
        said=at(xr, "spec", "word") or "nothing",
    )
    for name, one in response.desired.resources.items():
        if name in request.observed.resources:
            there = at(data(request.observed.resources[name]), "data", "ready")
            one.ready = fnv1.READY_TRUE if there else fnv1.READY_UNSPECIFIED
    return response


@dataclass(slots=True)
class Function:
    """A function of a pipeline that remembers what it was asked."""

    answer: Answer = makes_names
    calls: list[Call] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def __call__(self, call: Call) -> fnv1.RunFunctionResponse:
        """Answer."""
        self.calls.append(call)
        self.times.append(asyncio.get_running_loop().time())
        return self.answer(call.request)

    @property
    def last(self) -> fnv1.RunFunctionRequest:
        """What it was asked last."""
        return self.calls[-1].request


def fatal(response: fnv1.RunFunctionResponse, message: str = "not today") -> fnv1.RunFunctionResponse:
    """Add a fatal result to *response*."""
    response.results.add(severity=fnv1.SEVERITY_FATAL, message=message)
    return response


def conditioned(response: fnv1.RunFunctionResponse, kind: str) -> fnv1.RunFunctionResponse:
    """Add a condition of *kind* to *response*, which is true."""
    response.conditions.add(type=kind, status=fnv1.STATUS_CONDITION_TRUE, reason="Fine")
    return response
