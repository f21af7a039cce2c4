"""The collector looks at what changed, and leaves nothing that it would find by looking at everything."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver import garbage_collector
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.deletion import Options
from plane_process import widget_definition, widgets

CONFIG, WIDGET = ("v1", "ConfigMap"), ("example.dev/v1", "Widget")
KINDS = (CONFIG, WIDGET)
POLICIES = ("Background", "Foreground", "Orphan")


def reference(one: Manifest, name: str) -> Manifest:
    found = {"apiVersion": one["apiVersion"], "kind": one["kind"], "name": name}
    return {**found, "uid": one["metadata"]["uid"], "blockOwnerDeletion": True}


def objects(api: Api) -> list[Manifest]:
    resources = [api.request(*kind).resource for kind in KINDS]
    return [one for resource in resources for one in api.page(resource).items]


def make(api: Api, chance: random.Random, number: int) -> None:
    there = objects(api)
    owners = chance.sample(there, min(len(there), chance.choice((0, 1, 1, 2))))
    names = [one["metadata"]["name"] if chance.random() > 0.1 else "another" for one in owners]
    metadata: Manifest = {"name": f"o{number}"}
    if owners:
        metadata["ownerReferences"] = [reference(one, name) for one, name in zip(owners, names, strict=True)]
    kind = chance.choice(KINDS)
    spec = {"spec": {"color": "red"}} if kind == WIDGET else {}
    api.create(api.request(*kind, "default"), {"metadata": metadata, **spec})


def delete(api: Api, chance: random.Random, _number: int) -> None:
    if there := objects(api):
        one = chance.choice(there)
        resource = api.request(one["apiVersion"], one["kind"]).resource
        api.delete(resource, "default", one["metadata"]["name"], Options(policy=chance.choice(POLICIES)))


def disown(api: Api, chance: random.Random, _number: int) -> None:
    if there := objects(api):
        one = chance.choice(there)
        words = (one["apiVersion"], one["kind"], "default", one["metadata"]["name"])
        owners = [reference(other, other["metadata"]["name"]) for other in chance.sample(there, 1) if other is not one]
        metadata = {"ownerReferences": owners}
        api.patch(api.request(*words), lambda live: {**live, "metadata": {**live["metadata"], **metadata}})


DEEDS: tuple[Callable[[Api, random.Random, int], None], ...] = (make, make, make, delete, disown)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_left_that_a_look_at_everything_would_find(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # A test that can be repeated, not a secret.
    collected = 0
    with widgets(tmp_path / "s") as api:
        left = garbage_collector.Left()
        api.subscribe(left.hear)
        for number in range(60):
            DEEDS[chance.randrange(len(DEEDS))](api, chance, number)
            if chance.random() < 0.6:
                while garbage_collector.settle(api, left):
                    collected += 1
                assert not garbage_collector.settle(api), f"after {number}"
    assert collected > 3


def test_what_a_policy_refused_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with widgets(tmp_path / "s") as api:
        left = garbage_collector.Left()
        api.subscribe(left.hear)
        made = api.create(api.request(*CONFIG, "default"), {"metadata": {"name": "owner"}}).manifest
        metadata = {"name": "owned", "ownerReferences": [reference(made, "owner")]}
        api.create(api.request(*CONFIG, "default"), {"metadata": metadata})
        api.delete(api.request(*CONFIG).resource, "default", "owner", Options())

        def refuses(*_: object, **__: object) -> tuple[str, ...]:
            raise StatusError(403, "Forbidden", "made up", {})

        with monkeypatch.context() as refusing:
            refusing.setattr(api._policies, "review", refuses)
            assert not garbage_collector.settle(api, left)
        assert garbage_collector.settle(api, left)
        assert not [one for one in objects(api) if one["metadata"]["name"] == "owned"]


def test_an_owner_of_a_kind_that_comes_to_be_known_is_looked_for(tmp_path: Path) -> None:
    with widgets(tmp_path / "s") as api:
        left = garbage_collector.Left()
        api.subscribe(left.hear)
        unknown = {"apiVersion": "example.org/v1", "kind": "Gadget", "metadata": {"uid": "nobody"}}
        metadata = {"name": "owned", "ownerReferences": [reference(unknown, "gone")]}
        api.create(api.request(*CONFIG, "default"), {"metadata": metadata})
        assert not garbage_collector.settle(api, left)
        definition = widget_definition()
        definition["metadata"]["name"] = "gadgets.example.org"
        definition["spec"] |= {"group": "example.org", "names": {"kind": "Gadget", "plural": "gadgets"}}
        for version in definition["spec"]["versions"]:
            version.pop("subresources", None)
        api.create(api.request(definition["apiVersion"], definition["kind"]), definition)
        while garbage_collector.settle(api, left):
            pass
        assert not objects(api)
