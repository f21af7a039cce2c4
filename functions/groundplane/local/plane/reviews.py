"""The three questions a client asks about itself. There is one user, and it may do everything."""

from __future__ import annotations

from groundplane.core.manifest import Manifest

API_GROUPS = ("authentication.k8s.io", "authorization.k8s.io")
USER = "groundplane"
GROUPS = ("system:masters", "system:authenticated")
_ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def review(group: str, version: str, plural: str, body: Manifest, now: str) -> Manifest | None:
    """Return the answer to a review that was sent as *body*; None when there is no such review."""
    kind = _KINDS.get((group, version, plural))
    if kind is None:
        return None
    head: Manifest = {"kind": kind, "apiVersion": f"{group}/{version}"}
    if kind == "SelfSubjectReview":
        status: Manifest = {"userInfo": {"username": USER, "groups": [*GROUPS]}}
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
