"""A plane in this process with the companion set on it, and people who write to it; nothing they write is kept."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from groundplane.core.manifest import JSON, Manifest
from groundplane.generate.companion.objects import EXTERNAL_NAME
from groundplane.kubernetes.patch.patches import merge_patched
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver import server
from groundplane.local.apiserver.authentication import COLLECTOR, CROSSPLANE, OWNER, User, impersonated
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.deletion import Options
from groundplane.local.apiserver.registry.request import Outcome, Request
from groundplane.local.plane import bootstrap

GROUP = "groundplane.dev"
CONFIGS = ("apiextensions.crossplane.io/v1beta1", "EnvironmentConfig")
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
DEVELOPER = impersonated("developer", ())
XDATABASE = ("groundplane.dev/v1alpha1", "XDatabase")
PEOPLE: dict[str, User | None] = {
    "developer": DEVELOPER,
    "owner": OWNER,
    "crossplane": CROSSPLANE,
    "collector": COLLECTOR,
    "nobody asks": None,
}
ENVIRONMENTS: dict[str, Manifest] = {"empty": {}, "aws": {"engines": {"database": "rds"}}}
SPACES = {"team": "local", "bare": "", "nowhere": "nowhere", "emptied": "empty", "aws": "aws"}


@dataclass(frozen=True)
class World:
    """The plane. Who is ``nobody asks`` writes as the server itself does, past all policies."""

    api: Api

    def request(
        self, who: str, kind: tuple[str, str], namespace: str, name: str = "", subresource: str = ""
    ) -> Request:
        user: User | None = PEOPLE[who]
        return self.api.request(*kind, namespace, name, manager="me", subresource=subresource, user=user)

    def create(self, who: str, manifest: Manifest, *, keep: bool = False) -> Outcome:
        kind, metadata = (manifest["apiVersion"], manifest["kind"]), manifest["metadata"]
        request = self.request(who, kind, metadata.get("namespace", ""))
        return self.api.create(request, manifest, dry_run=not keep)

    def patch(  # noqa: PLR0913  # who, what, how
        self,
        who: str,
        kind: tuple[str, str],
        namespace: str,
        name: str,
        change: JSON,
        *,
        subresource: str = "",
        keep: bool = False,
    ) -> Outcome:
        request = self.request(who, kind, namespace, name, subresource)
        return self.api.patch(request, lambda live: merge_patched(live, change), dry_run=not keep)

    def delete(self, who: str, kind: tuple[str, str], namespace: str, name: str, *, keep: bool = False) -> None:
        resource = self.api.catalogue.of_kind(*kind)
        assert resource
        self.api.delete(resource, namespace, name, Options(dry_run=not keep), PEOPLE[who])


def refused(act: object) -> StatusError:
    """Return how what *act* does is refused."""
    assert callable(act)
    with pytest.raises(StatusError) as caught:
        act()
    return caught.value


def claim(name: str = "new", namespace: str = "team", marks: dict[str, str] | None = None, **spec: JSON) -> Manifest:
    """Return a claim; *marks* are its annotations."""
    metadata = {"name": name, "namespace": namespace, "annotations": marks or {}}
    size = {"version": "17", "storage": {"size": "20Gi"}}
    return {"apiVersion": XDATABASE[0], "kind": XDATABASE[1], "metadata": metadata, "spec": {**size, **spec}}


def secret(name: str, kind: str = "Opaque", labels: dict[str, str] | None = None, **marks: str) -> Manifest:
    """Return a Secret of the team; names of *labels* and *marks*, its annotations, are of groundplane.dev."""
    metadata = {
        "name": name,
        "namespace": "team",
        "labels": {f"{GROUP}/{key}": value for key, value in (labels or {}).items()},
        "annotations": {f"{GROUP}/{key.replace('_', '-')}": value for key, value in marks.items()},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": {"password": "YQ=="}}


def owned(manifest: Manifest) -> Manifest:
    """Return *manifest* in the hands of something that controls it."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "uid-of-o", "controller": True}
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [owner]}}


def config(name: str, **data: JSON) -> Manifest:
    """Return an EnvironmentConfig."""
    return {"apiVersion": CONFIGS[0], "kind": CONFIGS[1], "metadata": {"name": name}, "data": data}


def namespace(name: str, environment: str = "", marks: dict[str, str] | None = None) -> Manifest:
    """Return a Namespace of an environment."""
    labels = {f"{GROUP}/environment": environment} if environment else {}
    metadata = {"name": name, "labels": labels, "annotations": marks or {}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


CLAIMED = {"claim": "db.kept", "guarded": "true"}


def furnished() -> Iterator[Manifest]:
    """Yield what there is before anybody asks for anything."""
    yield from (config(name, **data) for name, data in ENVIRONMENTS.items())
    yield from (namespace(name, environment) for name, environment in SPACES.items())
    consent = {f"{GROUP}/delete-consent": "given-up"}
    yield namespace("given-up", "local", consent)
    yield {**claim("kept", tier="Standard"), "status": {}}
    yield claim("changing", tier="Standard", deletionPolicy="Delete")
    yield claim("leaving", tier="Standard", deletionPolicy="Delete")
    yield claim("dataless", tier="Standard")
    held = owned(secret("held", labels=CLAIMED, deletion_policy="Protect"))
    held["metadata"]["annotations"][EXTERNAL_NAME] = "db-ABC"
    yield held
    yield owned(secret("let-go", labels=CLAIMED, deletion_policy="Delete"))
    yield owned(secret("binding", "servicebinding.io/postgresql", {"claim": "db.kept"}))
    yield secret("strange")


@contextlib.contextmanager
def world(path: Path) -> Iterator[World]:
    """Open a plane in *path*, furnish it past all policies, yield it, and close its store."""
    api = server.open_api(path)
    try:
        list(bootstrap.install(api))
        made = World(api)
        for one in furnished():
            one["metadata"].setdefault("labels", {})
            if one["kind"] == XDATABASE[1]:
                one["metadata"]["labels"] = {f"{GROUP}/environment": "local"}
                one["spec"]["crossplane"] = {"compositionRef": {"name": "xdatabase-local"}}
            made.create("nobody asks", one, keep=True)
        for name, in_force in {"kept": "Protect", "changing": "Protect", "leaving": "Delete"}.items():
            status = {"engine": "local", "slot": "local-1", "deletion": {"inForce": in_force, "stateful": []}}
            place = (XDATABASE, "team", name, {"status": status})
            made.patch("nobody asks", *place, subresource="status", keep=True)
        yield made
    finally:
        api.store.close()
