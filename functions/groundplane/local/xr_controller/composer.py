"""From a composite and its Composition to objects: observe, ask the functions, collect, refer, apply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.core.manifest import Manifest, at
from groundplane.crossplane import composed, pipeline
from groundplane.crossplane.errors import FunctionError, ReconcileError
from groundplane.crossplane.observed import RESOURCE_NAME, Observed, controller_of
from groundplane.crossplane.pipeline import Call, Run, Seeds
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.xr_controller.fetcher import PlaneLookup, plain
from groundplane.local.xr_controller.writer import INVALID, Writer

PIPELINE_SECONDS: Final = 120.0
Ask = Callable[[Call], Awaitable[fnv1.RunFunctionResponse]]


class InvalidError(ReconcileError):
    """The API calls an object invalid. Its words may differ from time to time, so no condition repeats them."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was applied, by its name in the composite, and the names of those that were refused as invalid."""

    resources: dict[str, Manifest]
    unsynced: dict[str, str]
    """With what the API said."""
    notes: tuple[str, ...]


def observe(xr: Manifest, lookup: PlaneLookup, writer: Writer) -> Observed:
    """Return the objects that *xr* refers to, but those that are gone or controlled by something else.

    Raises:
        ReconcileError: one is of a kind that is not served, or does not say which it is.
    """
    found: dict[str, Manifest] = {}
    for reference in at(xr, "spec", "crossplane", "resourceRefs") or []:
        api_version, kind, name = (reference.get(key, "") for key in ("apiVersion", "kind", "name"))
        try:
            lookup.resource(api_version, kind)
        except ReconcileError as error:
            raise ReconcileError(
                f"cannot get existing composed resources: cannot get composed resource: {error}"
            ) from None
        one = writer.find(api_version, kind, xr["metadata"]["namespace"], name) if name else None
        if one is None:
            continue
        controller = controller_of(one)
        if controller is not None and controller.get("uid") != xr["metadata"]["uid"]:
            continue
        resource_name = at(one, "metadata", "annotations", RESOURCE_NAME)
        if not resource_name:
            raise ReconcileError(
                "cannot get existing composed resources: encountered composed resource without required"
                f' "{RESOURCE_NAME}" annotation'
            )
        found[resource_name] = one
    return Observed({name: found[name] for name in sorted(found)}, ())


async def asked(  # noqa: PLR0913, PLR0917  # What a pipeline is run with.
    xr: Manifest, revision: Manifest, found: Observed, lookup: PlaneLookup, ask: Ask, seeds: Seeds
) -> Run:
    """Run the pipeline of *revision* for *xr*, of which *found* exists.

    Raises:
        ReconcileError: Crossplane would give up.
        FunctionError: a call fails, or all of them take too long.
    """
    seen = Observed({name: plain(one) for name, one in found.resources.items()}, ())
    wanted = pipeline.calls(revision, seen.state(plain(xr), lookup), lookup, seeds)
    deadline = asyncio.get_running_loop().time() + PIPELINE_SECONDS
    try:
        call = next(wanted)
        while True:
            call = wanted.send(await _answer(call, ask, deadline))
    except StopIteration as ended:
        run: Run = ended.value
        return run


async def _answer(call: Call, ask: Ask, deadline: float) -> fnv1.RunFunctionResponse:
    try:
        async with asyncio.timeout_at(deadline):
            return await ask(call)
    except TimeoutError:
        raise FunctionError(
            f'cannot run Composition pipeline step "{call.step}": cannot run function "{call.function}": no answer'
            f" within {PIPELINE_SECONDS:.0f} s"
        ) from None


def apply(xr: Manifest, run: Run, found: Observed, lookup: PlaneLookup, writer: Writer) -> Applied:
    """Make the objects of *xr* those that *run* desires: collect what is not, refer to the rest, then apply it.

    Raises:
        ReconcileError: an object is impossible, or refused by other than its schema. What comes before was done.
    """
    wanted, notes = composed.compose(xr, run.desired, found.resources, lookup)
    for name, one in wanted.items():
        _check_scope(name, one, lookup)
    _collect(found, wanted, writer)
    try:
        writer.references(xr, composed.references(wanted))
    except StatusError as error:
        raise refused("cannot update composed resource references", error) from None
    unsynced: dict[str, str] = {}
    for name, one in wanted.items():
        try:
            writer.compose(xr, one)
        except StatusError as error:
            if error.code != INVALID:
                raise refused(f'cannot apply composed resource "{name}"', error) from None
            unsynced[name] = str(error)
    return Applied(wanted, unsynced, notes)


def _check_scope(name: str, wanted: Manifest, lookup: PlaneLookup) -> None:
    if not lookup.resource(wanted["apiVersion"], wanted["kind"]).namespaced:
        raise ReconcileError(
            f'cannot apply cluster scoped composed resource "{name}" (a {wanted["kind"]} named'
            f" {wanted['metadata']['name']}) for a namespaced composite resource."
        )


def _collect(found: Observed, wanted: dict[str, Manifest], writer: Writer) -> None:
    """Delete what is desired no longer, if the composite controls it: what it cannot prove to be its own, it leaves."""
    for name, one in found.resources.items():
        if name in wanted or controller_of(one) is None:
            continue
        try:
            writer.collect(one)
        except StatusError as error:
            raise refused(
                "cannot garbage collect composed resources that are no longer desired: cannot delete composed resource"
                f' "{name}" (a {one["kind"]} named {one["metadata"]["name"]})',
                error,
            ) from None


def refused(doing: str, error: StatusError) -> ReconcileError:
    """Return the end of a reconcile in which the API refused something."""
    kind = InvalidError if error.code == INVALID else ReconcileError
    return kind(f"{doing}: {error}")
