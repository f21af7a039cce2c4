"""What the plane serves: one `Resource` for each version of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.schema import KindSchema, Registry
from groundplane.kubernetes.status_errors import joined
from groundplane.local.apiserver.protobuf.codec import is_written
from groundplane.local.apiserver.storage.records import Key

#: The order in which discovery names the verbs of a custom resource.
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
VERBS = tuple(sorted(CUSTOM_VERBS))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its title.
        type: ``string``, ``integer``, ``number``, ``boolean`` or ``date``.
        path: A JSONPath into the object, or the name of a cell that `tables` computes.
        description: For whoever asks.
        priority: 0 is always shown, more only on demand.
        format: A hint; ``name`` marks the object's name.
    """

    name: str
    type: str
    path: str
    description: str = ""
    priority: int = 0
    format: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """What a kind is kept as that another group serves, too.

    Attributes:
        name: ``plural.group`` of that kind.
        api_version: As its objects write it.
        shown: Makes an object of the kind from one that is kept.
        kept: The reverse.
        selecting: Makes a field selector of that kind from one of the kind.
    """

    name: str
    api_version: str
    shown: Callable[[Manifest], Manifest]
    kept: Callable[[Manifest], Manifest]
    selecting: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a kind keeps its replicas; ``selector`` is empty when there is none."""

    spec: str
    status: str
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind, in one version.

    Attributes:
        group: Empty for the core group.
        version: Such as ``v1``.
        storage: The version objects are stored in.
        plural: As paths write it.
        singular: As people may write it.
        kind: As objects write it.
        list_kind: As lists write it.
        short_names: Further names for people.
        categories: Names for several kinds at once.
        namespaced: Whether objects live in a namespace.
        schema: What objects look like.
        columns: What a table shows beside the name, which is not among them.
        status: Whether the status is a subresource, written on its own.
        scale: Where the replicas are, when there is such a subresource.
        selectable: Fields by which lists and watches can be narrowed, as paths without the leading dot.
        custom: Whether a CustomResourceDefinition defines it.
        verbs: As discovery names them.
        terminating: Whether its definition is being deleted, so that nothing new may be made.
        deprecation: What everybody is told who uses this version; empty where nobody is warned.
        versions: All versions that the kind is served in; empty where it is one.
        alias: What objects are kept as, where that is another kind.
    """

    group: str
    version: str
    storage: str
    plural: str
    singular: str
    kind: str
    list_kind: str
    namespaced: bool
    schema: KindSchema = field(repr=False, compare=False)
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    status: bool = False
    scale: Scale | None = None
    selectable: tuple[str, ...] = ()
    custom: bool = False
    verbs: tuple[str, ...] = VERBS
    terminating: bool = False
    deprecation: str = ""
    versions: tuple[str, ...] = ()
    alias: Alias | None = None

    @property
    def api_version(self) -> str:
        """As objects write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def stored_version(self) -> str:
        """As stored objects write it."""
        if self.alias is not None:
            return self.alias.api_version
        return f"{self.group}/{self.storage}" if self.group else self.storage

    @property
    def api_versions(self) -> frozenset[str]:
        """All its versions, as objects write them."""
        return frozenset(f"{self.group}/{version}" for version in self.versions)

    @property
    def in_protobuf(self) -> bool:
        """Whether objects are also read and written as protobuf."""
        return not self.custom and is_written(self.api_version, self.kind)

    @property
    def name(self) -> str:
        """``plural.group``: the same for all versions, and the name of a definition; of an alias that of its kind."""
        return self.alias.name if self.alias is not None else joined(self.plural, self.group)

    def key(self, namespace: str, name: str) -> Key:
        """Return where the object is stored; the namespace counts only where there are any."""
        return Key(self.name, namespace if self.namespaced else "", name)

    def key_of(self, manifest: Manifest) -> Key:
        """Return where *manifest* is stored."""
        metadata = manifest["metadata"]
        return self.key(metadata.get("namespace", ""), metadata["name"])

    def presented(self, stored: Manifest) -> Manifest:
        """Return *stored* as this version shows it."""
        if self.alias is not None and stored["apiVersion"] != self.api_version:
            stored = self.alias.shown(stored)
        return {**stored, "apiVersion": self.api_version, "kind": self.kind}

    def kept(self, shown: Manifest) -> Manifest:
        """Return *shown*, an object of this version, as it is stored."""
        if self.alias is not None and shown["apiVersion"] == self.api_version:
            shown = self.alias.kept(shown)
        return {**shown, "apiVersion": self.stored_version}


def defined(definition: Manifest) -> list[Resource]:
    """Return the resources that the CustomResourceDefinition *definition* makes the plane serve.

    Raises:
        DefinitionError: It lacks what it must have.
    """
    schemas = {kind.api_version: kind for kind in Registry.of([definition])}
    spec = definition["spec"]
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    served = [version for version in spec["versions"] if version.get("served")]
    return [_defined(definition, version, storage, schemas) for version in served]


def _defined(definition: Manifest, version: Manifest, storage: str, schemas: dict[str, KindSchema]) -> Resource:
    spec = definition["spec"]
    names = spec["names"]
    subresources = version.get("subresources") or {}
    return Resource(
        group=spec["group"],
        version=version["name"],
        storage=storage,
        plural=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        kind=names["kind"],
        list_kind=names.get("listKind") or f"{names['kind']}List",
        namespaced=spec["scope"] == "Namespaced",
        schema=schemas[f"{spec['group']}/{version['name']}"],
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        columns=_columns(version.get("additionalPrinterColumns")),
        status="status" in subresources,
        scale=_scale(subresources.get("scale")),
        selectable=tuple(one["jsonPath"].removeprefix(".") for one in version.get("selectableFields") or ()),
        custom=True,
        verbs=CUSTOM_VERBS,
        terminating=at(definition, "metadata", "deletionTimestamp") is not None,
        deprecation=_deprecation(spec, version),
        versions=tuple(one["name"] for one in spec["versions"] if one.get("served")),
    )


def _deprecation(spec: Manifest, version: Manifest) -> str:
    if not version.get("deprecated"):
        return ""
    return (
        version.get("deprecationWarning") or f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"
    )


def _columns(declared: list[Manifest] | None) -> tuple[Column, ...]:
    if not declared:
        return (Column("Age", "date", ".metadata.creationTimestamp", _described(".metadata.creationTimestamp")),)
    return tuple(
        Column(
            one["name"],
            one["type"],
            one["jsonPath"],
            one.get("description") or _described(one["jsonPath"]),
            one.get("priority", 0),
            one.get("format", ""),
        )
        for one in declared
    )


def _described(path: str) -> str:
    return f"Custom resource definition column (in JSONPath format): {path}"


def _scale(declared: Manifest | None) -> Scale | None:
    if declared is None:
        return None
    return Scale(
        declared["specReplicasPath"].removeprefix("."),
        declared["statusReplicasPath"].removeprefix("."),
        (declared.get("labelSelectorPath") or "").removeprefix("."),
    )
