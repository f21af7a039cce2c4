"""One reconcile of a claim, as Crossplane does it, with nothing but what it is given."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.struct_pb2 import Struct

from groundplane.core.manifest import GROUP, Manifest, at
from groundplane.crossplane import composed, conditions, pipeline
from groundplane.crossplane import observed as observing
from groundplane.crossplane.function_client import Function, make_runner, serving
from groundplane.crossplane.naming import DEFAULT_NAMESPACE, uid_of
from groundplane.crossplane.outcome import Outcome
from groundplane.crossplane.structs import manifest
from groundplane.render.installed import ENGINE_LABEL
from groundplane.render.offline_cluster import Cluster

FOOTPRINT_KEY = f"{GROUP}/footprint"
Notes = tuple[str, ...]


def reconcile(  # noqa: PLR0913  # the parts of a cluster are what a caller has at hand
    claim: Manifest,
    composition: Manifest,
    observed: Iterable[Manifest] = (),
    required: Iterable[Manifest] = (),
    *,
    absent: Iterable[str] = (),
    contract: str = "",
    function: Function | None = None,
) -> Outcome:
    """Return what Crossplane would do with *claim* through *composition*.

    The outcome's resources, handed back as *observed*, are the next turn, and its ``xr`` the claim.

    Args:
        claim: As the API server would hold it: checked, with defaults.
        composition: Of mode Pipeline and of the claim's kind.
        observed: Objects that exist, of which the claim's own are picked out; without any, those of *required* that
            the claim refers to.
        required: Further objects that a function may ask for.
        absent: Groups and kinds that are not installed, see `Cluster.of`.
        contract: The contract whose function may be named; any when empty.
        function: Runs one request; our own function behind its server when None.

    Raises:
        BadInputError: When *observed* or *composition* are not usable.
        ReconcileError: When Crossplane would stop without having applied anything.
        FunctionError: When the function breaks.
    """
    if function is None:
        with serving(make_runner(datetime.now(UTC))) as own:
            return reconcile(
                claim, composition, observed, required,
                absent=absent, contract=contract, function=own,
            )  # fmt: skip
    xr, others = stored(claim, composition), tuple(required)
    # The reconciler knows its resources by the claim's references only; what is said to be observed has them.
    objects = tuple(observed) or observing.referenced(xr, others)
    found = observing.observe(xr, objects)
    if found.resources:
        xr["spec"]["crossplane"]["resourceRefs"] = composed.references(found.resources)
    cluster = Cluster.of((*objects, *others, composition, xr), absent)
    ran = pipeline.run(composition, found.state(xr, cluster), cluster, function, contract)
    before = _unchanged(xr, composition, ran, found.notes)
    return _stopped(before, ran) if ran.fatal else _applied(before, ran, found, cluster)


def stored(claim: Manifest, composition: Manifest) -> Manifest:
    """Return *claim* as the function is shown it: with uid, label, Composition and a first condition."""
    xr = deepcopy(claim)
    metadata = xr["metadata"]
    metadata["namespace"] = metadata.get("namespace") or DEFAULT_NAMESPACE
    metadata["uid"] = uid_of(xr)
    labels = metadata.get("labels") or {}
    metadata["labels"] = {observing.COMPOSITE_LABEL: metadata["name"], **labels}
    xr["spec"] = xr.get("spec") or {}
    crossplane = xr["spec"].get("crossplane") or {}
    reference = {"name": composition["metadata"]["name"]}
    xr["spec"]["crossplane"] = {**crossplane, "compositionRef": reference}
    xr["status"] = {**(xr.get("status") or {}), "conditions": conditions.begun(xr)}
    return xr


def _stopped(before: Outcome, ran: pipeline.Run) -> Outcome:
    fatal = ran.fatal
    step, message = (fatal.step, fatal.message) if fatal else ("", "")
    after = conditions.after_fatal(before.xr, ran.conditions, step, message)
    status = {**(before.xr.get("status") or {}), "conditions": list(after.values())}
    xr = {**before.xr, "status": status}
    return replace(before, xr=xr, conditions=after, refused=True, fatal=True)


def _applied(before: Outcome, ran: pipeline.Run, found: observing.Observed, cluster: Cluster) -> Outcome:
    desired = ran.desired.resources
    resources, notes = composed.compose(before.xr, ran.desired, found.resources, cluster)
    deleted, leaked, forgotten = composed.removed(found.resources, resources)
    after = conditions.after_success(before.xr, ran.conditions, ran.desired)
    status = at(manifest(ran.desired.composite.resource), "status") or {}
    accepted = conditions.of_function(ran.conditions).get("Accepted", {})
    return replace(
        before,
        xr=_with(before.xr, composed.references(resources), [*after.values()], status),
        conditions=after,
        resources=resources,
        ready=frozenset(name for name in resources if desired[name].ready == fnv1.READY_TRUE),
        deleted=deleted,
        leaked=leaked,
        forgotten=forgotten,
        refused=accepted.get("status") == "False",
        notes=before.notes + notes,
    )


def _with(xr: Manifest, references: list[Manifest], after: list[Manifest], status: Manifest) -> Manifest:
    spec = {**xr["spec"], "crossplane": {**xr["spec"]["crossplane"], "resourceRefs": references}}
    return {**xr, "spec": spec, "status": {**status, "conditions": after}}


def _unchanged(xr: Manifest, composition: Manifest, ran: pipeline.Run, notes: Notes) -> Outcome:
    """Return the outcome of a turn that changed nothing, with what the function said."""
    return Outcome(
        xr=xr,
        composition=composition["metadata"]["name"],
        engine=at(composition, "metadata", "labels", ENGINE_LABEL) or "",
        resources={},
        ready=frozenset(),
        deleted=(),
        leaked=(),
        forgotten=(),
        results=ran.results,
        conditions=conditions.before(xr),
        refused=False,
        fatal=False,
        footprint=at(manifest(ran.context or Struct()), FOOTPRINT_KEY) or {},
        iterations=ran.calls,
        notes=notes,
    )
