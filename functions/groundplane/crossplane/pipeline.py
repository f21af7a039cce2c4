"""A Composition's pipeline: each step called until what it requires is settled."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.struct_pb2 import Struct

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.crossplane.errors import BadInputError, ReconcileError
from groundplane.crossplane.function_client import Function
from groundplane.crossplane.lookup import Lookup
from groundplane.crossplane.outcome import Result
from groundplane.crossplane.structs import struct

MOST_ITERATIONS = 5  # Crossplane's own limit, not counting the first call
CAPABILITIES = (
    fnv1.CAPABILITY_CAPABILITIES,
    fnv1.CAPABILITY_REQUIRED_RESOURCES,
    fnv1.CAPABILITY_CREDENTIALS,
    fnv1.CAPABILITY_CONDITIONS,
    fnv1.CAPABILITY_REQUIRED_SCHEMAS,
)

_OURS = re.compile(r"(?:^|-)function-(?P<contract>[a-z]+)\Z")
_SEVERITIES = {fnv1.SEVERITY_FATAL: "Fatal", fnv1.SEVERITY_NORMAL: "Normal"}
Seeds = Mapping[str, fnv1.Requirements]  # what each step required when the claim was reconciled last
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a pipeline wants made: of which step, of which function, and with what."""

    step: str
    function: str
    request: fnv1.RunFunctionRequest


Calls = Generator[Call, fnv1.RunFunctionResponse, T]


@dataclass(frozen=True, slots=True)
class Run:
    """What the pipeline left behind. After a fatal result *desired* means nothing."""

    desired: fnv1.State
    context: Struct | None
    """None when the last step gave none."""
    conditions: tuple[fnv1.Condition, ...]
    results: tuple[Result, ...]
    calls: int
    ttl: float | None = None
    """Seconds after which the functions want to be called again; None when none of them says."""
    required: Mapping[str, fnv1.Requirements] = field(default_factory=dict)
    """What each step required at last."""

    @property
    def fatal(self) -> Result | None:
        """The result that stopped the pipeline, if one did."""
        return next((found for found in self.results if found.severity == "Fatal"), None)


def run(composition: Manifest, observed: fnv1.State, cluster: Lookup, function: Function, contract: str) -> Run:
    """Run every step of *composition*; the first fatal result ends it.

    Args:
        composition: Of mode Pipeline.
        observed: The same for every step.
        cluster: Answers what the steps require.
        function: Called for every step.
        contract: The word after ``function-`` that a step must name; any when empty.

    Raises:
        BadInputError: When a step names a function that is not ours, or wrong requirements.
        ReconcileError: When Crossplane would give up, as with requirements that never settle.
        FunctionError: When a call fails.
    """
    # All of them before any runs: a half-run pipeline tells nothing.
    for step in at(composition, "spec", "pipeline") or []:
        _check_step(composition, step, contract)
    return answered(calls(composition, observed, cluster), lambda call: function(call.request))


def answered(wanted: Calls[T], answer: Callable[[Call], fnv1.RunFunctionResponse]) -> T:
    """Make every call that is wanted, by *answer*, and return what comes of them."""
    try:
        call = next(wanted)
        while True:
            call = wanted.send(answer(call))
    except StopIteration as ended:
        found: T = ended.value
        return found


def calls(composition: Manifest, observed: fnv1.State, cluster: Lookup, seeds: Seeds | None = None) -> Calls[Run]:
    """Yield every call that the pipeline of *composition* takes; the first fatal result ends it.

    Args:
        composition: Of mode Pipeline.
        observed: The same for every step.
        cluster: Answers what the steps require.
        seeds: What the steps required last time, so that they need not ask again.

    Raises:
        BadInputError: When a step has wrong requirements.
        ReconcileError: When Crossplane would give up, as with requirements that never settle.
    """
    so_far = Run(fnv1.State(), Struct(), (), (), 0)
    for step in at(composition, "spec", "pipeline") or []:
        call = Call(step["step"], step["functionRef"]["name"], _request(step, so_far, observed, cluster, seeds or {}))
        response, count = yield from _settled(call, cluster)
        so_far = Run(
            response.desired,
            response.context if response.HasField("context") else None,
            so_far.conditions + tuple(response.conditions),
            so_far.results + _results(step["step"], response),
            so_far.calls + count,
            _sooner(so_far.ttl, response),
            {**so_far.required, step["step"]: response.requirements},
        )
        if so_far.fatal:
            break
    return so_far


def _sooner(ttl: float | None, response: fnv1.RunFunctionResponse) -> float | None:
    wanted = response.meta.ttl.seconds + response.meta.ttl.nanos / 1e9
    if not wanted:
        return ttl
    return wanted if ttl is None else min(ttl, wanted)


def _settled(call: Call, cluster: Lookup) -> Calls[tuple[fnv1.RunFunctionResponse, int]]:
    """Repeat *call* until what it requires stands still; return the last answer and the call count.

    Every call sends all that is required and all that *call* had to start with, never less.

    Raises:
        ReconcileError: When it does not settle, or requires a kind that is not installed.
    """
    start = request = call.request
    previous, asked_before = fnv1.Requirements(), False
    for number in range(1, MOST_ITERATIONS + 2):
        response = yield Call(call.step, call.function, request)
        if any(one.severity == fnv1.SEVERITY_FATAL for one in response.results):
            return response, number
        asked = response.HasField("requirements")
        if asked == asked_before and response.requirements == previous:
            return response, number
        with _words(f'cannot run Composition pipeline step "{call.step}"'):
            following = _resolved(start, response, cluster)
        # Only the first request was not made from what the function asks: it may have held all of it.
        if number == 1 and _same_required(following, request):
            return response, number
        request, previous, asked_before = following, response.requirements, asked
    raise ReconcileError(
        f"the function's requirements did not settle in {MOST_ITERATIONS} iterations: it must ask for the same every"
        " time. This is a bug of the function"
    )


def _resolved(
    start: fnv1.RunFunctionRequest, response: fnv1.RunFunctionResponse, cluster: Lookup
) -> fnv1.RunFunctionRequest:
    following = fnv1.RunFunctionRequest()
    # From the start again, so that desired is not fed back and a dropped requirement is gone.
    following.CopyFrom(start)
    wanted = response.requirements
    for asked, given in (
        (wanted.resources, following.required_resources),
        (wanted.extra_resources, following.extra_resources),
    ):
        for name, selector in asked.items():
            with _words(f"fetching resources for {name}"):
                given[name].CopyFrom(cluster.fetch(selector))
    for name, schema in wanted.schemas.items():
        following.required_schemas[name].CopyFrom(cluster.schema(schema))
    following.ClearField("context")
    if response.HasField("context"):
        following.context.CopyFrom(response.context)
    return following


@contextlib.contextmanager
def _words(doing: str) -> Iterator[None]:
    """Say what was being done when a reconcile ends."""
    try:
        yield
    except ReconcileError as error:
        raise ReconcileError(f"{doing}: {error}") from None


def _same_required(one: fnv1.RunFunctionRequest, other: fnv1.RunFunctionRequest) -> bool:
    return (
        one.required_resources == other.required_resources
        and one.extra_resources == other.extra_resources
        and one.required_schemas == other.required_schemas
    )


def _request(
    step: Manifest, so_far: Run, observed: fnv1.State, cluster: Lookup, seeds: Seeds
) -> fnv1.RunFunctionRequest:
    request = fnv1.RunFunctionRequest(observed=observed, desired=so_far.desired, context=so_far.context)
    if isinstance(step.get("input"), dict):
        request.input.CopyFrom(struct(step["input"]))
    for entry in at(step, "requirements", "requiredResources") or []:
        selector, name = _resource_selector(step, entry), entry["requirementName"]
        with _words(f'cannot fetch bootstrap required resources for requirement "{name}"'):
            request.required_resources[name].CopyFrom(cluster.fetch(selector))
    _seed(request, seeds.get(step["step"], fnv1.Requirements()), cluster)
    for entry in at(step, "requirements", "requiredSchemas") or []:
        wanted = fnv1.SchemaSelector(**_kind_of(step, entry))
        request.required_schemas[entry["requirementName"]].CopyFrom(cluster.schema(wanted))
    for entry in step.get("credentials") or []:
        _add_credentials(request, step, entry, cluster)
    # Maps have no order on the wire, so only the deterministic form can be compared.
    tag = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
    request.meta.CopyFrom(fnv1.RequestMeta(tag=tag, capabilities=CAPABILITIES))
    return request


def _seed(request: fnv1.RunFunctionRequest, seeds: fnv1.Requirements, cluster: Lookup) -> None:
    """Send along what the step required last time; what cannot be had, it will ask for again."""
    for name, selector in seeds.resources.items():
        if name not in request.required_resources and cluster.installed(selector.api_version, selector.kind):
            request.required_resources[name].CopyFrom(cluster.fetch(selector))


def _resource_selector(step: Manifest, entry: Manifest) -> fnv1.ResourceSelector:
    kind = _kind_of(step, entry)
    selector = fnv1.ResourceSelector(api_version=kind["api_version"], kind=kind["kind"])
    if entry.get("namespace"):
        selector.namespace = entry["namespace"]
    if entry.get("name"):
        selector.match_name = entry["name"]
    elif entry.get("matchLabels"):
        selector.match_labels.labels.update(entry["matchLabels"])
    return selector


def _kind_of(step: Manifest, entry: Manifest) -> dict[str, str]:
    if not all(entry.get(field) for field in ("requirementName", "apiVersion", "kind")):
        raise BadInputError(
            f"Composition, step {step['step']!r}: requirements: each needs requirementName, apiVersion and kind"
        )
    return {"api_version": entry["apiVersion"], "kind": entry["kind"]}


def _add_credentials(request: fnv1.RunFunctionRequest, step: Manifest, entry: Manifest, cluster: Lookup) -> None:
    name, reference = entry.get("name"), entry.get("secretRef") or {}
    found = cluster.secret(reference.get("namespace", ""), reference.get("name", ""))
    if not found:
        raise ReconcileError(
            f"step {step['step']!r} needs credentials {name!r} from Secret"
            f" {reference.get('namespace')}/{reference.get('name')}; give it with --required"
        )
    request.credentials[str(name)].credential_data.data.update(found)


def _check_step(composition: Manifest, step: JSON, contract: str) -> None:
    where = f"Composition {composition['metadata']['name']}"
    if not at(step, "step") or not at(step, "functionRef", "name"):
        raise BadInputError(f"{where}: spec.pipeline: each step needs step and functionRef.name")
    name = step["functionRef"]["name"]
    match = _OURS.search(name)
    if match is None or contract not in ("", match["contract"]):
        raise BadInputError(
            f"{where}, step {step['step']!r}: function {name!r} is not known here; only"
            f" function-{contract or '<contract>'} can be run. Take the step out, or use `crossplane composition"
            " render`"
        )


def _results(step: str, response: fnv1.RunFunctionResponse) -> tuple[Result, ...]:
    """Return the results of *response*; Crossplane reads none after a fatal one."""
    told: list[Result] = []
    for found in response.results:
        told.append(Result(step, _SEVERITIES.get(found.severity, "Warning"), found.reason, found.message))
        if found.severity == fnv1.SEVERITY_FATAL:
            break
    return tuple(told)
