"""The three questions a client asks about itself. Nobody is given rights here: everybody may do everything there is.

What is no real resource, such as a right that only policies ask for, is its owner's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.kinds.catalogue import Catalogue

if TYPE_CHECKING:
    from groundplane.local.apiserver.authentication import User
    from groundplane.local.apiserver.http.requests import Call

API_GROUPS = ("authentication.k8s.io", "authorization.k8s.io")
_ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def review(place: tuple[str, str, str], body: Manifest, call: Call, catalogue: Catalogue) -> Manifest | None:
    """Return the answer to a review; None when there is no such review.

    Args:
        place: Group, version and plural of the review.
        body: The review as it was sent.
        call: Who sent it, and when.
        catalogue: The kinds that there are.
    """
    kind = _KINDS.get(place)
    if kind is None:
        return None
    head: Manifest = {"kind": kind, "apiVersion": f"{place[0]}/{place[1]}"}
    if kind == "SelfSubjectReview":
        status: Manifest = {"userInfo": {"username": call.user.name, "groups": [*call.user.groups]}}
        return {**head, "metadata": {"creationTimestamp": call.now.strftime("%Y-%m-%dT%H:%M:%SZ")}, "status": status}
    if kind == "SelfSubjectAccessReview":
        spec = body.get("spec") or {}
        return {**head, "metadata": {}, "spec": spec, "status": {"allowed": _allowed(call.user, spec, catalogue)}}
    urls = {"verbs": ["*"], "nonResourceURLs": ["*"]}
    rules = {"resourceRules": _rules(call.user, catalogue), "nonResourceRules": [urls], "incomplete": False}
    return {**head, "metadata": {}, "spec": {}, "status": rules}


def _allowed(user: User, spec: Manifest, catalogue: Catalogue) -> bool:
    asked = spec.get("resourceAttributes")
    if user.owns or asked is None:
        return True
    wanted = (asked.get("group") or "", asked.get("resource") or "")
    return any((one.group, one.plural) == wanted for one in catalogue)


def _rules(user: User, catalogue: Catalogue) -> list[Manifest]:
    if user.owns:
        return [_ALL]
    found = {group: sorted({one.plural for one in catalogue if one.group == group}) for group in catalogue.groups()}
    return [{"verbs": ["*"], "apiGroups": [group], "resources": plurals} for group, plurals in sorted(found.items())]


_KINDS = {
    ("authentication.k8s.io", "v1", "selfsubjectreviews"): "SelfSubjectReview",
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "v1", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
}
