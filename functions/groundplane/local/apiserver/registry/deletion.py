"""What a delete does to an object: it goes at once, or waits for its finalizers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.kinds import definitions
from groundplane.local.apiserver.kinds.builtin import CRD_NAME
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.strategies import KEPT_NAMESPACES

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_POLICIES = ("Foreground", "Background", "Orphan")
#: What each policy adds to the finalizers; it takes the other one away.
_FINALIZERS = {"Foreground": FOREGROUND, "Orphan": ORPHAN, "Background": ""}


@dataclass(frozen=True, slots=True)
class Options:
    """How to delete.

    Attributes:
        policy: What becomes of dependents: Foreground, Background, Orphan; empty leaves it to the object.
        uid: Delete only the object with this uid; empty for any.
        version: Delete only this version; empty for any.
        dry_run: Only look whether it would work.
    """

    policy: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False

    @classmethod
    def of(cls, body: Manifest, query: dict[str, str]) -> Options:
        """Return the options in *body*, a DeleteOptions, or in *query*.

        Raises:
            StatusError: They are no options.
        """
        if body.get("kind", "DeleteOptions") != "DeleteOptions":
            version = body.get("apiVersion", "")
            raise status_errors.bad_request(
                f'no kind "{body["kind"]}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
            )
        preconditions = body.get("preconditions") or {}
        orphan = body.get("orphanDependents")
        told = "" if orphan is None else "Orphan" if orphan else "Background"
        policy = body.get("propagationPolicy") or query.get("propagationPolicy") or told
        if policy and policy not in _POLICIES:
            options = ", ".join(f'"{one}"' for one in (*_POLICIES, "nil"))
            message = f'Unsupported value: "{policy}": supported values: {options}'
            raise _refused("FieldValueNotSupported", message, "propagationPolicy")
        dry_run: JSON = body.get("dryRun") or ([query["dryRun"]] if query.get("dryRun") else [])
        if dry_run not in ([], ["All"]):
            raise _refused("FieldValueNotSupported", 'Unsupported value: supported values: "All"', "dryRun")
        return cls(policy, preconditions.get("uid") or "", preconditions.get("resourceVersion") or "", bool(dry_run))


def _refused(reason: str, message: str, field: str) -> status_errors.StatusError:
    return status_errors.invalid("meta.k8s.io", "DeleteOptions", "", [status_errors.Cause(reason, message, field)])


def delete(resource: Resource, stored: Manifest, options: Options, now: str) -> Manifest | None:
    """Return *stored* waiting for its finalizers, or None when nothing keeps it.

    Raises:
        StatusError: It is another object than the one that is meant, or cannot be deleted.
    """
    metadata = stored["metadata"]
    _check(resource, metadata, options)
    finalizers = _finalizers(metadata.get("finalizers") or [], options.policy)
    waiting = {**stored, "metadata": {**metadata, "finalizers": finalizers}}
    if resource.name == CRD_NAME and not metadata.get("deletionTimestamp"):
        waiting = definitions.terminating(waiting, now)
    if resource.name == "namespaces" and (stored.get("spec") or {}).get("finalizers"):
        waiting["status"] = {**(stored.get("status") or {}), "phase": "Terminating"}
    elif not waiting["metadata"]["finalizers"]:
        return None
    return {**waiting, "metadata": _marked(waiting["metadata"], now)}


def _check(resource: Resource, metadata: Manifest, options: Options) -> None:
    name = metadata["name"]
    if resource.name == "namespaces" and name in KEPT_NAMESPACES:
        raise status_errors.forbidden("", "namespaces", name, "this namespace may not be deleted")
    for told, found, word, end in (
        (options.uid, metadata["uid"], "UID", "might have been deleted and then recreated"),
        (options.version, metadata["resourceVersion"], "ResourceVersion", "might have been modified"),
    ):
        if told and told != found:
            why = f"the {word} in the precondition ({told}) does not match the {word} in record ({found})."
            raise status_errors.conflict(resource.group, resource.kind, name, f"{why} The object {end}")


def _finalizers(before: list[str], policy: str) -> list[str]:
    if not policy:
        return before
    kept = [one for one in before if one not in (FOREGROUND, ORPHAN) or one == _FINALIZERS[policy]]
    added = _FINALIZERS[policy]
    return kept if not added or added in kept else [*kept, added]


def _marked(metadata: Manifest, now: str) -> Manifest:
    marked = {name: value for name, value in metadata.items() if name != "finalizers" or value}
    if metadata.get("deletionTimestamp"):
        return marked
    if "generation" in marked:
        marked["generation"] += 1
    return {**marked, "deletionTimestamp": now, "deletionGracePeriodSeconds": 0}


def finished(manifest: Manifest) -> bool:
    """Return whether the deletion of *manifest* has begun, and nothing keeps it any more."""
    metadata = manifest["metadata"]
    held = metadata.get("finalizers") or (manifest["kind"] == "Namespace" and manifest["spec"].get("finalizers"))
    return bool(metadata.get("deletionTimestamp")) and not held
