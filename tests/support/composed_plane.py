"""A plane whose composites a scripted function serves, in a time that passes only while nothing is left to do."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver import garbage_collector
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.deletion import Options
from groundplane.local.apiserver.storage.store import Store
from groundplane.local.apiserver.storage.surroundings import Surroundings
from groundplane.local.xr_controller.controller import controlling
from no_time import in_no_time
from scripted import Ask, Function

BIRTH = datetime(2026, 1, 1, tzinfo=UTC)
THING = ("test.example.org/v1", "XThing")
CONFIG = ("v1", "ConfigMap")
COMPOSITION = ("apiextensions.crossplane.io/v1", "Composition")
REVISION = ("apiextensions.crossplane.io/v1", "CompositionRevision")
DEFINITION = ("apiextensions.crossplane.io/v2", "CompositeResourceDefinition")
SPACE, NAME = "default", "one"
_MOMENT = 0.01  # shorter than any time the reconciler waits for
_ROUNDS = 1000


def definition(**spec: JSON) -> Manifest:
    text: Manifest = {"type": "string"}
    whole: Manifest = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"names": {"type": "array", "items": text}, "word": text},
            },
            "status": {"type": "object", "properties": {"said": {**text, "maxLength": 20}}},
        },
    }
    version = {"name": "v1", "served": True, "referenceable": True, "schema": {"openAPIV3Schema": whole}}
    names = {"kind": "XThing", "plural": "xthings"}
    return manifest(
        DEFINITION,
        "xthings.test.example.org",
        spec={"group": "test.example.org", "names": names, "scope": "Namespaced", "versions": [version], **spec},
    )


def composition(name: str = "only", labels: Mapping[str, str] | None = None, **spec: JSON) -> Manifest:
    made = manifest(
        COMPOSITION,
        name,
        spec={
            "compositeTypeRef": {"apiVersion": THING[0], "kind": THING[1]},
            "mode": "Pipeline",
            "pipeline": [{"step": "make", "functionRef": {"name": "maker"}}],
            **spec,
        },
    )
    made["metadata"]["labels"] = dict(labels or {})
    return made


def thing(name: str = NAME, crossplane: Manifest | None = None, **spec: JSON) -> Manifest:
    found = {**spec, **({"crossplane": crossplane} if crossplane else {})}
    return manifest(THING, name, SPACE, spec=found)


def manifest(kind: tuple[str, str], name: str, namespace: str = "", **fields: JSON) -> Manifest:
    metadata: Manifest = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, **fields}


class Unsynced(Store):
    """A store that does not wait for the disk: nobody pulls the plug of a test."""

    def _open(self, path: Path) -> None:
        super()._open(path)
        self._database.execute("PRAGMA synchronous = OFF")


class World:
    """A plane, and who uses it. It belongs to the running loop."""

    def __init__(self, path: Path, store: type[Store] = Unsynced) -> None:
        loop = asyncio.get_running_loop()
        opened = store(path, lambda: BIRTH.timestamp() + loop.time())
        numbers = itertools.count(1 + 1000 * opened.version)  # no uid comes twice, whenever the plane is started anew
        surroundings = Surroundings(
            now=lambda: (BIRTH + timedelta(seconds=loop.time())).strftime("%Y-%m-%dT%H:%M:%SZ"),
            uid=lambda: f"uid-{next(numbers)}",
            suffix=lambda: "abcde",
        )
        self.api = Api(opened, surroundings)

    def serving(self, ask: Ask) -> AbstractAsyncContextManager[object]:
        """Reconcile, with *ask* for every function."""
        return controlling(self.api, ask)

    async def calm(self, seconds: float = 0) -> None:
        """Let *seconds* pass, and then everything happen that follows at once."""
        if seconds:
            await asyncio.sleep(seconds)
        for _ in range(_ROUNDS):
            before = self.api.store.version
            await asyncio.sleep(_MOMENT)
            garbage_collector.settle(self.api)
            if self.api.store.version == before:
                return
        raise AssertionError("it never comes to rest")

    def apply(self, wanted: Manifest) -> Manifest:
        """Write as a person does."""
        metadata = wanted["metadata"]
        request = self.api.request(
            wanted["apiVersion"],
            wanted["kind"],
            metadata.get("namespace", ""),
            metadata["name"],
            manager="person",
            force=True,
        )
        return self.api.apply(request, wanted)[0].manifest

    def change(self, kind: tuple[str, str], name: str, change: Callable[[Manifest], object]) -> None:
        """Change an object where it lies; *change* does it to the object that it is given."""

        def changed(live: Manifest) -> JSON:
            change(live)
            return live

        self.api.patch(self.api.request(*kind, SPACE, name, manager="somebody"), changed)

    def delete(self, kind: tuple[str, str], name: str, policy: str = "Background") -> None:
        """Delete an object; nothing happens when there is none."""
        resource = self.api.request(*kind).resource
        if self.get(kind, name):
            self.api.delete(resource, SPACE if resource.namespaced else "", name, Options(policy=policy))

    def get(self, kind: tuple[str, str], name: str) -> Manifest:
        """Return an object; an empty one when there is none."""
        request = self.api.request(*kind, SPACE, name)
        try:
            return self.api.get(request.resource, request.namespace, name)
        except StatusError:
            return {}

    def all(self, kind: tuple[str, str]) -> list[Manifest]:
        """Return all objects of a kind."""
        return self.api.page(self.api.request(*kind).resource).items

    @property
    def claim(self) -> Manifest:
        """The claim that most tests are about."""
        return self.get(THING, NAME)

    @property
    def made(self) -> dict[str, Manifest]:
        """The ConfigMaps, by their names in the composite."""
        name = "crossplane.io/composition-resource-name"
        return {str(at(one, "metadata", "annotations", name) or ""): one for one in self.all(CONFIG)}

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Return status, reason and message of a condition of the claim."""
        for one in at(self.claim, "status", "conditions") or []:
            if one["type"] == kind:
                return one["status"], one["reason"], one.get("message", "")
        return "", "", ""

    @property
    def events(self) -> list[str]:
        """What was told about the claim."""
        return [f"{one['type']} {one['reason']}: {one['message']}" for one in self.all(("v1", "Event"))]

    def versions(self) -> dict[str, str]:
        """Return the version of every object but the events."""
        return {
            f"{name} {one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one["metadata"][
                "resourceVersion"
            ]
            for name in self.api.store.resources()
            if name != "events"
            for one in self.api.store.objects(name)
        }


def played(
    path: Path,
    scenario: Callable[[World], Awaitable[None]],
    function: Ask | None = None,
    *manifests: Manifest,
) -> None:
    """Play *scenario* on a new plane that has the kind XThing, a Composition for it, and *manifests*."""

    async def work() -> None:
        world = World(path / "plane.sqlite")
        for one in manifests or (definition(), composition()):
            world.apply(one)
        async with world.serving(function or Function()):
            await world.calm()
            await scenario(world)
        world.api.store.close()

    in_no_time(work)


def revived(path: Path, scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play *scenario* on the plane that `played` left behind, which reconciles nothing yet."""

    async def work() -> None:
        world = World(path / "plane.sqlite")
        await scenario(world)
        world.api.store.close()

    in_no_time(work)


async def served(world: World, *names: str) -> None:
    """Make the claim, and its objects ready."""
    world.apply(thing(names=[*names]))
    await world.calm()
    for one in world.all(CONFIG):
        world.change(CONFIG, one["metadata"]["name"], lambda live: live["data"].update(ready="yes"))
    await world.calm()
    assert world.condition("Ready")[0] == "True"
