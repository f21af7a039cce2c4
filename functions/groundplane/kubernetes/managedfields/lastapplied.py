"""How kubectl moves from its own apply, which keeps an annotation, to the server's: the API server helps it."""

from __future__ import annotations

import json

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.managedfields.compare import compared
from groundplane.kubernetes.managedfields.fieldset import EMPTY, FieldSet
from groundplane.kubernetes.managedfields.schema import Shape
from groundplane.kubernetes.managedfields.typed import TypedError, check, fields_of

#: The only manager that is helped.
MANAGER = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 256 * 1024
_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def unchanged(live: Manifest, shape: Shape) -> FieldSet:
    """Return what kubectl's own apply set last, and nobody changed since: kubectl may take it without force."""
    text = _last_applied(live)
    if not text:
        return EMPTY
    try:
        last = json.loads(text)
        if not isinstance(last, dict) or last.get("apiVersion") != live.get("apiVersion"):
            return EMPTY
        for value in (live, last):
            check(value, shape, duplicates=False)
    except (ValueError, TypedError):
        return EMPTY
    comparison = compared(last, live, shape)
    return fields_of(last, shape) - comparison.modified - comparison.added - comparison.removed


def refreshed(result: Manifest, config: Manifest) -> Manifest:
    """Return *result* with its annotation, when it has one, saying *config*; one that grew too long goes."""
    if not _last_applied(result):
        return result
    annotations = dict(result["metadata"]["annotations"])
    text = json.dumps(_bare(config), ensure_ascii=False, separators=(",", ":"), sort_keys=True).translate(_HTML)
    annotations[ANNOTATION] = text + "\n"
    if sum(len(name.encode()) + len(entry.encode()) for name, entry in annotations.items()) > _LONGEST:
        del annotations[ANNOTATION]
    return {**result, "metadata": {**result["metadata"], "annotations": annotations}}


def _last_applied(manifest: Manifest) -> str:
    return str(at(manifest, "metadata", "annotations", ANNOTATION) or "")


def _bare(config: Manifest) -> Manifest:
    """Return *config* without the annotation, which would grow by itself each time."""
    annotations = at(config, "metadata", "annotations")
    if not isinstance(annotations, dict) or ANNOTATION not in annotations:
        return config
    left = {name: entry for name, entry in annotations.items() if name != ANNOTATION}
    return {**config, "metadata": {**config["metadata"], "annotations": left}}
