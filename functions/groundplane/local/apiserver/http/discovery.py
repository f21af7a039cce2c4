"""Discovery: which kinds there are, in both forms that clients ask for."""

from __future__ import annotations

from collections.abc import Iterator

from groundplane.core.manifest import JSON, Manifest
from groundplane.local.apiserver.kinds.catalogue import Catalogue
from groundplane.local.apiserver.kinds.resource import Resource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_STATUS_VERBS = ["get", "patch", "update"]
_SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def aggregated(catalogue: Catalogue, *, core: bool) -> Manifest:
    """Return all groups with their versions and resources in one list: the core group, or all others."""
    groups = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {
                    "version": version,
                    "resources": [_discovered(one) for one in sorted(resources, key=lambda one: one.plural)],
                    "freshness": "Current",
                }
                for version, resources in versions.items()
            ],
        }
        for group, versions in catalogue.groups().items()
        if (not group) == core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": groups,
    }


def _discovered(resource: Resource) -> Manifest:
    kind = {"group": resource.group if resource.custom else "", "version": "", "kind": resource.kind}
    if resource.custom:
        kind["version"] = resource.version
    found: Manifest = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": [*resource.verbs],
        **_names(resource),
    }
    below = []
    if resource.status:
        below.append({"subresource": "status", "responseKind": kind, "verbs": _STATUS_VERBS})
    if resource.scale:
        below.append({"subresource": "scale", "responseKind": _SCALE, "verbs": _STATUS_VERBS})
    return {**found, "subresources": below} if below else found


def _names(resource: Resource) -> Manifest:
    found: dict[str, JSON] = {"shortNames": [*resource.short_names], "categories": [*resource.categories]}
    return {name: value for name, value in found.items() if value}


def versions(address: str) -> Manifest:
    """Return the versions of the core group; *address* is the server's."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def paths(catalogue: Catalogue, *others: str) -> list[str]:
    """Return where something is: the groups and their versions, and *others*."""
    found = {"/api", "/apis", *others}
    for group, versions in catalogue.groups().items():
        place = f"/apis/{group}" if group else "/api"
        found |= {place, *(f"{place}/{version}" for version in versions)}
    return sorted(found)


def groups(catalogue: Catalogue) -> Manifest:
    """Return the list of all groups but the core one."""
    found = [_group(group, [*versions]) for group, versions in catalogue.groups().items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(catalogue: Catalogue, name: str) -> Manifest | None:
    """Return one group, or None."""
    versions = catalogue.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, [*versions])} if versions else None


def _group(name: str, versions: list[str]) -> Manifest:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resources(catalogue: Catalogue, group: str, version: str) -> Manifest | None:
    """Return the list of a group-version's resources, or None."""
    found = catalogue.groups().get(group, {}).get(version)
    if not found:
        return None
    listed = [entry for one in sorted(found, key=lambda one: one.plural) for entry in _listed(one)]
    head: Manifest = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group else {})
    return {**head, "groupVersion": f"{group}/{version}" if group else version, "resources": listed}


def _listed(resource: Resource) -> Iterator[Manifest]:
    entry = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": [*resource.verbs],
    }
    yield {**entry, **_names(resource)}
    below = {**entry, "singularName": "", "verbs": _STATUS_VERBS}
    if resource.status:
        yield {**below, "name": f"{resource.plural}/status"}
    if resource.scale:
        yield {**below, "name": f"{resource.plural}/scale", **_SCALE}
