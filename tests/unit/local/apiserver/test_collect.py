"""What goes when something else goes, also when the plane was killed in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from groundplane.core.manifest import Manifest
from groundplane.kubernetes.patch.patches import merge_patched
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.deletion import Options
from plane_process import open_api, settle, widget, widgets

CONFIG = ("v1", "ConfigMap")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with widgets(tmp_path / "s") as made:
        yield made


def again(api: Api, path: Path) -> Api:
    """Return the plane as it comes back after it was killed."""
    api.store.close()
    return open_api(path)


def kind(api: Api, api_version: str, name: str) -> Resource:
    found = api.catalogue.of_kind(api_version, name)
    assert found
    return found


def owner(api: Api, name: str = "owner", finalizers: tuple[str, ...] = ()) -> Manifest:
    manifest = widget(name)
    manifest["metadata"]["finalizers"] = [*finalizers]
    return api.create(api.request("example.dev/v1", "Widget", "default"), manifest).manifest


def owned(api: Api, *owners: Manifest, name: str = "owned", namespace: str = "default", blocks: bool = True) -> None:
    references = [
        {
            "apiVersion": one["apiVersion"],
            "kind": one["kind"],
            "name": one["metadata"]["name"],
            "uid": one["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
        for one in owners
    ]
    body = {"metadata": {"name": name, "ownerReferences": references}}
    api.create(api.request(*CONFIG, namespace), body)


def delete(api: Api, policy: str, name: str = "owner") -> None:
    api.delete(kind(api, "example.dev/v1", "Widget"), "default", name, Options(policy=policy))


def there(api: Api, name: str = "owned", namespace: str = "default") -> Manifest | None:
    return api.store.get(kind(api, *CONFIG).key(namespace, name))


def owner_there(api: Api, name: str = "owner") -> Manifest | None:
    return api.store.get(kind(api, "example.dev/v1", "Widget").key("default", name))


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize(
    ("policy", "stays"),
    [("Background", False), ("Foreground", False), ("Orphan", True)],
)
def test_a_dependent_follows_the_policy(api: Api, tmp_path: Path, policy: str, *, killed: bool, stays: bool) -> None:
    owned(api, owner(api))
    delete(api, policy)
    if killed:
        api = again(api, tmp_path / "s")
    settle(api)
    found = there(api)
    assert owner_there(api) is None
    assert (found is not None) == stays
    assert "ownerReferences" not in (found or {}).get("metadata", {})
    api.store.close()


@pytest.mark.parametrize("killed", [False, True])
def test_a_foreground_deletion_waits_for_a_dependent_that_is_held(api: Api, tmp_path: Path, *, killed: bool) -> None:
    owned(api, owner(api))
    request = api.request(*CONFIG, "default", "owned")
    api.patch(request, lambda live: merge_patched(live, {"metadata": {"finalizers": ["example.dev/hold"]}}))
    delete(api, "Foreground")
    settle(api)
    if killed:
        api = again(api, tmp_path / "s")
        settle(api)
    assert owner_there(api)
    waiting = there(api)
    assert waiting
    assert waiting["metadata"]["deletionTimestamp"]
    api.patch(
        api.request(*CONFIG, "default", "owned"), lambda live: merge_patched(live, {"metadata": {"finalizers": None}})
    )
    settle(api)
    assert there(api) is None
    assert owner_there(api) is None
    api.store.close()


def test_a_dependent_of_two_stays_with_the_other(api: Api) -> None:
    first, second = owner(api), owner(api, "second")
    owned(api, first, second)
    delete(api, "Background")
    settle(api)
    found = there(api)
    assert found
    assert [one["name"] for one in found["metadata"]["ownerReferences"]] == ["second"]


def test_a_dependent_of_nobody_goes(api: Api) -> None:
    ghost = owner(api)
    ghost["metadata"]["uid"] = "never-was"
    owned(api, ghost)
    settle(api)
    assert there(api) is None
    assert owner_there(api)


def test_an_owner_in_another_namespace_is_none(api: Api) -> None:
    api.create(api.request("v1", "Namespace"), {"metadata": {"name": "elsewhere"}})
    owned(api, owner(api), namespace="elsewhere")
    settle(api)
    assert there(api, namespace="elsewhere") is None


def test_an_owner_of_an_unknown_kind_is_left_alone(api: Api) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "y"}
    api.create(api.request(*CONFIG, "default"), {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    settle(api)
    assert there(api)


@pytest.mark.parametrize("killed", [False, True])
def test_a_namespace_goes_with_all_that_is_in_it(api: Api, tmp_path: Path, *, killed: bool) -> None:
    api.create(api.request("v1", "Namespace"), {"metadata": {"name": "elsewhere"}})
    api.create(api.request(*CONFIG, "elsewhere"), {"metadata": {"name": "owned"}})
    namespaces = kind(api, "v1", "Namespace")
    waiting = api.delete(namespaces, "", "elsewhere", Options())
    assert waiting
    assert waiting["status"]["phase"] == "Terminating"
    with pytest.raises(StatusError, match="because it is being terminated") as caught:
        api.create(api.request(*CONFIG, "elsewhere"), {"metadata": {"name": "late"}})
    causes = (caught.value.details or {})["causes"]
    assert [cause["reason"] for cause in causes] == ["NamespaceTerminating"]
    if killed:
        api = again(api, tmp_path / "s")
    settle(api)
    assert api.store.get(namespaces.key("", "elsewhere")) is None
    assert there(api, namespace="elsewhere") is None
    api.store.close()


@pytest.mark.parametrize("killed", [False, True])
def test_a_definition_waits_for_the_last_object_of_its_kind(api: Api, tmp_path: Path, *, killed: bool) -> None:
    owner(api, finalizers=("example.dev/hold",))
    owner(api, "free")
    definitions = kind(api, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    api.delete(definitions, "", "widgets.example.dev", Options())
    settle(api)
    if killed:
        api = again(api, tmp_path / "s")
        settle(api)
    assert owner_there(api, "free") is None
    with pytest.raises(StatusError, match="terminating"):
        owner(api, "late")
    request = api.request("example.dev/v1", "Widget", "default", "owner")
    api.patch(request, lambda live: merge_patched(live, {"metadata": {"finalizers": None}}))
    settle(api)
    assert api.catalogue.of_kind("example.dev/v1", "Widget") is None
    assert api.store.get(definitions.key("", "widgets.example.dev")) is None
    api.store.close()
