"""What came of one reconcile, the same whether the pure core was asked or the edge."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import json_format

from groundplane.core.answer import Answer
from groundplane.core.condition import Verdict
from groundplane.function.fn import INSTALLED
from made_up import Key, Manifest

_STATUS = {
    fnv1.STATUS_CONDITION_TRUE: "True",
    fnv1.STATUS_CONDITION_FALSE: "False",
    fnv1.STATUS_CONDITION_UNKNOWN: "Unknown",
}


@dataclass(frozen=True)
class Asked:
    """Requirements, in a form that both ways in share."""

    objects: Mapping[str, tuple[Key, tuple[tuple[str, str], ...]]]
    schemas: frozenset[str]
    told: frozenset[tuple[str, bool]] = frozenset()  # handed from call to call, whether a kind is installed


@dataclass(frozen=True)
class Outcome:
    """What came of one reconcile, the same whichever way it was asked."""

    resources: dict[str, Manifest]
    ready: bool
    resources_ready: dict[str, bool]
    fatal: bool
    reason: str
    message: str
    conditions: dict[str, tuple[str, str, str]]  # status, reason, message
    status: Manifest
    ttl: int
    asked: Asked
    notices: tuple[str, ...] = ()
    calls: int = 1

    def says(self, kind: str) -> str:
        """Return condition *kind* as ``status/reason``."""
        status, reason, _ = self.conditions[kind]
        return f"{status}/{reason}"


def read_answer(answer: Answer) -> Outcome:
    """Return *answer* of the pure core as an outcome."""
    objects = {
        name: (
            (f"{one.kind.kind}.{one.kind.group}", one.name),
            tuple(sorted(one.labels.items())),
        )
        for name, one in answer.requirements.objects.items()
    }
    reason, message = answer.refusal or ("", "")
    return Outcome(
        resources={name: deepcopy(one.manifest) for name, one in answer.resources.items()},
        resources_ready={name: one.ready for name, one in answer.resources.items()},
        ready=answer.ready,
        fatal=answer.fatal,
        reason=str(reason),
        message=message,
        conditions={str(kind): _words(verdict) for kind, verdict in answer.conditions.items()},
        status={} if answer.fatal else deepcopy(answer.status),  # a FATAL answer is not written
        ttl=answer.ttl,
        asked=Asked(
            objects,
            frozenset(kind.crd for kind in answer.requirements.schemas),
            frozenset(answer.requirements.told.items()),
        ),
        notices=answer.notices,
    )


def read(message: fnv1.RunFunctionResponse) -> Outcome:
    """Return *message* as an outcome."""
    fatal = [one for one in message.results if one.severity == fnv1.SEVERITY_FATAL]
    said = [*fatal, *(one for one in message.results if one.reason != "Notice")]
    composite = message.desired.composite
    return Outcome(
        resources={name: plain(one.resource) for name, one in message.desired.resources.items()},
        resources_ready={name: one.ready == fnv1.READY_TRUE for name, one in message.desired.resources.items()},
        ready=composite.ready == fnv1.READY_TRUE,
        fatal=bool(fatal),
        reason=said[0].reason if said else "",
        message=said[0].message if said else "",
        conditions={one.type: (_STATUS[one.status], one.reason, one.message) for one in message.conditions},
        status=plain(composite.resource).get("status", {}),
        ttl=message.meta.ttl.seconds,
        asked=_asked(message),
        notices=tuple(one.message for one in message.results if one.reason == "Notice"),
    )


def _words(verdict: Verdict) -> tuple[str, str, str]:
    return str(verdict.status), verdict.reason, verdict.message


def plain(message: Any) -> Manifest:
    """Return a protobuf *message* as plain data, whole numbers as integers."""
    found: Manifest = _whole(json_format.MessageToDict(message))
    return found


def _asked(message: fnv1.RunFunctionResponse) -> Asked:
    requirements = message.requirements
    objects = {
        name: (
            (f"{one.kind}.{one.api_version.rpartition('/')[0]}", one.match_name),
            tuple(sorted(one.match_labels.labels.items())),
        )
        for name, one in requirements.resources.items()
    }
    told = message.context.fields[INSTALLED].struct_value.fields.items() if INSTALLED in message.context.fields else ()
    return Asked(objects, frozenset(requirements.schemas), frozenset((name, kind.bool_value) for name, kind in told))


def _whole(value: Any) -> Any:
    """Return *value* with whole numbers as integers, as an API server reads them."""
    if isinstance(value, dict):
        return {key: _whole(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
