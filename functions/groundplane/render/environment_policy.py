"""Which Composition a claim is bound to: what its environment's policy and Crossplane decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from groundplane.core.manifest import ENVIRONMENT_LABEL, Manifest, at
from groundplane.crossplane import composition_selector
from groundplane.crossplane.errors import BadInputError
from groundplane.render.installed import ENGINE_LABEL, ClaimKind


def admitted(
    claim: Manifest,
    environments: Mapping[str, Manifest],
    chosen: str,
    compositions: Sequence[Manifest],
    contract: str,
) -> Manifest:
    """Return *claim* as the environment's policy leaves it when the claim is created.

    It gets the environment's label, and its Composition where the claim chose none itself.

    Args:
        claim: Of the right shape.
        environments: All that are known, by name.
        chosen: The environment asked for; empty means the one of the claim's label, if any.
        compositions: All that are installed.
        contract: Which of the environment's ``engines`` is meant.

    Raises:
        BadInputError: When the environment is not known, is not the claim's, or names no engine
            that has a Composition.
    """
    labelled = at(claim, "metadata", "labels", ENVIRONMENT_LABEL) or ""
    if chosen and labelled not in ("", chosen):
        raise BadInputError(
            f"metadata.labels: the claim belongs to environment {labelled!r} and cannot be rendered for {chosen!r};"
            f" take the label {ENVIRONMENT_LABEL} out, or use --environment {labelled}"
        )
    name = chosen or labelled
    # What was admitted once keeps its Composition; the function speaks of a missing environment.
    if not name or (_has_chosen(claim) and name not in environments):
        return _labelled(claim, name)
    if name not in environments:
        raise BadInputError(unknown_environment(name, environments))
    bound = _labelled(claim, name)
    if _has_chosen(claim):
        return bound
    engine = _engine(environments[name], contract)
    reference = {"name": _of_engine(claim, engine, name, compositions)}
    crossplane = {**(at(claim, "spec", "crossplane") or {}), "compositionRef": reference}
    return {**bound, "spec": {**(claim.get("spec") or {}), "crossplane": crossplane}}


def _has_chosen(claim: Manifest) -> bool:
    crossplane = at(claim, "spec", "crossplane") or {}
    return bool(crossplane.get("compositionRef") or crossplane.get("compositionSelector"))


def _labelled(claim: Manifest, name: str) -> Manifest:
    if not name:
        return claim
    labels = {**(at(claim, "metadata", "labels") or {}), ENVIRONMENT_LABEL: name}
    return {**claim, "metadata": {**claim["metadata"], "labels": labels}}


def unknown_environment(name: str, environments: Mapping[str, Manifest]) -> str:
    """Return the words for an environment that is none of *environments*."""
    known = ", ".join(sorted(environments)) or "none"
    return (
        f"environment {name!r}: no EnvironmentConfig of that name is known (known: {known}); give its file with"
        " --environment FILE or --required FILE"
    )


def _engine(environment: Manifest, contract: str) -> str:
    name = environment["metadata"]["name"]
    engine = at(environment, "data", "engines", contract)
    if not isinstance(engine, str) or not engine:
        raise BadInputError(
            f"environment {name!r}: data.engines.{contract}: missing; name the engine that serves it, as {contract}:"
            " cnpg"
        )
    return engine


def _of_engine(claim: Manifest, engine: str, environment: str, compositions: Sequence[Manifest]) -> str:
    fitting = [one for one in compositions if composition_selector.serves(one, claim)]
    named = {at(one, "metadata", "labels", ENGINE_LABEL): one for one in fitting}
    if engine not in named:
        known = ", ".join(sorted(filter(None, named))) or "none"
        raise BadInputError(
            f"environment {environment!r}: engine {engine!r} has no Composition for {claim['kind']} (engines that have"
            f" one: {known})"
        )
    return str(named[engine]["metadata"]["name"])


def composition_of(
    claim: Manifest, compositions: Sequence[Manifest], kind: ClaimKind, *, use_default: bool
) -> Manifest:
    """Return the Composition Crossplane would bind *claim* to.

    In Crossplane's order: enforced by the XRD, named by the claim, selected by labels, the XRD's
    default, and at last the only one there is.

    Args:
        claim: As admitted.
        compositions: All that are installed.
        kind: The claim's kind, with what its XRD enforces or prefers.
        use_default: Whether the XRD's default counts; it does not when a file replaces the
            package's Compositions.

    Raises:
        BadInputError: When it does not exist, is not of the claim's kind, or is one of several.
    """
    choice = composition_selector.named(
        claim, enforced=kind.enforced_composition, default=kind.default_composition if use_default else ""
    )
    if choice is not None:
        return _checked(_named(choice.name, compositions), claim)
    fitting = composition_selector.selected(claim, compositions)
    if len(fitting) != 1:
        raise BadInputError(_not_one(fitting, claim))
    return _checked(fitting[0], claim)


def _named(name: str, compositions: Sequence[Manifest]) -> Manifest:
    for one in compositions:
        if one["metadata"]["name"] == name:
            return one
    known = ", ".join(sorted(one["metadata"]["name"] for one in compositions)) or "none"
    raise BadInputError(f"Composition {name!r} does not exist (known: {known})")


def _not_one(fitting: Sequence[Manifest], claim: Manifest) -> str:
    selector = at(claim, "spec", "crossplane", "compositionSelector", "matchLabels") or {}
    words = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
    what = f"with labels {words} " if words else ""
    if not fitting:
        return f"no Composition {what}for {claim['kind']} of {claim['apiVersion']}"
    names = ", ".join(sorted(one["metadata"]["name"] for one in fitting))
    return (
        f"several Compositions {what}for {claim['kind']}: {names}. Crossplane would pick one at random; name it in"
        " spec.crossplane.compositionRef, or give --environment"
    )


def _checked(composition: Manifest, claim: Manifest) -> Manifest:
    name = composition["metadata"]["name"]
    if not composition_selector.serves(composition, claim):
        reference = at(composition, "spec", "compositeTypeRef") or {}
        api_version, kind = reference.get("apiVersion"), reference.get("kind")
        raise BadInputError(
            f"Composition {name!r} is for {kind} of {api_version}, not for {claim['kind']} of {claim['apiVersion']}"
        )
    if at(composition, "spec", "mode") != "Pipeline" or not at(composition, "spec", "pipeline"):
        raise BadInputError(f"Composition {name!r}: needs spec.mode Pipeline and spec.pipeline")
    return composition
