"""What a reconcile came to, in one form for our offline render and for Crossplane, and where two of them differ."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import yaml
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.json_format import MessageToDict

from catalogue import Manifest
from conformance.reconciler import FATAL, Ran, plain
from groundplane.core.manifest import JSON
from groundplane.crossplane.observed import RESOURCE_NAME
from groundplane.crossplane.structs import manifest
from groundplane.render import Outcome

COMPOSE: Final = "ComposeResources"  # the reason of an event when a result gives none
NOTHING: Final = "(nothing)"  # where one side has no such field
APPLIED, REFUSED, ALWAYS = "applied", "refused", ""


@dataclass(frozen=True)
class Difference:
    """One field in which two reconcilers differ, or of which one has nothing."""

    path: str
    ours: JSON
    theirs: JSON

    def __str__(self) -> str:
        return f"{self.path}: ours {self.ours!r}, Crossplane's {self.theirs!r}"


def only_ours(one: Difference) -> bool:
    """Whether Crossplane's has nothing there."""
    return bool(one.theirs == NOTHING)


def only_theirs(one: Difference) -> bool:
    """Whether ours has nothing there."""
    return bool(one.ours == NOTHING)


def older(one: Difference) -> bool:
    """Whether Crossplane's has nothing there, or a lower number."""
    return only_ours(one) or (isinstance(one.theirs, int) and isinstance(one.ours, int) and one.theirs < one.ours)


def anyhow(_one: Difference) -> bool:
    """Whatever both have."""
    return True


@dataclass(frozen=True)
class Inherent:
    """A difference that stays, and why it does not matter.

    Attributes:
        path: a regular expression for all of the path.
        when: ``applied`` or ``refused``: after which kind of answer; empty after both.
        form: how the two may differ there.
        why: what makes it so.
    """

    path: str
    when: str
    form: Callable[[Difference], bool]
    why: str

    def covers(self, one: Difference, when: str) -> bool:
        """Whether *one* is such a difference."""
        return self.when in (when, ALWAYS) and bool(re.fullmatch(self.path, one.path)) and self.form(one)


# Nothing else may differ. `test_every_difference_that_is_allowed_is_seen` fails when one of them is not needed.
INHERENT: Final = (
    Inherent(
        r"calls\[\d\]\.meta\.tag",
        ALWAYS,
        anyhow,
        "a hash of the call, in which internal render has a version and a time that ours has not",
    ),
    Inherent(
        r"(claim|calls\[\d\]\.observed\.composite\.resource)\.metadata\.resourceVersion",
        ALWAYS,
        only_theirs,
        "internal render writes a made-up version into the claim, because its client wants one",
    ),
    Inherent(
        r"claim\.metadata\.(generation|uid|labels\..+)|claim\.spec\.(?!crossplane\.resourceRefs).+",
        APPLIED,
        only_ours,
        "internal render has no server-side apply: what Crossplane applies, the references, takes the claim's place",
    ),
    Inherent(
        r"conditions\.(Synced|Ready)\.observedGeneration",
        APPLIED,
        older,
        "for the same reason the generation is gone when these two are set; an API server would have sent it back",
    ),
)
# Likewise for the command line, which puts the claim that it was given over what internal render left of it.
BY_COMMAND: Final = (
    Inherent(
        r"claim\.metadata\.(uid|labels\.crossplane\.io/composite)",
        APPLIED,
        only_ours,
        "a file has neither; internal render made both up, and its claim was replaced",
    ),
    INHERENT[-1],
)
# Likewise for answers that our own function never gives.
OF_OTHERS: Final = (
    Inherent(
        r"events\.Warning NamespaceOverridden: .+",
        APPLIED,
        only_theirs,
        "ours is a note of the outcome, for no function said it",
    ),
    Inherent(
        r'events\.Warning ComposeResources: Pipeline step "compose" returned a result of unknown severity .+',
        APPLIED,
        only_theirs,
        "Crossplane puts words of its own before those of the function",
    ),
    Inherent(
        r'events\.Warning ComposeResources: Pipeline step "compose": of no severity',
        APPLIED,
        only_ours,
        "the same result, in the function's words alone",
    ),
)
# The command line does not say these.
UNTOLD: Final = ("code", "deleted", "calls")


def ours(outcome: Outcome, asked: list[fnv1.RunFunctionRequest]) -> Manifest:
    """Return what our offline render came to, and what it *asked* the function."""
    told = [one for one in outcome.results if one.severity != "Fatal"]
    events = [f'{one.severity} {one.reason or COMPOSE}: Pipeline step "{one.step}": {one.message}' for one in told]
    if outcome.fatal:
        events.append(f"Warning {COMPOSE}: {outcome.conditions['Synced']['message']}")
    unready = outcome.resources.keys() - outcome.ready
    events += [f'Normal {COMPOSE}: Composed resource "{name}" is not yet ready' for name in unready]
    return {
        "code": FATAL if outcome.fatal else 0,
        "resources": dict(outcome.resources),
        "deleted": {gone.resource_name: f"{gone.kind}.{gone.api_version}/{gone.name}" for gone in outcome.deleted},
        "events": Counter(events),
        "calls": calls(asked),
        **_claim(outcome.xr),
    }


def theirs(ran: Ran) -> Manifest:
    """Return what Crossplane's reconciler came to."""
    output = ran.output
    return {
        "code": ran.code,
        "resources": named(plain(output.composed_resources)),
        "deleted": deleted(ran),
        "events": Counter(f"{one.type} {one.reason}: {one.message}" for one in output.events),
        "calls": calls(ran.calls),
        **_claim(manifest(output.composite_resource)),
    }


def printed(text: str) -> Manifest:
    """Return what the command line printed of a claim."""
    claim, *rest = [one for one in yaml.safe_load_all(text) if one]
    results = [one for one in rest if one["kind"] == "Result"]
    return {
        "resources": named([one for one in rest if one not in results]),
        "events": Counter(f"{one['severity']} {one['reason']}: {one['message']}" for one in results),
        **_claim(claim),
    }


def calls(asked: list[fnv1.RunFunctionRequest]) -> list[Manifest]:
    """Return what the function was asked, call by call, without times; of a required schema, whether there is one."""
    found = [MessageToDict(one, preserving_proto_field_name=True) for one in asked]
    for one in found:
        for condition in one["observed"]["composite"]["resource"]["status"]["conditions"]:
            condition.pop("lastTransitionTime")
        schemas = one.get("required_schemas", {})
        one["required_schemas"] = {name: bool(schema) for name, schema in schemas.items()}
    return found


def deleted(ran: Ran) -> dict[str, str]:
    """Return what Crossplane would delete, by composed name."""
    found = named(plain(ran.output.deleted_resources))
    return {name: f"{one['kind']}.{one['apiVersion']}/{one['metadata']['name']}" for name, one in found.items()}


def named(objects: list[Manifest]) -> dict[str, Manifest]:
    """Return composed *objects* by their names in the claim."""
    found = {one["metadata"]["annotations"][RESOURCE_NAME]: one for one in objects}
    assert len(found) == len(objects), "two objects have one composed name"
    return found


def _claim(xr: Manifest) -> Manifest:
    """Return the claim and, without their times and their order, its conditions."""
    status = dict(xr.get("status") or {})
    conditions = {one["type"]: dict(one) for one in status.pop("conditions", [])}
    for one in conditions.values():
        assert one.pop("lastTransitionTime"), one
    return {"claim": {**xr, "status": status}, "conditions": conditions}


def differences(one: JSON, other: JSON, path: str = "") -> list[Difference]:
    """Return every leaf in which *one*, ours, and *other*, theirs, differ."""
    mine, others = dict(_leaves(one, path)), dict(_leaves(other, path))
    named = sorted(mine.keys() | others.keys())
    found = [Difference(name, mine.get(name, NOTHING), others.get(name, NOTHING)) for name in named]
    return [difference for difference in found if _differ(difference)]


def _differ(found: Difference) -> bool:
    # 1 and True are equal to Python, and two things to Kubernetes.
    return (type(found.ours), found.ours) != (type(found.theirs), found.theirs)


def _leaves(value: JSON, path: str) -> Iterator[tuple[str, JSON]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def agree(mine: Manifest, others: Manifest, allowed: tuple[Inherent, ...]) -> None:
    """Return if two reconciles came to the same, but for what is *allowed*.

    Raises:
        AssertionError: naming every other difference.
    """
    when = REFUSED if mine.get("code") else APPLIED
    found = differences(mine, others)
    wrong = [str(one) for one in found if not any(inherent.covers(one, when) for inherent in allowed)]
    if wrong:
        raise AssertionError("\n".join([f"{len(wrong)} differences:", *wrong]))


def seen(mine: Manifest, others: Manifest, allowed: tuple[Inherent, ...]) -> set[Inherent]:
    """Return those of *allowed* that are seen here."""
    when = REFUSED if mine.get("code") else APPLIED
    found = differences(mine, others)
    return {inherent for inherent in allowed if any(inherent.covers(one, when) for one in found)}
