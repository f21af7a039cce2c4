"""Which Composition serves a composite: the rules, and what is told when the CompositeResourceDefinition decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from groundplane.core.manifest import Manifest, at


@dataclass(frozen=True, slots=True)
class Choice:
    """The name of a Composition, and what is told when it comes from the CompositeResourceDefinition."""

    name: str
    told: str = ""


def named(xr: Manifest, *, enforced: str, default: str) -> Choice | None:
    """Return the Composition that somebody names for *xr*: enforced, by its reference, or by default.

    A selector that is set keeps the default away, also one that asks for no label.

    Args:
        xr: The composite.
        enforced: What its CompositeResourceDefinition enforces, empty for nothing.
        default: What it prefers, empty for nothing.

    Returns:
        None when labels decide.
    """
    crossplane = at(xr, "spec", "crossplane") or {}
    if enforced:
        return Choice(enforced, "Enforced composition has been selected")
    if referred := at(crossplane, "compositionRef", "name"):
        return Choice(str(referred))
    if default and crossplane.get("compositionSelector") is None:
        return Choice(default, "Default composition has been selected")
    return None


def selected(xr: Manifest, compositions: Iterable[Manifest]) -> list[Manifest]:
    """Return those of *compositions* that are for *xr*'s kind and have the labels that it selects."""
    wanted = at(xr, "spec", "crossplane", "compositionSelector", "matchLabels") or {}
    return [one for one in compositions if serves(one, xr) and has_labels(one, wanted)]


def serves(composition: Manifest, xr: Manifest) -> bool:
    """Tell whether *composition*, or a revision of one, is for composites of *xr*'s kind."""
    reference = at(composition, "spec", "compositeTypeRef") or {}
    return (reference.get("apiVersion"), reference.get("kind")) == (xr["apiVersion"], xr["kind"])


def has_labels(found: Manifest, wanted: Mapping[str, str]) -> bool:
    """Tell whether *found* carries all labels that are *wanted*."""
    labels = at(found, "metadata", "labels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())
