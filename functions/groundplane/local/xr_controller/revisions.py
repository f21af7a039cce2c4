"""Revisions of Compositions: each state that a Composition was ever in, under a number that counts up."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from groundplane.core.manifest import Manifest, at
from groundplane.local.apiserver.registry.api import CROSSPLANE, Api
from groundplane.local.apiserver.storage.selectors import Requirement, Selector

API_VERSION: Final = "apiextensions.crossplane.io/v1"
KIND: Final = "CompositionRevision"
NAME_LABEL: Final = "crossplane.io/composition-name"
HASH_LABEL: Final = "crossplane.io/composition-hash"
VALID: Final = "ValidPipeline"
_LABEL_LENGTH = 63
_NAME_LENGTH = 7


def revised(api: Api, composition: Manifest) -> None:
    """Make the revision of *composition* as it is now, unless it is the newest already.

    Raises:
        StatusError: it is refused.
    """
    metadata = composition["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    known = of(api, metadata["name"])
    newest = max((one["spec"]["revision"] for one in known), default=0)
    digest = _digest(composition)
    same = next((one for one in known if one["metadata"]["labels"].get(HASH_LABEL) == digest), None)
    if same is None:
        _make(api, composition, digest, newest + 1)
        return
    if same["spec"]["revision"] < newest:  # it is as it was once
        request = api.request(API_VERSION, KIND, "", same["metadata"]["name"], manager=CROSSPLANE)
        api.patch(request, lambda live: {**live, "spec": {**live["spec"], "revision": newest + 1}})
    if not at(same, "status", "conditions"):
        _validate(api, same["metadata"]["name"])


def of(api: Api, composition: str) -> list[Manifest]:
    """Return all revisions of a Composition."""
    resource = api.request(API_VERSION, KIND).resource
    return api.page(resource, "", Selector((Requirement(NAME_LABEL, "=", (composition,)),))).items


def _make(api: Api, composition: Manifest, digest: str, number: int) -> None:
    metadata = composition["metadata"]
    name = f"{metadata['name']}-{digest[:_NAME_LENGTH]}"
    labels = {NAME_LABEL: metadata["name"], HASH_LABEL: digest, **(metadata.get("labels") or {})}
    owner = {
        "apiVersion": composition["apiVersion"],
        "kind": composition["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made: Manifest = {"name": name, "labels": labels, "ownerReferences": [owner]}
    if annotations := metadata.get("annotations"):
        made["annotations"] = annotations
    api.create(
        api.request(API_VERSION, KIND, manager=CROSSPLANE),
        {"metadata": made, "spec": {**composition["spec"], "revision": number}},
    )
    _validate(api, name)


def _validate(api: Api, name: str) -> None:
    conditions = [
        {
            "type": kind,
            "status": "True",
            "reason": reason,
            "observedGeneration": 1,  # a revision's pipeline never changes
            "lastTransitionTime": api.now(),
        }
        for kind, reason in (("Synced", "ReconcileSuccess"), (VALID, VALID))
    ]
    request = api.request(API_VERSION, KIND, "", name, manager=CROSSPLANE, subresource="status")
    api.patch(request, lambda live: {**live, "status": {"conditions": conditions}})


def _digest(composition: Manifest) -> str:
    metadata = composition["metadata"]
    told = [metadata.get("labels") or {}, metadata.get("annotations") or {}, at(composition, "spec") or {}]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:_LABEL_LENGTH]
