"""The kinds that CRDs and XRDs define, ready to default and validate objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.schema.composite import composite_schema, scope_of
from groundplane.kubernetes.schema.defaults import defaulted
from groundplane.kubernetes.schema.node import Node
from groundplane.kubernetes.schema.pruning import pruned
from groundplane.kubernetes.schema.structure import Structure
from groundplane.kubernetes.schema.validations import rule_violations
from groundplane.kubernetes.schema.violation import Violation, kind_of, shown

_CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_XRD_KIND = "CompositeResourceDefinition"
_XRD_GROUP = "apiextensions.crossplane.io"
_SECRET_FIELDS = frozenset({"data", "stringData"})


class DefinitionError(ValueError):
    """A CRD or XRD that does not say what an API server needs to know."""


@dataclass(frozen=True, slots=True)
class KindSchema:
    """One served version of one kind.

    Attributes:
        api_version: As objects write it, such as ``groundplane.dev/v1alpha1``.
        kind: As objects write it, such as ``XDatabase``.
        plural: As RBAC rules and CRD names write it.
        group: The API group; empty for the core group.
        namespaced: Whether objects live in a namespace.
        root: The schema of the whole object.
    """

    api_version: str
    kind: str
    plural: str
    group: str
    namespaced: bool
    root: Node = field(repr=False, compare=False)

    def default(self, manifest: Manifest) -> Manifest:
        """Return a new object: *manifest* with the defaults an API server would fill in.

        A null where null is not allowed counts as absent.
        """
        filled: Manifest = defaulted(manifest, self.root)
        return filled

    def prune(self, manifest: Manifest) -> tuple[Manifest, list[str]]:
        """Return a new object: *manifest* without undeclared fields, and the paths of those."""
        kept, dropped = pruned(manifest, self.root)
        return kept, dropped

    def validate(self, manifest: JSON, old: JSON = None) -> tuple[Violation, ...]:
        """Return why an API server would refuse *manifest*; empty when it would not.

        With *old*, the object before, the rules that compare the two run as well. Rules do not
        run on an object whose structure is broken: their answers would mislead. Never raises.
        """
        if not isinstance(manifest, dict):
            return (Violation("", f"must be an object, not {kind_of(manifest)}"),)
        pass_ = Structure(_SECRET_FIELDS if self.kind == "Secret" else frozenset())
        pass_.found += self._identity(manifest)
        pass_.visit(self.root, manifest, "")
        if pass_.blocked:
            return tuple(dict.fromkeys(pass_.found))
        broken = rule_violations(self.root, manifest, old)
        return tuple(dict.fromkeys((*pass_.found, *broken)))

    def _identity(self, manifest: Manifest) -> Iterator[Violation]:
        for name, expected in (("apiVersion", self.api_version), ("kind", self.kind)):
            value = manifest.get(name)
            if isinstance(value, str) and value and value != expected:
                yield Violation(name, f"must be {expected}, not {shown(value)}", "metadata")
        metadata = manifest.get("metadata")
        if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
            yield Violation("metadata.name", "is required", "metadata")


class Registry:
    """The kinds of a set of CRDs and XRDs."""

    def __init__(self, kinds: Iterable[KindSchema]) -> None:
        self._kinds = {(kind.api_version, kind.kind): kind for kind in kinds}

    @classmethod
    def of(cls, documents: Iterable[Manifest]) -> Registry:
        """Return the kinds that the CRDs and XRDs among *documents* define.

        Raises:
            DefinitionError: one of them lacks what it must have; the text names it and the field.
        """
        return cls(kind for document in documents for kind in _kinds(document))

    def find(self, api_version: str, kind: str) -> KindSchema | None:
        """Return the kind, or None when no definition serves it in that version."""
        return self._kinds.get((api_version, kind))

    def __iter__(self) -> Iterator[KindSchema]:
        """Yield every kind in the order of the definitions."""
        return iter(self._kinds.values())


def _kinds(document: Manifest) -> Iterator[KindSchema]:
    api_version, kind = document.get("apiVersion"), document.get("kind")
    if (api_version, kind) == _CRD:
        namespaced = at(document, "spec", "scope") == "Namespaced"
        for version, schema in _versions(document):
            yield _kind(document, version, schema, namespaced=namespaced)
    elif kind == _XRD_KIND and str(api_version).startswith(f"{_XRD_GROUP}/"):
        api = str(api_version).rpartition("/")[2]
        spec = document.get("spec", {})
        for version, schema in _versions(document):
            made = composite_schema(schema, spec, api)
            namespaced = scope_of(spec, api) == "Namespaced"
            yield _kind(document, version, made, namespaced=namespaced)


def _kind(document: Manifest, version: str, schema: Manifest, *, namespaced: bool) -> KindSchema:
    spec = document["spec"]
    group = spec.get("group", "")
    return KindSchema(
        api_version=f"{group}/{version}" if group else version,
        kind=_said(document, "spec", "names", "kind"),
        plural=_said(document, "spec", "names", "plural"),
        group=group,
        namespaced=namespaced,
        root=Node({**schema, "x-kubernetes-embedded-resource": True}),
    )


def _versions(document: Manifest) -> Iterator[tuple[str, Manifest]]:
    versions = at(document, "spec", "versions")
    if not isinstance(versions, list) or not versions:
        raise DefinitionError(f"{_name(document)}: spec.versions must list at least one version")
    for index, version in enumerate(versions):
        if not version.get("served", True):
            continue
        schema = at(version, "schema", "openAPIV3Schema")
        if not isinstance(schema, dict):
            place = f"spec.versions[{index}].schema.openAPIV3Schema"
            raise DefinitionError(f"{_name(document)}: {place} must be an object")
        yield version.get("name", ""), schema


def _said(document: Manifest, *path: str) -> str:
    value = at(document, *path)
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"{_name(document)}: {'.'.join(path)} is required")
    return value


def _name(document: Manifest) -> str:
    return f"{document.get('kind')} {at(document, 'metadata', 'name')}"
