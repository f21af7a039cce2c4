"""How Crossplane names what a claim composes.

The rules are Crossplane's own, so that an object has here the name it will have on a cluster.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from groundplane.core.manifest import Manifest, at

DEFAULT_NAMESPACE = "default"  # where kubectl puts an object that names none
LONGEST_GENERATED = 63
HASH_LENGTH = 12
LONGEST = 253

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")


def uid_of(xr: Manifest) -> str:
    """Return the uid of *xr*, or the one that Crossplane's own render makes up for it.

    The made-up uid depends on apiVersion, kind, namespace and name only.
    """
    given = at(xr, "metadata", "uid")
    if given:
        return str(given)
    kind = f"{xr['apiVersion']}, Kind={xr['kind']}"
    parts = (kind, at(xr, "metadata", "namespace") or "", xr["metadata"]["name"])
    return str(uuid.uuid5(uuid.UUID(int=0), "\0".join(parts)))


def child_name(prefix: str, uid: str, resource_name: str) -> str:
    """Return the generated object name of the composed resource *resource_name*.

    At most 63 characters; the same for the same three inputs, and different when the claim is
    created again, because its *uid* is then another.
    """
    suffix = hashlib.sha256((uid + resource_name).encode()).hexdigest()[:HASH_LENGTH]
    dashed = prefix if prefix.endswith("-") or not prefix else f"{prefix}-"
    if len(dashed + suffix) <= LONGEST_GENERATED:
        return dashed + suffix
    room = LONGEST_GENERATED - HASH_LENGTH - 1
    return f"{dashed[:room]}-{suffix}"


def is_object_name(name: str) -> bool:
    """Whether *name* is an RFC 1123 subdomain, which Crossplane asks of every object's name."""
    return len(name) <= LONGEST and _SUBDOMAIN.match(name) is not None
