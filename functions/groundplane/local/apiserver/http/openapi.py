"""OpenAPI v3: what kubectl reads before it creates, applies or explains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from groundplane.core.manifest import JSON, Manifest
from groundplane.local.apiserver.kinds.catalogue import Catalogue
from groundplane.local.apiserver.kinds.resource import Resource

#: A Swagger document without any kind, as protobuf: kubectl looks into it for kinds it finds nowhere else.
NOTHING_IN_V2 = b"\x0a\x032.0\x12\x14\x0a\x0aKubernetes\x12\x06v0.1.0"
V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_PREFIX = "#/components/schemas/"
_TEXT: Manifest = {"type": "string"}
_LONG: Manifest = {"type": "integer", "format": "int64"}
_GVK = "x-kubernetes-group-version-kind"
_QUERY = {
    "dryRun": "string",
    "fieldManager": "string",
    "fieldValidation": "string",
    "force": "boolean",
}
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_STRATEGIC = "application/strategic-merge-patch+json"
_TYPED = ("", "apiextensions.k8s.io", "coordination.k8s.io", "events.k8s.io")


def paths(catalogue: Catalogue) -> Manifest:
    """Return where the document of each group-version is."""
    found = {}
    for group, versions in catalogue.groups().items():
        for version, resources in versions.items():
            place = f"apis/{group}/{version}" if group else f"api/{version}"
            text = json.dumps(document(resources), sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest().upper()
            found[place] = {"serverRelativeURL": f"/openapi/v3/{place}?hash={digest}"}
    return {"paths": found}


def document(resources: Iterable[Resource]) -> Manifest:
    """Return the document of the group-version that *resources* are of."""
    schemas = dict(_META_SCHEMAS)
    operations: Manifest = {}
    for resource in resources:
        schemas[_name(resource)] = _object(resource)
        schemas[f"{_name(resource)}List"] = _list(resource)
        operations |= _paths(resource)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v0.1.0"},
        "paths": operations,
        "components": {"schemas": schemas},
    }


def _name(resource: Resource) -> str:
    if not resource.group:
        return f"io.k8s.api.core.{resource.version}.{resource.kind}"
    return f"{'.'.join(reversed(resource.group.split('.')))}.{resource.version}.{resource.kind}"


def _kind(resource: Resource, kind: str = "") -> Manifest:
    return {"group": resource.group, "kind": kind or resource.kind, "version": resource.version}


def _reference(name: str, description: str = "") -> Manifest:
    reference = {"$ref": f"{_PREFIX}{name}"}
    return {"description": description, "allOf": [reference]} if description else reference


_API_VERSION = {**_TEXT, "description": "Which version of which API this object is written in."}
_KIND = {**_TEXT, "description": "What kind of object this is."}


def _object(resource: Resource) -> Manifest:
    raw = resource.schema.root.raw
    written = {key: value for key, value in raw.items() if key != "x-kubernetes-embedded-resource"}
    properties = {
        **(raw.get("properties") or {}),
        "apiVersion": _API_VERSION,
        "kind": _KIND,
        "metadata": _reference(f"{_META}.ObjectMeta", "What every object has: its name, its labels, its owners."),
    }
    made = {**written, "properties": _published(properties), _GVK: [_kind(resource)]}
    if resource.selectable and resource.custom:
        made["x-kubernetes-selectable-fields"] = [{"fieldPath": path} for path in resource.selectable]
    return made


def _published(schema: JSON) -> JSON:
    """Return *schema* without what OpenAPI v3 does not have: types in places of ``int-or-string``."""
    if isinstance(schema, list):
        return [_published(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _published(value) for key, value in schema.items()}
    if made.get("x-kubernetes-int-or-string") is True and "anyOf" not in made:
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return made


def _list(resource: Resource) -> Manifest:
    return {
        "type": "object",
        "description": f"{resource.list_kind} is a list of {resource.kind}",
        "required": ["items"],
        "properties": {
            "apiVersion": _API_VERSION,
            "items": {"type": "array", "items": _reference(_name(resource))},
            "kind": _KIND,
            "metadata": _reference(f"{_META}.ListMeta", "Where the list ends, and of which version it is."),
        },
        _GVK: [_kind(resource, resource.list_kind)],
    }


def _paths(resource: Resource) -> Manifest:
    base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = f"{base}/namespaces/{{namespace}}" if resource.namespaced else base
    whole = f"{place}/{resource.plural}"
    found: Manifest = {
        whole: {"get": _operation(resource, "list"), "post": _operation(resource, "post")},
        f"{whole}/{{name}}": {verb: _operation(resource, verb) for verb in ("get", "put", "patch", "delete")},
    }
    if resource.namespaced:
        found[f"{base}/{resource.plural}"] = {"get": _operation(resource, "list")}
    for name in (*(["status"] if resource.status else []), *(["scale"] if resource.scale else [])):
        found[f"{whole}/{{name}}/{name}"] = {verb: _operation(resource, verb) for verb in ("get", "put", "patch")}
    return found


def _operation(resource: Resource, action: str) -> Manifest:
    written = action in {"post", "put", "patch"}
    query = [
        {"name": name, "in": "query", "schema": {"type": kind}}
        for name, kind in _QUERY.items()
        if action == "patch" or (name != "force" and written)
    ]
    name = f"{_name(resource)}List" if action == "list" else _name(resource)
    answer = {"content": {"application/json": {"schema": _reference(name)}}, "description": "OK"}
    made: Manifest = {"responses": {"200": answer}, "x-kubernetes-action": action, _GVK: _kind(resource)}
    if query:
        made["parameters"] = query
    if written:
        made["requestBody"] = {"content": _content(resource, action), "required": True}
    return made


def _content(resource: Resource, action: str) -> Manifest:
    if action != "patch":
        return {"*/*": {"schema": _reference(_name(resource))}}
    types = (*_PATCHES, _STRATEGIC) if resource.group in _TYPED else _PATCHES
    return {one: {"schema": _reference(f"{_META}.Patch")} for one in types}


def _record(description: str, required: tuple[str, ...] = (), **fields: JSON) -> Manifest:
    made: Manifest = {"type": "object", "description": description, "properties": fields}
    return {**made, "required": [*required]} if required else made


def _told(schema: Manifest, description: str) -> Manifest:
    return {**schema, "description": description}


_TIME = f"{_META}.Time"
_TEXTS: Manifest = {"type": "object", "additionalProperties": _TEXT}
_META_SCHEMAS: Manifest = {
    _TIME: {"type": "string", "format": "date-time", "description": "A time, as RFC 3339 writes it."},
    f"{_META}.FieldsV1": {"type": "object", "description": "A set of fields, as a trie."},
    f"{_META}.Patch": {"type": "object", "description": "A change, in one of several forms."},
    f"{_META}.ListMeta": {
        "type": "object",
        "description": "What every list has.",
        "properties": {
            "continue": _TEXT,
            "remainingItemCount": _LONG,
            "resourceVersion": _TEXT,
            "selfLink": _TEXT,
        },
    },
    f"{_META}.ManagedFieldsEntry": _record(
        "Which fields a manager owns.",
        apiVersion=_told(_TEXT, "The version in which the fields are named."),
        fieldsType=_told(_TEXT, "How the fields are written: FieldsV1."),
        fieldsV1=_reference(f"{_META}.FieldsV1", "The fields."),
        manager=_told(_TEXT, "Who owns them."),
        operation=_told(_TEXT, "How they came to be: Apply or Update."),
        subresource=_told(_TEXT, "The subresource they were written through."),
        time=_reference(_TIME, "When the entry changed last."),
    ),
    f"{_META}.OwnerReference": {
        **_record(
            "An object that this one belongs to, and is deleted with.",
            ("apiVersion", "kind", "name", "uid"),
            apiVersion=_told(_TEXT, "The owner's API."),
            blockOwnerDeletion=_told({"type": "boolean"}, "Whether a foreground deletion waits for this object."),
            controller=_told({"type": "boolean"}, "Whether this owner is the one that manages the object."),
            kind=_told(_TEXT, "The owner's kind."),
            name=_told(_TEXT, "The owner's name."),
            uid=_told(_TEXT, "The owner's uid."),
        ),
        "x-kubernetes-map-type": "atomic",
    },
    f"{_META}.ObjectMeta": _record(
        "What every object has.",
        annotations=_told(_TEXTS, "Notes of programs and people; nothing selects by them."),
        creationTimestamp=_reference(_TIME, "When the object was made."),
        deletionGracePeriodSeconds=_told(_LONG, "How many seconds the deletion may take."),
        deletionTimestamp=_reference(_TIME, "When the deletion began."),
        finalizers={"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set", "description": "What must happen"
                    " before the object goes."},
        generateName=_told(_TEXT, "The beginning of a name that the server completes."),
        generation=_told(_LONG, "Counts the changes of what is wanted."),
        labels=_told(_TEXTS, "By which objects are selected."),
        managedFields={
            "type": "array",
            "items": _reference(f"{_META}.ManagedFieldsEntry", "One manager's entry."),
            "x-kubernetes-list-type": "atomic",
            "description": "Who owns which fields.",
        },
        name=_told(_TEXT, "The object's name, unique within kind and namespace."),
        namespace=_told(_TEXT, "The namespace the object is in."),
        ownerReferences={
            "type": "array",
            "items": _reference(f"{_META}.OwnerReference", "One owner."),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "description": "What this object belongs to.",
        },
        resourceVersion=_told(_TEXT, "Changes with every write."),
        selfLink=_told(_TEXT, "No longer filled."),
        uid=_told(_TEXT, "Unique in space and time."),
    ),
}  # fmt: skip  # one row for each field
