"""Lists in parts."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import cast

from groundplane.core.manifest import Manifest
from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.storage.selectors import Selector
from groundplane.local.apiserver.storage.store import Store


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        items: The objects.
        version: Of the whole store, when it was read.
        token: Where the next part begins; empty at the end.
        remaining: How many are left; None where nobody knows.
    """

    items: list[Manifest] = field(default_factory=list)
    version: int = 0
    token: str = ""
    remaining: int | None = None


def page(  # noqa: PLR0913  # what a list asks for
    store: Store, resource: Resource, namespace: str, selector: Selector, *, limit: int, token: str
) -> Page:
    """Return objects in order, of one namespace or of all.

    Args:
        store: Where they are.
        resource: The kind.
        namespace: Empty for all.
        selector: Which of them.
        limit: At most so many; 0 for all.
        token: Of the page before. The rest is shown as it is now, not as it was then.

    Raises:
        StatusError: The token cannot be read.
    """
    version = store.version
    found: list[Manifest] = []
    for one in store.objects(resource.name, namespace, after=after(token), holding=selector.text()):
        if selector.selects(one):
            found.append(resource.presented(one))
            if limit and len(found) > limit:
                break
    if not limit or len(found) <= limit:
        return Page(found, version)
    last = resource.key_of(found[limit - 1]).path
    remaining = None if selector else store.count(resource.name, namespace, after=last)
    return Page(found[:limit], version, written(version, last), remaining)


def written(version: int, last: str) -> str:
    """Return where a list goes on after the path *last*; *version* is that of the list."""
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": f"{last}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def after(token: str) -> str:
    """Return the path after which *token* goes on; empty for no token.

    Raises:
        StatusError: It cannot be read.
    """
    if not token:
        return ""
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return cast("str", found["start"]).removesuffix("\0")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise status_errors.bad_request("invalid continue token: continue key is not valid") from None
