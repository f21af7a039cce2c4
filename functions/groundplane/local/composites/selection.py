"""Which Composition serves a composite, and in which of its revisions: chosen once, and remembered in the composite."""

from __future__ import annotations

from typing import Final

from groundplane.core.manifest import Manifest, at
from groundplane.local.composites import revisions
from groundplane.local.composites.writing import Writer
from groundplane.local.plane.builtin import XRD_NAME
from groundplane.render.problem import ReconcileError

COMPOSITIONS: Final = "compositions.apiextensions.crossplane.io"
API_VERSION: Final = "apiextensions.crossplane.io/v1"
KIND: Final = "Composition"
_INCOMPATIBLE = "referenced composition is not compatible with this composite resource"


def definition_of(writer: Writer, xr: Manifest) -> Manifest:
    """Return the CompositeResourceDefinition of *xr*'s kind; an empty one when there is none."""
    group = xr["apiVersion"].rpartition("/")[0]
    for found in writer.api.store.objects(XRD_NAME):
        spec = found["spec"]
        if (spec["group"], spec["names"]["kind"]) == (group, xr["kind"]):
            return found
    return {}


def composition_of(writer: Writer, xr: Manifest) -> str:
    """Return the name of the Composition of *xr*: enforced, as referred to, by default, or by labels.

    Of several that fit, Crossplane takes any; here it is always the first by name.

    Raises:
        ReconcileError: there is none, or the one that is enforced or referred to does not fit.
    """
    definition = definition_of(writer, xr)
    crossplane = at(xr, "spec", "crossplane") or {}
    referred = at(crossplane, "compositionRef", "name")
    if enforced := at(definition, "spec", "enforcedCompositionRef", "name"):
        return _fitting(writer, xr, str(enforced))
    if referred:
        return str(referred)
    labels = at(crossplane, "compositionSelector", "matchLabels")
    default = at(definition, "spec", "defaultCompositionRef", "name")
    if default and not crossplane.get("compositionSelector"):
        return _fitting(writer, xr, str(default))
    for found in writer.api.store.objects(COMPOSITIONS):
        if _serves(found, xr) and has_labels(found, labels or {}):
            return str(found["metadata"]["name"])
    raise ReconcileError("no compatible Compositions found")


def revision_of(writer: Writer, xr: Manifest) -> Manifest:
    """Return the revision that serves *xr*: the one that it holds on to, or the newest of its Composition.

    Raises:
        ReconcileError: there is none.
    """
    crossplane = at(xr, "spec", "crossplane") or {}
    pinned = at(crossplane, "compositionRevisionRef", "name")
    if pinned and crossplane.get("compositionUpdatePolicy") == "Manual":
        return _found(writer, revisions.KIND, str(pinned), "CompositionRevision")
    name = str(at(crossplane, "compositionRef", "name"))
    _found(writer, KIND, name, KIND)
    labels = at(crossplane, "compositionRevisionSelector", "matchLabels") or {}
    known = [one for one in revisions.of(writer.api, name) if has_labels(one, labels)]
    if not known:
        raise ReconcileError("no compatible CompositionRevisions found")
    newest = max(known, key=lambda one: int(one["spec"]["revision"]))
    if not _serves(newest, xr):
        raise ReconcileError(_INCOMPATIBLE)
    return newest


def has_labels(found: Manifest, wanted: Manifest) -> bool:
    """Tell whether *found* carries all of *wanted*."""
    labels = at(found, "metadata", "labels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def _fitting(writer: Writer, xr: Manifest, name: str) -> str:
    if not _serves(_found(writer, KIND, name, KIND), xr):
        raise ReconcileError(_INCOMPATIBLE)
    return name


def _found(writer: Writer, kind: str, name: str, word: str) -> Manifest:
    found = writer.find(API_VERSION, kind, "", name)
    if found is None:
        plural = f"{kind.lower()}s.apiextensions.crossplane.io"
        raise ReconcileError(f'cannot get {word}: {plural} "{name}" not found')
    return found


def _serves(composition: Manifest, xr: Manifest) -> bool:
    reference = at(composition, "spec", "compositeTypeRef") or {}
    return (reference.get("apiVersion"), reference.get("kind")) == (xr["apiVersion"], xr["kind"])
