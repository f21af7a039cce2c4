"""Objects as an API server returns them: with the metadata it keeps, managedFields above all."""

from __future__ import annotations

import hashlib
import uuid

from groundplane.core.manifest import JSON, Manifest, at
from standins.served import moment

CROSSPLANE = "apiextensions.crossplane.io/composed/8f0c3b1b6f0e4d5a9c7e2d1f0a9b8c7d"
_KEPT = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
_LIST_KEYS = ("type", "uid", "name")  # by which server-side apply tells the items of most lists apart


def kept(manifest: Manifest, manager: str = CROSSPLANE, operator: str = "manager") -> Manifest:
    """Return *manifest* as stored: *manager* applied it, and *operator* wrote its status."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _KEPT}
    applied = {"metadata": metadata, **{key: value for key, value in manifest.items() if key not in _OWN}}
    fields = [_owned(manager, applied)]
    if "status" in manifest:
        fields.append({**_owned(operator, {"status": manifest["status"]}), "subresource": "status"})
    identity = "/".join(str(part) for part in (manifest["kind"], metadata.get("namespace"), metadata["name"]))
    return {
        **manifest,
        "metadata": {
            **metadata,
            "uid": at(manifest, "metadata", "uid") or str(uuid.uuid5(uuid.NAMESPACE_URL, identity)),
            "resourceVersion": str(int(hashlib.sha256(identity.encode()).hexdigest()[:6], 16)),
            "creationTimestamp": moment(60 * 24 * 3),
            "generation": 1,
            "managedFields": fields,
        },
    }


_OWN = frozenset({"apiVersion", "kind", "metadata", "status"})


def _owned(manager: str, part: Manifest) -> Manifest:
    return {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": "v1",
        "time": moment(300),
        "fieldsType": "FieldsV1",
        "fieldsV1": _fields(part),
    }


def _fields(value: JSON) -> Manifest:
    if isinstance(value, dict):
        return {f"f:{key}": _fields(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return dict(entry for item in value for entry in _item(item))
    return {}


def _item(item: JSON) -> list[tuple[str, Manifest]]:
    key = next((key for key in _LIST_KEYS if isinstance(item, dict) and key in item), None)
    return [(f'k:{{"{key}":"{item[key]}"}}', {".": {}, **_fields(item)})] if key else []
