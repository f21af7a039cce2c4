"""Which Composition serves a composite, and in which of its revisions: chosen once, and remembered in the composite."""

from __future__ import annotations

from typing import Final

from groundplane.core.manifest import Manifest, at
from groundplane.crossplane.composition_selector import Choice, has_labels, named, selected, serves
from groundplane.crossplane.errors import ReconcileError
from groundplane.local.apiserver.kinds.builtin import XRD_NAME
from groundplane.local.xr_controller import revisions
from groundplane.local.xr_controller.writer import Writer

COMPOSITIONS: Final = "compositions.apiextensions.crossplane.io"
API_VERSION: Final = "apiextensions.crossplane.io/v1"
KIND: Final = "Composition"


def definition_of(writer: Writer, xr: Manifest) -> Manifest:
    """Return the CompositeResourceDefinition of *xr*'s kind; an empty one when there is none."""
    group = xr["apiVersion"].rpartition("/")[0]
    for found in writer.api.store.objects(XRD_NAME):
        spec = found["spec"]
        if (spec["group"], spec["names"]["kind"]) == (group, xr["kind"]):
            return found
    return {}


def choice_of(writer: Writer, xr: Manifest) -> Choice:
    """Return which Composition *xr* is to have: enforced, as referred to, by default, or by labels.

    Of several that fit, Crossplane takes any; here it is always the first by name. Whether it exists and fits is seen
    when its revision is looked for.

    Raises:
        ReconcileError: none has the labels.
    """
    definition = definition_of(writer, xr)
    enforced, default = (
        at(definition, "spec", key, "name") for key in ("enforcedCompositionRef", "defaultCompositionRef")
    )
    choice = named(xr, enforced=str(enforced or ""), default=str(default or ""))
    if choice is not None:
        return choice
    for found in selected(xr, writer.api.store.objects(COMPOSITIONS)):
        return Choice(str(found["metadata"]["name"]))
    raise ReconcileError("no compatible Compositions found")


def default_selector_of(writer: Writer, xr: Manifest) -> Manifest:
    """Return which revisions the CompositeResourceDefinition prefers for *xr*; empty when *xr* or nobody says."""
    crossplane = at(xr, "spec", "crossplane") or {}
    if crossplane.get("compositionRevisionSelector") or crossplane.get("compositionRevisionRef"):
        return {}
    return at(definition_of(writer, xr), "spec", "defaultCompositionRevisionSelector") or {}


def revision_of(writer: Writer, xr: Manifest) -> Manifest:
    """Return the revision that serves *xr*: the one that it holds on to, or the newest of its Composition.

    Raises:
        ReconcileError: there is none.
    """
    crossplane = at(xr, "spec", "crossplane") or {}
    pinned = at(crossplane, "compositionRevisionRef", "name")
    if pinned and crossplane.get("compositionUpdatePolicy") == "Manual":
        return _found(writer, revisions.KIND, str(pinned))
    name = str(at(crossplane, "compositionRef", "name"))
    _found(writer, KIND, name)
    automatic = crossplane.get("compositionUpdatePolicy") == "Automatic"
    labels = (at(crossplane, "compositionRevisionSelector", "matchLabels") if automatic else None) or {}
    known = [one for one in revisions.of(writer.api, name) if has_labels(one, labels)]
    if not known:
        raise ReconcileError("no compatible CompositionRevisions found")
    return max(known, key=lambda one: int(one["spec"]["revision"]))


def check(revision: Manifest, xr: Manifest) -> None:
    """Look whether *revision* is for composites of *xr*'s kind.

    Raises:
        ReconcileError: it is not.
    """
    if not serves(revision, xr):
        raise ReconcileError("referenced composition is not compatible with this composite resource")


def _found(writer: Writer, kind: str, name: str) -> Manifest:
    found = writer.find(API_VERSION, kind, "", name)
    if found is None:
        # Crossplane's cache names the kind where an API server names the resource.
        raise ReconcileError(f'cannot get {kind}: {kind}.apiextensions.crossplane.io "{name}" not found')
    return found
