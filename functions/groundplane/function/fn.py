"""The gRPC edge: decode, compose, encode. It decides nothing."""

from __future__ import annotations

import secrets
import string
import time
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from crossplane.function import logging, response
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1
from google.protobuf import duration_pb2

from groundplane import contracts
from groundplane.compose.compose import compose
from groundplane.compose.request import Request
from groundplane.core.condition import Status
from groundplane.core.observation import Observation
from groundplane.function import structs
from groundplane.lifecycle import conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import grpc

    from groundplane.core.answer import Answer, Requirements
    from groundplane.core.condition import Type, Verdict

    Context = grpc.aio.ServicerContext[fnv1.RunFunctionRequest, fnv1.RunFunctionResponse]

FOOTPRINT: Final = "groundplane.dev/footprint"
INSTALLED: Final = "groundplane.dev/installed"  # entry of the context, which is handed from call to call
NEEDED: Final = {
    fnv1.CAPABILITY_REQUIRED_RESOURCES: "required resources",
    fnv1.CAPABILITY_CONDITIONS: "conditions",
    fnv1.CAPABILITY_REQUIRED_SCHEMAS: "required schemas",
}
_STATUS: Final = {
    Status.TRUE: fnv1.STATUS_CONDITION_TRUE,
    Status.FALSE: fnv1.STATUS_CONDITION_FALSE,
    Status.UNKNOWN: fnv1.STATUS_CONDITION_UNKNOWN,
}
_LETTERS: Final = string.ascii_letters + string.digits


def make_password() -> str:
    """Return 32 random letters and digits: nothing a URI or a shell could trip over."""
    return "".join(secrets.choice(_LETTERS) for _ in range(32))


class FunctionRunner(grpcv1.FunctionRunnerServiceServicer):
    """Serves RunFunction. Time and randomness come in here and nowhere else."""

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        make_password: Callable[[], str] = make_password,
        ttl: int | None = None,
    ) -> None:
        """Use *clock* and *make_password*; with *ttl*, every answer is asked for again after that many seconds."""
        self.log = logging.get_logger()
        self.clock = clock
        self.make_password = make_password
        self.ttl = ttl

    async def RunFunction(  # noqa: N802  # The name of the gRPC method.
        self,
        request: fnv1.RunFunctionRequest,
        context: Context | None,  # noqa: ARG002  # The signature of the service.
    ) -> fnv1.RunFunctionResponse:
        """Return the whole answer to *request*; on any failure of our own a FATAL result, which changes nothing."""
        began = time.perf_counter()
        log = self.log.bind(**_who(request))
        try:
            answer = self._answer(request)
            message = encode(request, answer, self.ttl)
        except Exception as error:  # noqa: BLE001  # Whatever fails must become FATAL: it alone changes nothing.
            # Frames only: the message of an exception may quote what it tripped over, and that may be a secret.
            frames = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            ]
            log.error(  # noqa: TRY400  # The exception itself must not be logged, see above.
                "failed", error=type(error).__name__, frames=frames
            )
            return _failure(request, error)
        outcome = answer.refusal[0] if answer.refusal else ("ready" if answer.ready else "waiting")
        took = round((time.perf_counter() - began) * 1000, 1)
        log.info("answered", outcome=str(outcome), fatal=answer.fatal, resources=len(answer.resources), ms=took)
        return message

    def _answer(self, request: fnv1.RunFunctionRequest) -> Answer:
        manifest = structs.observed(request.observed.composite.resource)
        missing = [name for capability, name in NEEDED.items() if capability not in request.meta.capabilities]
        if missing:
            msg = f"this Crossplane cannot do {', '.join(missing)}; Groundplane needs 2.2 or newer"
            raise UnsupportedError(msg)
        try:
            contract = contracts.of_kind(str(manifest.at("kind")))
        except LookupError as error:
            msg = f"{error} that this release serves; the Composition belongs to another release"
            raise UnsupportedError(msg) from None
        asked = Request(
            contract=contract,
            engine=str(structs.observed(request.input).at("engine") or ""),
            manifest=manifest,
            seen=observation(request),
            now=self.clock(),
            make_password=self.make_password,
        )
        return compose(asked)


class UnsupportedError(Exception):
    """The reconciler that calls does not fit this release; the message is safe to show."""


def observation(request: fnv1.RunFunctionRequest) -> Observation:
    """Return what *request* tells about the world."""
    claim = structs.observed(request.observed.composite.resource)
    return Observation(
        composed={name: structs.observed(found.resource) for name, found in request.observed.resources.items()},
        required={
            name: [structs.observed(item.resource) for item in found.items]
            for name, found in request.required_resources.items()
        },
        schemas={**_told_before(request), **_told(request)},
        status={field: claim.at("status", field) for field in ("engine", "slot")},  # no more of it is ever read
    )


def _told(request: fnv1.RunFunctionRequest) -> dict[str, bool]:
    return {name: schema.HasField("openapi_v3") for name, schema in request.required_schemas.items()}


def _told_before(request: fnv1.RunFunctionRequest) -> dict[str, bool]:
    """Return what an earlier call of the same reconcile was told, and handed on to this one."""
    if INSTALLED not in request.context.fields:
        return {}
    return {name: bool(told.bool_value) for name, told in request.context.fields[INSTALLED].struct_value.fields.items()}


def encode(request: fnv1.RunFunctionRequest, answer: Answer, ttl: int | None = None) -> fnv1.RunFunctionResponse:
    """Return *answer* as a response to *request*. What other steps desire and the context pass through."""
    message = response.to(request)
    seconds = answer.ttl if ttl is None or answer.ttl == 0 else ttl
    message.meta.ttl.CopyFrom(duration_pb2.Duration(seconds=seconds))
    _require(message.requirements, answer.requirements)
    if answer.requirements.told:
        message.context.fields[INSTALLED].struct_value.update(answer.requirements.told)
    _say(message, answer.conditions)
    if answer.refusal:
        reason, text = answer.refusal
        severity = fnv1.SEVERITY_FATAL if answer.fatal else fnv1.SEVERITY_WARNING
        message.results.add(severity=severity, reason=reason, message=text, target=fnv1.TARGET_COMPOSITE)
    for notice in answer.notices:
        message.results.add(
            severity=fnv1.SEVERITY_WARNING, reason="Notice", message=notice, target=fnv1.TARGET_COMPOSITE
        )
    if answer.fatal:
        return message
    for name, desired in answer.resources.items():
        resource = message.desired.resources[name]
        structs.fill(resource.resource, desired.manifest)
        resource.ready = fnv1.READY_TRUE if desired.ready else fnv1.READY_FALSE
    composite = message.desired.composite
    composite.ready = fnv1.READY_TRUE if answer.ready else fnv1.READY_FALSE
    structs.fill(composite.resource, {"status": answer.status})
    if answer.footprint:
        shown = {field: getattr(answer.footprint, field) for field in answer.footprint.__dataclass_fields__}
        message.context.fields[FOOTPRINT].struct_value.SetInParent()
        structs.fill(message.context.fields[FOOTPRINT].struct_value, shown)
    return message


def _require(into: fnv1.Requirements, wanted: Requirements) -> None:
    for name, requirement in wanted.objects.items():
        selector = into.resources[name]
        selector.api_version = requirement.kind.api_version
        selector.kind = requirement.kind.kind
        if requirement.labels:
            selector.match_labels.labels.update(requirement.labels)
        else:
            selector.match_name = requirement.name
        if requirement.namespace is not None:
            selector.namespace = requirement.namespace
    for kind in wanted.schemas:
        into.schemas[kind.crd].api_version = kind.api_version
        into.schemas[kind.crd].kind = kind.kind


def _failure(request: fnv1.RunFunctionRequest, error: Exception) -> fnv1.RunFunctionResponse:
    """Return a FATAL response that changes nothing and repeats every condition: one not sent would become Unknown."""
    text = (
        str(error)
        if isinstance(error, UnsupportedError)
        else f"the function failed ({type(error).__name__}) and changed nothing; its log says where. Report it."
    )
    message = response.to(request)
    message.meta.ttl.CopyFrom(duration_pb2.Duration(seconds=0))
    _say(message, conditions.last_words(structs.observed(request.observed.composite.resource)))
    response.fatal(message, text)
    return message


def _say(message: fnv1.RunFunctionResponse, verdicts: Mapping[Type, Verdict]) -> None:
    for kind, verdict in verdicts.items():
        message.conditions.add(
            type=kind,
            status=_STATUS[verdict.status],
            reason=verdict.reason,
            message=verdict.message,
            target=fnv1.TARGET_COMPOSITE,
        )


def _who(request: fnv1.RunFunctionRequest) -> dict[str, str]:
    manifest = structs.observed(request.observed.composite.resource)
    return {
        "kind": str(manifest.at("kind")),
        "namespace": str(manifest.at("metadata", "namespace")),
        "name": manifest.name,
        "tag": request.meta.tag[:8],
    }
