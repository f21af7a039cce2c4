"""One claim from its file to its outcome: admission, environment, Composition, reconcile."""

from __future__ import annotations

from groundplane.core.manifest import Manifest
from groundplane.crossplane.errors import BadInputError, RenderError
from groundplane.crossplane.function_client import Function
from groundplane.render.admission import Admission, identity
from groundplane.render.environment_policy import admitted, composition_of
from groundplane.render.files import Document
from groundplane.render.inputs import Inputs
from groundplane.render.offline_cluster import environments
from groundplane.render.output import Rendered
from groundplane.render.reconciler import reconcile


def render(
    claim: Document, inputs: Inputs, admission: Admission, function: Function
) -> tuple[Rendered, tuple[str, ...]]:
    """Return what became of *claim*, and notes for the person who asked.

    Raises:
        RenderError: With the claim's file in front, when there is no answer.
    """
    stored = admission.admit(claim, _before(claim, inputs))
    try:
        rendered = _reconciled(claim, stored, inputs, admission, function)
    except RenderError as error:
        raise type(error)(f"{claim.where}: {error}") from None
    outcome = rendered.outcome
    told = [result.message for result in outcome.results if result.severity == "Warning" and not outcome.refused]
    undeclared = admission.undeclared(outcome.xr)
    warnings = [f"the API server would refuse the whole status: {one}" for one in undeclared]
    notes = (*outcome.notes, *told, *warnings)
    return rendered, tuple(f"{claim.where}: note: {note}" for note in notes)


def _reconciled(
    claim: Document, stored: Manifest, inputs: Inputs, admission: Admission, function: Function
) -> Rendered:
    kind = admission.kind_of(claim)
    known = environments(inputs.required)
    bound = admitted(stored, known, inputs.environment, inputs.compositions, kind.contract)
    composition = composition_of(bound, inputs.compositions, kind, use_default=inputs.own_compositions)
    outcome = reconcile(
        bound,
        composition,
        inputs.observed,
        (*inputs.required, *inputs.compositions),
        absent=inputs.absent,
        contract=kind.contract,
        function=function,
    )
    return Rendered(claim.where, bound, outcome)


def _before(claim: Document, inputs: Inputs) -> Document | None:
    """Return the claim before that is this claim's; with one only, it must be."""
    if len(inputs.before) == 1:
        return inputs.before[0]
    mine = [one for one in inputs.before if identity(one.manifest) == identity(claim.manifest)]
    if len(mine) > 1:
        raise BadInputError(f"{mine[1].where}: given twice, see also {mine[0].where}; keep one")
    return mine[0] if mine else None
