"""What the API server does with a claim before Crossplane sees it: kind, defaults, validation."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from groundplane.core.manifest import ENVIRONMENT_LABEL, Manifest, at
from groundplane.crossplane.errors import BadInputError
from groundplane.crossplane.naming import DEFAULT_NAMESPACE
from groundplane.kubernetes.schema import KindSchema, Registry
from groundplane.render.files import Document, check
from groundplane.render.installed import ClaimKind, claim_kinds

# What the API server or Crossplane keeps on an object, whatever a person applies over it.
_KEPT_METADATA = ("uid", "creationTimestamp", "generation")


class Admission:
    """Checks claims against the XRDs *definitions*."""

    def __init__(self, definitions: Sequence[Manifest]) -> None:
        self.kinds = claim_kinds(tuple(definitions))
        self._registry = Registry.of(definitions)

    def kind_of(self, claim: Document) -> ClaimKind:
        """Return the claim's kind.

        Raises:
            BadInputError: When no XRD serves it; the message lists those that are served.
        """
        check(claim)
        api_version, kind = claim.manifest["apiVersion"], claim.manifest["kind"]
        for known in self.kinds:
            if (known.api_version, known.kind) == (api_version, kind):
                return known
        near = difflib.get_close_matches(kind, [known.kind for known in self.kinds], 1)
        hint = f" Did you mean {near[0]}?" if near and near[0] != kind else ""
        served = ", ".join(f"{known.kind} ({known.api_version})" for known in self.kinds) or "none"
        raise BadInputError(f"{claim.where}: {kind} of {api_version} is no kind of claim.{hint} Claims are: {served}")

    def admit(self, claim: Document, before: Document | None = None) -> Manifest:
        """Return *claim* with its namespace and defaults, as it would be stored.

        Args:
            claim: The claim as applied.
            before: The claim as it was stored; it hands on what an apply does not touch, and
                the rules about changes are run against it.

        Raises:
            BadInputError: With every reason, one per line, each with its field.
        """
        check(claim)
        schema = self._schema(claim)
        # Rules run on what is stored, so defaults come first, on both sides of a change.
        wanted = schema.default(_placed(claim.manifest))
        old = schema.default(_placed(before.manifest)) if before else None
        if old is not None:
            _check_same(claim, wanted, old)
            wanted = _updated(wanted, old)
        violations = schema.validate(wanted, old)
        if violations:
            raise BadInputError("\n".join(f"{claim.where}: {one}" for one in violations))
        return wanted

    def undeclared(self, xr: Manifest) -> tuple[str, ...]:
        """Return why the API server would refuse the status of *xr*, as one whole."""
        schema = self._registry.find(xr["apiVersion"], xr["kind"])
        found = schema.validate(xr) if schema else ()
        return tuple(str(one) for one in found if one.field.split(".")[0] == "status")

    def _schema(self, claim: Document) -> KindSchema:
        self.kind_of(claim)
        schema = self._registry.find(claim.manifest["apiVersion"], claim.manifest["kind"])
        if schema is None:
            raise BadInputError(f"{claim.where}: the XRD of {claim.manifest['kind']} has no schema")
        return schema


def _placed(claim: Manifest) -> Manifest:
    namespace = at(claim, "metadata", "namespace") or DEFAULT_NAMESPACE
    return {**claim, "metadata": {**claim["metadata"], "namespace": namespace}}


def _check_same(claim: Document, wanted: Manifest, old: Manifest) -> None:
    if identity(wanted) != identity(old):
        kind, namespace, name = identity(old)
        raise BadInputError(f"{claim.where}: the claim before is {kind} {namespace}/{name}, another")


def identity(claim: Manifest) -> tuple[str, str, str]:
    """Return kind, namespace and name of *claim*."""
    namespace = at(claim, "metadata", "namespace") or DEFAULT_NAMESPACE
    return claim["kind"], namespace, claim["metadata"]["name"]


def _updated(wanted: Manifest, old: Manifest) -> Manifest:
    """Return *wanted* with what an apply leaves alone and the companion policies put back."""
    kept = {key: old["metadata"][key] for key in _KEPT_METADATA if key in old["metadata"]}
    label = at(old, "metadata", "labels", ENVIRONMENT_LABEL)
    labels = {ENVIRONMENT_LABEL: label} if label else {}
    metadata = {
        **kept,
        **wanted["metadata"],
        "labels": {**labels, **(at(wanted, "metadata", "labels") or {})},
    }
    spec = dict(wanted.get("spec") or {})
    crossplane = at(old, "spec", "crossplane")
    if crossplane is not None and not _chooses(spec):
        spec["crossplane"] = {**crossplane, **(spec.get("crossplane") or {})}
    status = {"status": old["status"]} if "status" in old else {}
    return {**status, **wanted, "metadata": metadata, "spec": spec}


def _chooses(spec: Manifest) -> bool:
    """Whether the claim itself says which Composition it wants, defaults aside."""
    return bool(set(spec.get("crossplane") or {}) - {"compositionUpdatePolicy"})
