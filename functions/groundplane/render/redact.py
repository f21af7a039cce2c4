"""Keeps the values of Secrets out of whatever is printed."""

from __future__ import annotations

import base64

from groundplane.core.manifest import Manifest, at

HIDDEN = "(hidden)"
# What a binding says about where a service is, and nothing that opens it.
PUBLIC_KEYS = frozenset(
    {
        "type",
        "provider",
        "host",
        "port",
        "database",
        "username",
        "sslmode",
        "sslrootcert",
        "certificates",
        "ca.crt",
    }
)
# kubectl apply keeps the whole object, values included, in this annotation.
_COPY_OF_ALL = "kubectl.kubernetes.io/last-applied-configuration"
_HIDDEN_DATA = base64.b64encode(HIDDEN.encode()).decode()


def hidden(manifest: Manifest) -> Manifest:
    """Return *manifest*, a v1 Secret with every value hidden that is not public by its key."""
    if manifest.get("apiVersion") != "v1" or manifest.get("kind") != "Secret":
        return manifest
    shown = dict(manifest)
    for field, placeholder in (("data", _HIDDEN_DATA), ("stringData", HIDDEN)):
        if isinstance(manifest.get(field), dict):
            shown[field] = {key: value if key in PUBLIC_KEYS else placeholder for key, value in manifest[field].items()}
    annotations = at(manifest, "metadata", "annotations") or {}
    if _COPY_OF_ALL in annotations:
        kept = {key: value for key, value in annotations.items() if key != _COPY_OF_ALL}
        shown["metadata"] = {**manifest["metadata"], "annotations": kept}
    return shown
