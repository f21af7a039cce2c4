"""The three questions a client asks about itself. Nobody is given rights here: everybody may do everything."""

from __future__ import annotations

from groundplane.core.manifest import Manifest
from groundplane.local.admission.users import User

API_GROUPS = ("authentication.k8s.io", "authorization.k8s.io")
_ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def review(group: str, version: str, plural: str, body: Manifest, now: str, user: User) -> Manifest | None:  # noqa: PLR0913, PLR0917  # What a review is of.
    """Return the answer to a review that *user* sent as *body*; None when there is no such review."""
    kind = _KINDS.get((group, version, plural))
    if kind is None:
        return None
    head: Manifest = {"kind": kind, "apiVersion": f"{group}/{version}"}
    if kind == "SelfSubjectReview":
        status: Manifest = {"userInfo": {"username": user.name, "groups": [*user.groups]}}
        return {**head, "metadata": {"creationTimestamp": now}, "status": status}
    if kind == "SelfSubjectAccessReview":
        return {**head, "metadata": {}, "spec": body.get("spec") or {}, "status": {"allowed": True}}
    urls = {"verbs": ["*"], "nonResourceURLs": ["*"]}
    rules = {"resourceRules": [_ALL], "nonResourceRules": [urls], "incomplete": False}
    return {**head, "metadata": {}, "spec": {}, "status": rules}


_KINDS = {
    ("authentication.k8s.io", "v1", "selfsubjectreviews"): "SelfSubjectReview",
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "v1", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
}
