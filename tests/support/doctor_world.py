"""A made-up cluster for the doctor, in which everything is well; each test takes something away."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

import catalogue
from groundplane import contracts, engines
from groundplane.cli.doctor import CROSSPLANE, user
from groundplane.core.manifest import ENVIRONMENT_CONFIG, Kind
from groundplane.core.operator import Operator
from groundplane.doctor import expected, wants
from groundplane.doctor.snapshot import Listing, Reading, Right, Snapshot
from groundplane.engines.interface import all_kinds

Manifest = dict[str, Any]
VERSION = "v1.36.3"
FUNCTION = "groundplane-function-database"
POLICY = "groundplane-deletion"


@dataclass
class World:
    """What an API server holds, what it does not serve, and who may not do what."""

    objects: list[Manifest] = field(default_factory=list)
    unserved: set[str] = field(default_factory=set)  # names of CRDs, or group/version
    denied: set[Right] = field(default_factory=set)  # to Crossplane
    forbidden: set[str] = field(default_factory=set)  # to the doctor: plurals

    def find(self, kind: str, name: str) -> Manifest:
        """Return the object of *kind* called *name*, for the caller to change."""
        return next(one for one in self.objects if (one["kind"], one["metadata"]["name"]) == (kind, name))

    def drop(self, kind: str, name: str) -> None:
        """Delete an object."""
        self.objects.remove(self.find(kind, name))

    def put(self, manifest: Manifest) -> Manifest:
        """Keep *manifest* and return what is kept."""
        self.objects.append(deepcopy(manifest))
        return self.objects[-1]

    def served(self) -> dict[str, frozenset[str]]:
        """Return the plurals that are served, by group/version."""
        found: dict[str, set[str]] = {}
        for kind in kinds():
            if kind.group and kind.api_version not in self.unserved and kind.crd not in self.unserved:
                found.setdefault(kind.api_version, set()).add(kind.plural)
        return {version: frozenset(plurals) for version, plurals in found.items()}

    def matching(self, kind: str, selector: str = "", name: str = "", namespace: str = "") -> list[Manifest]:
        """Return the objects of *kind* that a listing selects."""
        found = [one for one in self.objects if one["kind"] == kind and (not name or one["metadata"]["name"] == name)]
        if namespace:
            found = [one for one in found if one["metadata"].get("namespace") == namespace]
        return [one for one in found if _selected(one["metadata"].get("labels", {}), selector)]

    def snapshot(self, namespace: str | None = None) -> Snapshot:
        """Return what is read of it when everything goes well."""
        served = self.served()
        readings = {}
        for listing in (*wants.listings(), *(Listing(wants.MANAGED, name=kind.crd) for kind in kinds())):
            where = (namespace or "") if listing.scoped else ""
            found = self.matching(listing.kind.kind, listing.selector, listing.name, where)
            readings[listing] = Reading(tuple(found))
        rights = {right: right not in self.denied for right in wants.rights()}
        return Snapshot(VERSION, user(CROSSPLANE), namespace, served, {}, readings, rights)


def _selected(labels: dict[str, str], selector: str) -> bool:
    key, _, value = selector.partition("=")
    return not selector or (labels.get(key) == value if value else key in labels)


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind that the doctor looks at."""
    found = [listing.kind for listing in wants.listings()]
    found += [wants.MANAGED, wants.ACTIVATION]
    found += [kind for _, engine in wants.every_engine() for kind in all_kinds(engine)]
    return tuple(dict.fromkeys(found))


def healthy() -> World:
    """Return a cluster in which the doctor finds nothing: every engine is installed, one environment for each."""
    world = World()
    for path in sorted((catalogue.ROOT / "apis").glob("*.yaml")):
        world.put(catalogue.one(path) | {"status": {"conditions": [condition("Established")]}})
    for engine in catalogue.engines():
        world.put(catalogue.one(engine.composition))
    for manifest in catalogue.environments().values():
        world.put(manifest)
    world.put(expected.grants())
    world.put(expected.settings())
    world.put(namespace("team-a", "kubernetes"))
    world.put(deployment("crossplane", "crossplane-system", "xpkg.example.org/crossplane:v2.4.0", COMPONENT))
    for one in _packages():
        world.put(one)
    for one in _operators():
        world.put(one)
    world.put(claim("team-a", "orders"))
    return world


COMPONENT = {"app.kubernetes.io/component": "cloud-infrastructure-controller"}


def examined(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a healthy cluster; one made-up policy is expected, whatever the companion set of the day holds."""
    monkeypatch.setattr(expected, "policies", lambda: tuple(policy(POLICY)))
    found = healthy()
    for one in policy(POLICY):
        found.put(one)
    return found


def condition(kind: str, status: str = "True", reason: str = "AsItShould", message: str = "") -> Manifest:
    """Return a condition."""
    return {"type": kind, "status": status, "reason": reason, "message": message}


def namespace(name: str, environment: str) -> Manifest:
    """Return a namespace of *environment*."""
    labels = {"groundplane.dev/environment": environment}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def environment(name: str, **data: Any) -> Manifest:
    """Return an EnvironmentConfig."""
    return ENVIRONMENT_CONFIG.manifest(name, data=data)


def deployment(name: str, where: str, image: str, labels: dict[str, str], ready: int = 1) -> Manifest:
    """Return a Deployment of one container."""
    pod = {"serviceAccountName": name, "containers": [{"name": "main", "image": image}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": where, "labels": labels},
        "spec": {"template": {"spec": pod}},
        "status": {"readyReplicas": ready},
    }


def package(kind: str, name: str, image: str) -> list[Manifest]:
    """Return a package and its active revision, healthy."""
    api = {"apiVersion": "pkg.crossplane.io/v1"}
    conditions = {"conditions": [condition("Installed"), condition("Healthy")]}
    revision = {"name": f"{name}-1", "labels": {"pkg.crossplane.io/package": name}}
    healthy_revision = {"conditions": [condition("RevisionHealthy"), condition("RuntimeHealthy")]}
    return [
        {**api, "kind": kind, "metadata": {"name": name}, "spec": {"package": image}, "status": conditions},
        {
            **api,
            "kind": f"{kind}Revision",
            "metadata": revision,
            "spec": {"image": image, "desiredState": "Active", "revision": 1},
            "status": healthy_revision,
        },
    ]


def claim(where: str, name: str, *conditions: Manifest) -> Manifest:
    """Return a claim that is served, or one with *conditions*."""
    good = [condition(kind) for kind in ("Accepted", "Serving", "Synced", "Ready", "BackupCurrent")]
    return {
        "apiVersion": "groundplane.dev/v1alpha1",
        "kind": "XDatabase",
        "metadata": {"name": name, "namespace": where, "labels": {"groundplane.dev/environment": "kubernetes"}},
        "spec": {"tier": "Standard"},
        "status": {"engine": "cnpg", "conditions": list(conditions) or good},
    }


def policy(name: str) -> list[Manifest]:
    """Return a made-up ValidatingAdmissionPolicy with its binding."""
    api = {"apiVersion": "admissionregistration.k8s.io/v1"}
    metadata = {"name": name, "labels": {"groundplane.dev/companion": "policy"}}
    kind = "ValidatingAdmissionPolicy"
    binding = {"policyName": name, "validationActions": ["Deny"]}
    return [
        {**api, "kind": kind, "metadata": metadata, "spec": {"failurePolicy": "Fail"}},
        {**api, "kind": f"{kind}Binding", "metadata": metadata, "spec": binding},
    ]


def definition_of(operator: Operator, version: str) -> Manifest:
    """Return the CRD of the first kind of *operator*, which says its version."""
    metadata = {"name": operator.kinds[0].crd, "annotations": {operator.annotation: version}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata}


def _packages() -> Iterator[Manifest]:
    yield from package("Configuration", "groundplane", "xpkg.example.org/groundplane/groundplane:v0.1.0")
    for contract in contracts.names():
        yield from package("Function", f"groundplane-function-{contract}", "xpkg.example.org/groundplane/f:v0.1.0")


def _operators() -> Iterator[Manifest]:
    for contract in contracts.names():
        for name in engines.names(contract):
            for operator in engines.load(contract, name).operators:
                tag = f"v{operator.version}.0"
                if operator.annotation and not operator.labels:
                    yield definition_of(operator, tag)
                elif operator.packages:
                    repository = f"xpkg.example.org/acme/{operator.packages[0]}"
                    yield from package("Provider", f"acme-{operator.packages[0]}", f"{repository}:{tag}")
                else:
                    key, _, value = operator.labels[0].partition("=")
                    yield deployment(value, f"{value}-system", f"ghcr.example.org/{value}:{tag}", {key: value})
